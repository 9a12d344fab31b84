"""Labels that are probably wrong are found, and what is wrong with them is said."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from facealign.core import tables
from facealign.core.errors import ConfigError, InputError
from facealign.core.faces import Detection, Faces
from facealign.core.geometry import Affine, Box
from facealign.core.images import write
from facealign.core.points import MIRROR, mirror
from facealign.core.schemes.scheme import Scheme
from facealign.data.annotations import format_pts
from facealign.data.filtering import filter_faces
from facealign.faces.detection import Detect, detect
from facealign.inference import weights
from facealign.inference.network import Network, repeated
from facealign.inference.suspects import evidence, expected, ranking, sight
from facealign.inference.suspects.sight import Sight
from facealign.synthesis.pictures import plan_pictures, render
from stages import suspects as stage
from tests.helpers import PARAMS, ROOT, as_wflw

FAST = Detect("fast", (0,), "skip")
NETWORKS = [f"{weights.FOLDER}/{name}.onnx" for name in ("open", "open-small")]
SIZE, SIDE, FACES = 400, 200.0, 120


class Sample:
    """Faces of one shape that vary, in boxes of 200 pixels, as networks with an offset see them."""

    def __init__(self, face: np.ndarray, seed: int = 1) -> None:
        self.rng = np.random.default_rng(seed)
        widths = self.rng.uniform(0.8, 1.2, (FACES, 1, 2))
        turns = self.rng.uniform(-12, 12, (FACES, 1, 1)) * np.array([1, 0])  # off the middle
        self.truth = face * widths + turns + (SIZE / 2, SIZE / 2)
        self.spreads = self.rng.uniform(0.005, 0.02, FACES)
        noise = self.rng.normal(0, 1, self.truth.shape) * self.spreads[:, None, None] * SIDE
        self.seen = self.truth + noise + (3, -2)
        self.labels = self.truth + self.rng.normal(0, 0.5, self.truth.shape)
        self.hashes = [int(one) for one in self.rng.integers(0, 2**63, FACES)]

    def judged(self) -> Faces:
        """The table that `rank` writes."""
        box = Box(*(SIZE / 2 + side * SIDE / 2 for side in (-1, -1, 1, 1)))
        to_frame = sight.frame_of(Detection(box))
        each = zip(self.seen, self.spreads.tolist(), self.hashes, strict=True)
        seen = [Sight(to_frame, to_frame(points), *rest) for points, *rest in each]
        names = [f"300W/train/{number}.jpg" for number in range(FACES)]
        faces = Faces.of(names, size=np.full((FACES, 2), SIZE), points=self.labels)
        return ranking.judge(evidence.gather(faces, seen))


def rows(ranked: Faces) -> list[int]:
    """The numbers of the faces in their order."""
    return [int(Path(image).stem) for image in ranked.images]


def kind_of(ranked: Faces, number: int) -> str:
    return str(ranked["kind"][rows(ranked).index(number)])


@pytest.fixture
def sample(face: np.ndarray) -> Sample:
    return Sample(face)


def test_labels_as_they_should_be_fit_in_spite_of_the_networks_offset(sample: Sample) -> None:
    ranked = sample.judged()
    assert set(ranked["kind"]) == {"fits"}
    assert float(np.median(ranked["distance"])) * SIDE < 3  # of an offset of 3.6, and noise
    assert ranked["rank"].tolist() == [*range(1, FACES + 1)]
    assert (np.diff(ranked["score"]) <= 0).all()


def test_each_kind_is_named(sample: Sample, face: np.ndarray) -> None:
    labels = sample.labels
    labels[0] = labels[0][MIRROR]
    labels[1, :, 0] = SIZE - 1 - labels[1, :, 0]
    labels[2] += (15, -20)
    labels[3] = labels[4]
    labels[5, 48:] += (0, 25)
    labels[6] = labels[6].mean(axis=0) + 0.3 * (labels[6] - labels[6].mean(axis=0))
    ranked = sample.judged()
    assert set(rows(ranked)[:6]) == {0, 1, 2, 3, 5, 6}
    named = [kind_of(ranked, number) for number in (0, 1, 2, 3, 4, 5, 6)]
    assert named == [
        *("mirrored", "flipped", "shifted", "another face", "fits", "part: mouth", "another face")
    ]
    assert ranked["other"][rows(ranked).index(3)] == "300W/train/4.jpg"


def test_the_expected_points_are_in_pixels(sample: Sample) -> None:
    sample.labels[7] += (40, 0)
    ranked = sample.judged()
    assert rows(ranked)[0] == 7
    assert np.abs(ranked.points[0] - sample.truth[7]).mean() < 3


def test_a_hard_face_is_no_suspect_for_being_hard(sample: Sample) -> None:
    """Only a label that is further off than usual for the spread is one."""
    hard = [*range(30)]
    sample.spreads[hard] = 0.1
    sample.seen[hard] += sample.rng.normal(0, 12, sample.seen[hard].shape)
    sample.labels[50] += (12, 0)
    ranked = sample.judged()
    assert rows(ranked)[0] == 50
    assert [kind_of(ranked, number) for number in hard] == ["fits"] * len(hard)


def test_a_copy_whose_label_differs_is_found(sample: Sample) -> None:
    for values in (sample.truth, sample.seen, sample.labels, sample.spreads):
        values[[8, 9]] = values[[7, 7]]
    sample.hashes[8] = sample.hashes[7] ^ 0b11  # two bits apart
    sample.hashes[9] = sample.hashes[7]
    sample.labels[9] = sample.labels[9] + sample.rng.normal(0, 7, (68, 2))
    ranked = sample.judged()
    assert rows(ranked)[0] == 9 and kind_of(ranked, 9) == "duplicate"
    assert ranked["other"][0] in {"300W/train/7.jpg", "300W/train/8.jpg"}
    assert kind_of(ranked, 7) == kind_of(ranked, 8) == "fits"


def test_a_faces_own_label_has_no_part_in_what_is_expected(sample: Sample) -> None:
    images = [f"300W/train/{number}.jpg" for number in range(FACES)]
    seen, labels = sample.seen / SIDE, sample.labels / SIDE
    before = expected._out_of_fold(
        *(seen.reshape(FACES, -1), (labels - seen).reshape(FACES, -1)),
        *(np.arange(FACES) % expected.FOLDS, 0.01),
    )
    labels[10] += 5
    after = expected._out_of_fold(
        *(seen.reshape(FACES, -1), (labels - seen).reshape(FACES, -1)),
        *(np.arange(FACES) % expected.FOLDS, 0.01),
    )
    np.testing.assert_array_equal(after[10], before[10])
    with pytest.raises(InputError, match=r"suspects.networks: 19 labelled faces .* at least 20"):
        expected.expected(images[:19], seen[:19], labels[:19])


@pytest.mark.parametrize("count", [98, 5])
def test_labels_of_other_schemes_are_judged(sample: Sample, count: int) -> None:
    labels = as_wflw(sample.labels) if count == 98 else sample.labels[:, [36, 45, 30, 48, 54]]
    labels[11] = labels[11][mirror(count)]
    labels[12] += (20, 20)
    sample.labels = labels
    ranked = sample.judged()
    assert ranked.points.shape[1:] == (count, 2)
    assert set(rows(ranked)[:2]) == {11, 12}
    assert (kind_of(ranked, 11), kind_of(ranked, 12)) == ("mirrored", "shifted")


def test_the_box_of_a_label_is_turned_with_the_face(face: np.ndarray) -> None:
    upright = sight.box_of_label(face)
    turn = Affine.translation(300, 200) @ Affine.similarity(1, 75)
    turned = sight.box_of_label(turn(face))
    assert turned.roll - upright.roll == pytest.approx(75)
    frames = sight.frame_of(upright), sight.frame_of(turned)
    np.testing.assert_allclose(frames[0](face), frames[1](turn(face)), atol=1e-9)


def test_a_copy_with_the_same_wrong_label_is_not_another_face(sample: Sample) -> None:
    for values in (sample.truth, sample.seen, sample.labels, sample.spreads):
        values[8] = values[7]
    sample.hashes[8] = sample.hashes[7]
    sample.labels[[7, 8]] += (25, 0)
    ranked = sample.judged()
    assert [kind_of(ranked, number) for number in (7, 8)] == ["shifted", "shifted"]


def test_a_box_around_the_label_is_no_evidence(tmp_path: Path, astronaut: np.ndarray) -> None:
    """The label lies beside the face, which the detector finds."""
    write(tmp_path / "300W/train/a.png", astronaut)
    network = weights.FOLDER / "open-small.onnx"
    (points,), _ = Network(network, 1)(astronaut, [Box(166, 73, 273, 180)])
    for offset, source in (((200, 100), "truth"), ((0, 0), "truth"), ((0, 0), "upsample 0")):
        faces = Faces.of(["300W/train/a.png"], points=points[None] + np.array(offset))
        boxes = faces.with_columns(
            box=np.array([[0.0, 0.0, 9.0, 9.0]]), roll=np.zeros(1), source=[source]
        )
        [seen] = sight.look(tmp_path, faces, boxes, [network], FAST)
        centre = seen.to_frame.inverse()(np.zeros(2))
        wanted = (220, 127) if source == "truth" else (4.5, 4.5)
        np.testing.assert_allclose(centre, wanted, atol=12)


def test_a_swapped_label_does_not_turn_the_face_over(
    tmp_path: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its eyes say that the face is upside down; where there is no detection, the networks say."""
    write(tmp_path / "300W/train/a.png", astronaut)
    network = weights.FOLDER / "open-small.onnx"
    (points,), _ = Network(network, 1)(astronaut, [Box(166, 73, 273, 180)])
    monkeypatch.setattr(sight, "largest_face", lambda *_: None)
    faces = Faces.of(["300W/train/a.png"], points=points[MIRROR][None])
    none = Faces.of([], box=np.empty((0, 4)), roll=np.empty(0), source=[])
    [seen] = sight.look(tmp_path, faces, none, [network], FAST)
    upright = sight.frame_of(sight.box_of_label(points))
    np.testing.assert_allclose(seen.to_frame.matrix, upright.matrix)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """Generated images; 5 % of the labels are shifted, mirrored, or of another face."""
    root, points = tmp_path_factory.mktemp("planted"), {}
    for plan in plan_pictures(124, 11, odd=0.03):
        if plan.point_count == len(MIRROR):
            picture, points[plan.name] = render(plan)
            (root / plan.name).parent.mkdir(parents=True, exist_ok=True)
            (root / plan.name).write_bytes(picture)
    rng, names = np.random.default_rng(3), [*points]
    wrong = rng.permutation(names)[: round(0.05 * len(names))].tolist()
    labels = dict(points)
    for number, name in enumerate(wrong):
        side = float(np.sqrt(np.prod(np.ptp(points[name], axis=0))))
        angle = rng.uniform(0, 2 * np.pi)
        labels[name] = (
            points[name] + 0.12 * side * np.array([np.cos(angle), np.sin(angle)]),
            points[name][MIRROR],
            points[str(rng.choice([other for other in names if other not in wrong]))],
        )[number % 3]
    for name, its in labels.items():
        (root / name).with_suffix(".pts").write_text(format_pts(its), encoding="utf-8")
    return root, set(wrong)


@pytest.mark.slow
def test_nine_in_ten_planted_errors_are_among_the_first_tenth(
    planted: tuple[Path, set[str]],
) -> None:
    root, wrong = planted
    faces, _ = filter_faces(root, ["300W", "Menpo"])
    assert wrong <= set(faces.images) and len(wrong) == 6
    boxes = detect(root, faces, FAST).faces
    ranked = ranking.rank(root, faces, boxes, NETWORKS, weights.FOLDER, FAST)
    assert sorted(ranked.images) == sorted(faces.images)
    first = set(ranked.images[: len(faces) // 10])
    assert len(first & wrong) >= 0.9 * len(wrong)
    found = dict(zip(ranked.images, ranked["kind"], strict=True))
    assert {found[name] for name in wrong} >= {"mirrored", "shifted", "another face"}


def test_the_stage_does_nothing_without_networks(
    tmp_path: Path, face: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(PARAMS, tmp_path / "params.yaml")
    names = [f"300W/train/{number}.png" for number in range(3)]
    index = Faces.of(names, size=np.full((3, 2), 300), points=np.stack([face] * 3))
    index.write(Path("index.csv"), "dataset", "split", "size", "points")
    boxed = index.with_columns(
        box=np.full((3, 4), (0.0, 0.0, 9.0, 9.0)), roll=np.zeros(3), source=["upsample 0"] * 3
    )
    boxed.write(Path("boxes.csv"), "box", "roll", "source")
    Path("scheme.json").write_text('{"points": 68}', encoding="utf-8")
    inputs = Path("faces"), Path("index.csv"), Path("scheme.json"), Path("boxes.csv")
    stage.main(*inputs, weights.FOLDER, Path("suspects.csv"))
    table = tables.read(Path("suspects.csv"))
    assert len(table) == 0
    assert [*table.columns][:9] == ["image", *ranking.COLUMNS[:-1]]
    assert table.point_count == 68


def test_a_network_lies_in_the_folder_that_the_stage_depends_on(
    tmp_path: Path, face: np.ndarray
) -> None:
    faces = Faces.of(["300W/train/a.png"], size=np.array([[9, 9]]), points=face[None])
    with pytest.raises(ConfigError, match=r"suspects.networks is 'a.onnx', expected a file in"):
        ranking.rank(tmp_path, faces, faces, ["a.onnx"], weights.FOLDER, FAST)


def test_the_params_name_networks_that_are_there() -> None:
    section = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))["suspects"]
    assert section["networks"] == [] and (ROOT / section["folder"] / "open.onnx").is_file()


def test_networks_whose_points_cannot_be_compared_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ears = Scheme("ears", (1, 0, 2), {}, ((0,), (1,)))
    monkeypatch.setattr("facealign.core.points._own", {3: ears})
    networks = [Network(weights.FOLDER / f"{name}.onnx", 1) for name in ("open", "open-small")]
    assert sight.common_of(networks) == 68
    networks[1].count = 3
    with pytest.raises(ConfigError, match=r"suspects.networks: 3 points .* and 68 points .* no"):
        sight.common_of(networks)


def test_the_runs_of_networks_are_compared_in_the_box(astronaut: np.ndarray) -> None:
    network = Network(weights.FOLDER / "open-small.onnx", 1)
    box = Detection(Box(166, 73, 273, 180))
    runs = sight.frame_of(box)(repeated(network, astronaut, box))
    seen = sight._see([network], 68, astronaut, box, 0)
    np.testing.assert_allclose(seen.points, runs.mean(axis=0))
    assert 0 < seen.spread < 0.1 and np.abs(seen.points).max() < 0.8
