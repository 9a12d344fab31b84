import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign import Aligner, Box, Detection, InputError
from facealign.core import images
from facealign.core.faces import Faces
from facealign.data.annotations import format_pts
from facealign.evaluation import metrics
from facealign.inference import annotated, benchmark, face_mesh
from facealign.inference.aligner import expected_detection
from facealign.inference.detector_comparison import angle, compare, turn
from facealign.synthesis.pictures import plan_pictures, render

CORNER, MIDDLE = Box(0, 0, 40, 40), Box(90, 90, 94, 94)  # no faces


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Faces:
    """Three generated faces, and a wall with the points of one."""
    folder = tmp_path_factory.mktemp("known")
    plain = [plan for plan in plan_pictures(40, 23, odd=0) if plan.kind == "plain"][:3]
    for number, plan in enumerate(plain):
        data, points = render(plan)
        path = folder / f"{number}{Path(plan.name).suffix}"
        path.write_bytes(data)
        path.with_suffix(".pts").write_text(format_pts(points), encoding="utf-8")
    images.write(folder / "wall.png", np.full((400, 400, 3), 90, np.uint8))
    (folder / "wall.pts").write_text(format_pts(points), encoding="utf-8")
    faces, dropped = annotated.known_faces(folder, None)
    assert len(faces) == 4 and not dropped
    return faces


def knowing(
    known: Faces, roll_off: float, more: Sequence[Box]
) -> Callable[[np.ndarray], list[Box | Detection]]:
    """A detector that knows the faces, with wrong rolls, and finds `more`."""
    expected = {
        zlib.crc32(images.read(Path(path)).tobytes()): expected_detection(points)
        for path, points in zip(known.images, known.points, strict=True)
    }

    def find(image: np.ndarray) -> list[Box | Detection]:
        face = expected.get(zlib.crc32(image.tobytes()))
        return [*more, Detection(face.box, 0.9, face.roll + roll_off)] if face else []

    return find


def test_found_missed_and_false_faces(known: Faces) -> None:
    aligners = {name: Aligner("small", name, threads=1) for name in ("fast", "dlib")}
    aligners["both"] = Aligner("small", knowing(known, 0, [CORNER]), threads=1)
    aligners["again"] = Aligner("small", knowing(known, 0, [CORNER, MIDDLE]), threads=1)
    aligners["blind"] = Aligner("small", lambda image: [], threads=1)
    compared = compare(known, aligners)
    assert (compared.images, compared.common, compared.unreadable) == (4, 0, [])
    counts = {
        name: (its["found"], its["missed"], its["false"], its["unconfirmed"], its["wrong_rolls"])
        for name, its in compared.methods.items()
    }
    assert counts == {
        "fast": (3, 1, 0, 0, 0),
        "dlib": (3, 1, 0, 0, None),
        "both": (4, 0, 4, 0, 0),
        "again": (4, 0, 8, 4, 0),
        "blind": (0, 4, 0, 0, None),
    }
    for name, its in compared.methods.items():
        assert its["detector_ms"] is not None and its["detector_ms"] <= its["picture_ms"]
        assert (its["auc_08"] is None) == (its["nme_interocular"] is None) == (name == "blind")
        assert its["common_auc_08"] is its["common_nme_interocular"] is None


@pytest.mark.parametrize(("by", "count"), [(20, 0), (-20, 0), (30, 4), (-30, 4), (350, 0)])
def test_rolls_may_differ_by_25_degrees(known: Faces, by: float, count: int) -> None:
    detector = knowing(known, by, [])
    compared = compare(known, {"knowing": Aligner("small", detector, threads=1)})
    assert compared.methods["knowing"]["wrong_rolls"] == count


def test_errors_are_those_of_predict(known: Faces) -> None:
    aligners = {name: Aligner("small", name, threads=1) for name in ("fast", "dlib")}
    compared = compare(known, aligners)
    assert compared.common == 3
    truth = known.points[:3]
    sides = np.array([expected_detection(points).box.width for points in truth])
    for name, aligner in aligners.items():
        predicted = np.array([aligner.predict(path)[0].points for path in known.images[:3]])
        distances = metrics.mean_distances(predicted, truth)
        its = compared.methods[name]
        by_eyes = distances / metrics.interocular(truth)
        assert its["nme_interocular"] == its["common_nme_interocular"]
        assert its["nme_interocular"] == pytest.approx(by_eyes.mean())
        assert its["median_interocular"] == pytest.approx(np.median(by_eyes))
        auc = metrics.auc(distances / sides, 0.08)
        assert its["auc_08"] == its["common_auc_08"] == pytest.approx(auc)
        assert auc > 0.5


def test_of_another_method_only_faces_and_time_are_measured(known: Faces) -> None:
    compared = compare(
        known, {"fast": Aligner("small", threads=1)}, {"other": benchmark.dlib_boxes}
    )
    its = compared.methods["other"]
    assert (its["found"], its["missed"], its["false"]) == (3, 1, 0)
    assert its["picture_ms"] > 0
    assert its["detector_ms"] is its["auc_08"] is its["wrong_rolls"] is None
    assert compared.common == 3  # it is no detector


def test_mediapipes_face_mesh_where_it_is_installed(astronaut: np.ndarray) -> None:
    if not face_mesh.is_installed():
        pytest.skip("mediapipe is not installed")
    [found] = face_mesh.find_faces(astronaut)
    [face] = Aligner("small", threads=1).predict(astronaut)
    inner = face.points[17:]  # its contour differs
    around = Box.around(inner)
    assert found.holds(inner).all()
    assert 1 < found.width / around.width < 1.8 and 1 < found.height / around.height < 1.8


def test_turned_faces_are_found_with_their_rolls(known: Faces) -> None:
    aligners = {name: Aligner("small", name, threads=1) for name in ("fast", "dlib")}
    compared = compare(known, aligners, turned=True)
    fast, dlib = compared.methods["fast"], compared.methods["dlib"]
    assert (fast["found"], fast["wrong_rolls"]) == (3, 0)
    assert fast["auc_08"] is not None and fast["auc_08"] > 0.5
    furthest = [abs(angle(Path(path))) > 60 for path in known.images[:3]]
    assert any(furthest) and dlib["found"] <= 3 - sum(furthest)


def test_an_angle_follows_from_the_files_name() -> None:
    angles = [angle(Path(f"folder/{number}.jpg")) for number in range(200)]
    assert angle(Path("elsewhere/7.jpg")) == angles[7]
    assert angle(Path("7.png")) != angles[7]
    assert min(angles) < -150 and max(angles) > 150 and abs(np.mean(angles)) < 30


@pytest.mark.parametrize("degrees", [0, 30, -90, 179])
def test_points_turn_with_their_picture(degrees: float) -> None:
    image = np.zeros((90, 161, 3), np.uint8)
    places = np.array([[10.0, 12.0], [150.0, 80.0], [80.0, 44.5], [158.0, 2.0]])
    for x, y in places:
        cv2.circle(image, (round(x), round(y)), 1, (255, 255, 255), -1)
    turned, there = turn(image, degrees)
    right = there(np.array([1.0, 0.0])) - there(np.zeros(2))
    assert right == pytest.approx([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    assert turned.shape == (185, 185, 3)
    for x, y in there(places).round().astype(int):
        assert turned[y, x].min() > 120


def test_pictures_that_cannot_be_read_are_left_out(known: Faces, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_text("no picture", encoding="utf-8")
    mixed = Faces.of([known.images[0], str(bad)], points=known.points[:2])
    aligners = {"fast": Aligner("small", threads=1)}
    compared = compare(mixed, aligners)
    assert compared.images == compared.common == 1
    assert compared.unreadable == [f"{bad}: not a picture that can be read"]
    with pytest.raises(InputError, match=r"none of the pictures can be read: .*bad\.jpg"):
        compare(mixed.subset(slice(1, 2)), aligners)
