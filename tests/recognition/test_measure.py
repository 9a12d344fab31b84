"""How similar pairs of photographs are, measured and stored in a recogniser's file."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from facealign.core import images, tables
from facealign.core.errors import InputError
from facealign.data.annotations import format_pts
from facealign.inference import benchmark
from facealign.inference.aligner import Aligner
from facealign.recognition import measure
from facealign.recognition.recogniser import FACT, KINDS, RELEASED, Measured, Recogniser

FACTS = {
    "people": 2,
    "photographs": 1,
    "pairs": {"same": 10, "different": 20, "together": 4},
    "levels": [0.0, 0.5],
    "above": {"same": [1, 0.5], "different": [0.5, 0], "together": [0.75, 0.25]},
}


def test_the_share_of_more_similar_pairs_is_linear_between_levels() -> None:
    measured = Measured.parse(json.dumps(FACTS))
    assert measured.more_similar(0.25) == {"same": 0.75, "different": 0.25, "together": 0.5}
    assert measured.more_similar(-0.3) == {"same": 1, "different": 0.5, "together": 0.75}
    assert measured.more_similar(0.9) == {"same": 0.5, "different": 0, "together": 0.25}


@pytest.mark.parametrize(
    "facts",
    [
        FACTS | {"people": 0},
        FACTS | {"photographs": 1.5},
        FACTS | {"pairs": {"same": 10}},
        FACTS | {"pairs": [1, 2, 3]},
        FACTS | {"levels": []},
        FACTS | {"levels": [0.5, 0.0]},
        FACTS | {"levels": [0.0]},
        FACTS | {"levels": [0.0, float("nan")]},
        FACTS | {"above": FACTS["above"] | {"same": [1.5, 0.5]}},  # type: ignore[operator]
        FACTS | {"above": FACTS["above"] | {"same": ["x", 0.5]}},  # type: ignore[operator]
        FACTS | {"above": FACTS["above"] | {"same": [10**400, 0.5]}},  # type: ignore[operator]
        FACTS | {"levels": [], "above": dict.fromkeys(KINDS, ())},
        FACTS | {"more": 1},
        {"threshold": 0.3, "accepted": 0.4, "people": 76},
        [],
    ],
)
def test_other_facts_are_refused(facts: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        Measured.parse(json.dumps(facts))


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """Ann twice and once as a copy, Bob with Eve behind him, Ken who was learnt; two crops of one
    photograph and a copy of the second."""
    folder = tmp_path_factory.mktemp("photographs")
    (ann, _), (bob, box), (eve, _) = benchmark.portraits(3, seed=643)
    named = {
        "Ann_01.png": ann,
        "Ann_02.png": ann[:, 60:],
        "Ann_03.png": ann // 2 + 60,
        "Bob_01.png": np.hstack([bob, eve])[:, :1100],
        "Ken_01.png": astronaut,
        "2.png": np.full((90, 90, 3), 80, np.uint8),
    }
    for name, picture in named.items():
        images.write(folder / "people" / name, picture)
    left, top, right, bottom = box.corners
    within = np.random.default_rng(1).uniform((left, top), (right, bottom), (68, 2))
    both = np.hstack([eve, bob])
    for name, picture, points in (
        ("7_1.png", bob, within),
        ("7_2.png", both, within + (eve.shape[1], 0)),
        ("7_3.png", bob // 2 + 60, within),
    ):
        images.write(folder / "more" / name, picture)
        (folder / "more" / name).with_suffix(".pts").write_text(format_pts(points))
    tables.write(folder / "learnt.csv", {"image": ["a.png"], "person": ["Ken"]})
    return folder


def test_what_was_measured_is_stored_and_nothing_else_changes(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.onnx"
    old = onnx.load(RELEASED)
    old.metadata_props.add(key="facealign.measured", value="an older version's")
    onnx.save(old, path)
    places = photographs / "learnt.csv", photographs / "people", photographs / "more"
    measure.main(path, *places)
    assert "2 people, 2 photographs with several faces" in capsys.readouterr().out
    recogniser = Recogniser(path, threads=1)
    measured = recogniser.measured
    assert measured is not None and (measured.people, measured.photographs) == (2, 2)
    assert measured.pairs == {"same": 1, "different": 2, "together": 2}
    # the annotated face of both crops is Bob's
    again, other = (measured.above["together"][measured.levels.index(level)] for level in (0.9, -1))
    assert (again, other) == (0.5, 1)
    aligner = Aligner(threads=1)
    one, two = (
        recogniser([(picture, face.box, face.points) for face in aligner.predict(picture)])[0]
        for picture in (images.read(photographs / f"people/Ann_0{n}.png") for n in (1, 2))
    )
    share = np.array(measured.above["same"])
    assert (share == (float(one @ two) > np.array(measured.levels))).all()
    new = onnx.load(path)
    assert "facealign.measured" not in {fact.key for fact in new.metadata_props}
    for model in (old, new):
        kept = [f for f in model.metadata_props if f.key not in (FACT, "facealign.measured")]
        del model.metadata_props[:]
        model.metadata_props.extend(kept)
    assert old == new


def test_too_few_pictures_are_refused_and_the_file_is_left(
    photographs: Path, tmp_path: Path
) -> None:
    path = tmp_path / "mine.onnx"
    shutil.copy(RELEASED, path)
    with pytest.raises(InputError, match="no pairs of the kind 'same'"):
        measure.main(path, photographs / "learnt.csv", photographs / "more")
    assert path.read_bytes() == RELEASED.read_bytes()
