from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign.core import tables
from facealign.core.errors import ConfigError
from facealign.core.faces import Detection, Faces
from facealign.core.files import read_json
from facealign.core.geometry import Affine, Box, box_sizes
from facealign.core.images import warp, write
from facealign.data.annotations import format_pts
from facealign.faces.cropping import load_crops
from facealign.faces.detection import Detect, box_from_points
from facealign.inference import labelling, weights
from facealign.inference.network import Network, repeated
from facealign.synthesis.pictures import plan_pictures, render
from stages import crop
from stages import label as stage
from tests.helpers import PARAMS, ROOT

FAST = Detect("fast", (0,), "skip")
SMALL = weights.FOLDER / "small.onnx"


def label(root: Path, names: list[str], spread: float = 0.03) -> tuple[Faces, dict[str, str]]:
    faces, drops = labelling.label(root, names, SMALL, 68, FAST, spread)
    return faces, {drop.image: drop.reason for drop in drops}


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    """Generated images, the last of them turned, and their points, which are nowhere beside."""
    root, points = tmp_path_factory.mktemp("faces"), {}
    plans = plan_pictures(60, 4, odd=0)
    chosen = [plan for plan in plans if plan.kind == "plain"][:4]
    chosen += [plan for plan in plans if plan.kind == "turned"][:1]
    for number, plan in enumerate(chosen):
        data, marks = render(plan)
        name = f"more/train/{'a' if number % 2 else 'b'}/{number}.jpg"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
        points[name] = marks
    return root, points


def test_faces_get_points_where_the_true_ones_are(
    truth: tuple[Path, dict[str, np.ndarray]],
) -> None:
    root, points = truth
    names = labelling.unlabelled_images(root, ["more"])
    assert names == sorted(points)
    annotated = root / names[0].replace(".jpg", ".PTS")  # as the stage `filter` takes it, too
    annotated.write_text("", encoding="utf-8")
    assert labelling.unlabelled_images(root, ["more"]) == names[1:]
    annotated.unlink()
    faces, drops = label(root, names)
    assert faces.images == names and not drops
    expected = np.array([points[name] for name in names])
    errors = np.linalg.norm(faces.points - expected, axis=-1).mean(axis=-1)
    assert (errors / box_sizes(faces.boxes)).max() < 0.06
    assert ((faces["weight"] > 0.3) & (faces["weight"] < 1)).all()
    assert set(faces["source"]) == {"teacher"}
    assert np.abs(faces["roll"]).max() > 20  # the turned one


def test_what_gets_no_points_is_listed_with_its_reason(
    tmp_path: Path, truth: tuple[Path, dict[str, np.ndarray]]
) -> None:
    root, points = truth
    folder = tmp_path / "more" / "train"
    folder.mkdir(parents=True)
    write(folder / "wall.png", np.full((90, 90, 3), 120, np.uint8))
    (folder / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "face.jpg").write_bytes((root / min(points)).read_bytes())
    names = labelling.unlabelled_images(tmp_path, ["more"])
    faces, drops = label(tmp_path, names)
    assert faces.images == ["more/train/face.jpg"]
    assert drops == {
        "more/train/cut.jpg": "unreadable_image",
        "more/train/wall.png": "no_face",
    }
    _, unsure = label(tmp_path, ["more/train/face.jpg"], spread=0.0001)
    assert unsure == {"more/train/face.jpg": "teacher_unsure"}


def test_points_far_from_the_detectors_box_are_refused(
    monkeypatch: pytest.MonkeyPatch, truth: tuple[Path, dict[str, np.ndarray]]
) -> None:
    root, points = truth
    monkeypatch.setattr(labelling, "repeated", lambda *_: points[min(points)][None] + (80, 0))
    _, drops = label(root, [min(points)])
    assert drops == {min(points): "points_elsewhere"}


def test_each_run_sees_the_face_and_its_points_come_back(astronaut: np.ndarray) -> None:
    network, box = Network(SMALL, 1), Box(166, 73, 273, 180)
    runs = repeated(network, astronaut, Detection(box))
    assert runs.shape == (6, 68, 2)
    assert np.abs(runs - runs.mean(axis=0)).max() < 8
    (first,), _ = network(astronaut, [box])
    np.testing.assert_array_equal(runs[0], first)
    # a turned image gives the same points, turned
    turn = Affine.translation(220, 127) @ Affine.similarity(1, 60) @ Affine.translation(-220, -127)
    turned = repeated(network, warp(astronaut, turn, 512), Detection(box, roll=60))
    assert np.abs(turned.mean(axis=0) - turn(runs.mean(axis=0))).max() < 3


@pytest.mark.parametrize(
    ("datasets", "said"),
    [
        (["lfw"], "label.datasets: the archive has no folder lfw/train; its data sets: full, more"),
        (["held"], "label.datasets: 'held' is in data.test_only: never trained on"),
        (["full"], "label.datasets: 'full' has no train image without .pts"),
        (["../more"], "label.datasets: '../more', expected up to 64 letters"),
    ],
)
def test_a_data_set_without_such_images_is_an_error(
    tmp_path: Path, face: np.ndarray, datasets: list[str], said: str
) -> None:
    for name in ("more", "full"):
        folder = tmp_path / name / "train"
        folder.mkdir(parents=True)
        write(folder / "a.png", np.zeros((9, 9, 3), np.uint8))
    (tmp_path / "full" / "train" / "a.pts").write_text(format_pts(face))
    with pytest.raises(ConfigError, match=said):
        labelling.unlabelled_images(tmp_path, datasets, {"held"})


def test_the_stage_writes_labels_reasons_and_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, truth: tuple[Path, dict[str, np.ndarray]]
) -> None:
    root, points = truth
    cv2.imwrite(str(root / "more" / "train" / "wall.png"), np.zeros((60, 60, 3), np.uint8))
    monkeypatch.chdir(tmp_path)
    text = PARAMS.read_text(encoding="utf-8")
    assert text.count("  datasets: []\n") == 1
    changed = text.replace("  datasets: []\n", "  datasets: [more]\n")
    (tmp_path / "params.yaml").write_text(changed, encoding="utf-8")
    labels, dropped, counts = (tmp_path / name for name in ("l.csv", "d.csv", "c.json"))
    (tmp_path / "scheme.json").write_text('{"points": 68}', encoding="utf-8")
    stage.main(root, SMALL, tmp_path / "scheme.json", labels, dropped, counts)
    found = Faces.read(labels, "roll", "weight")
    kept = read_json(counts)["more"]["train"]["kept"]
    assert kept == len(found) >= 3  # dlib's detector misses the turned one
    lost = tables.read(dropped)
    assert len(lost) == len(points) + 1 - kept
    assert dict(zip(lost["image"], lost["reason"], strict=True))["more/train/wall.png"] == "no_face"


def test_labelled_faces_are_cropped_beside_the_annotated_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, truth: tuple[Path, dict[str, np.ndarray]]
) -> None:
    root, points = truth
    own, *names = sorted(points)
    labelled, _ = label(root, names)
    annotated = Faces.of(
        [own],
        size=np.array([[400, 400]]),
        box=np.array([box_from_points(points[own]).corners]),
        roll=np.zeros(1),
        points=points[own][None],
        source=["upsample 0"],
    )
    index, boxes, labels = (tmp_path / name for name in ("i.csv", "b.csv", "l.csv"))
    annotated.write(index, "dataset", "split", "size", "points")
    annotated.write(boxes, "box", "roll", "source")
    labelled.write(labels, "dataset", "split", "size", "box", "roll", "source", "points", "weight")
    monkeypatch.chdir(ROOT)
    (tmp_path / "scheme.json").write_text('{"points": 68}', encoding="utf-8")
    crop.main(root, index, tmp_path / "scheme.json", boxes, labels, tmp_path / "crops")
    crops = load_crops(tmp_path / "crops")
    assert crops.images == [own, *names]
    assert crops.sources == ["upsample 0", *["teacher"] * len(names)]
    assert crops.weights.tolist() == [1, *labelled["weight"].tolist()]
    assert np.abs(crops.points.mean(axis=1) - 24).max() < 8  # in the middle of the input
