import hashlib
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest

from facealign.core import config
from facealign.core.errors import ConfigError, InputError, ModelError
from facealign.core.faces import Detection, Faces
from facealign.core.geometry import Affine, Box
from facealign.core.images import warp, write
from facealign.core.points import scheme_of, select
from facealign.core.schemes.scheme import Scheme
from facealign.detectors.hog import find_faces
from facealign.faces import dlib_predictor
from facealign.faces.cropping import Crop, load_crops, make_crops
from facealign.faces.detection import (
    Detect,
    Found,
    NotFound,
    box_from_points,
    choose,
    detect,
    locate,
    locate_all,
)
from facealign.faces.dlib_predictor import Dlib, predictor_file
from tests.helpers import PARAMS, as_wflw

EYES = np.array([[207.0, 101.0], [244.0, 103.0]])  # of the astronaut, by eye
SMALL, LARGE = Box(0, 0, 10, 10), Box(0, 0, 100, 100)


def points_on_a_line(*xs: float) -> np.ndarray:
    return np.array([[x, 5.0] for x in xs])


def test_the_astronauts_face_is_found(astronaut: np.ndarray) -> None:
    box = find_faces(astronaut, 0)[0].box
    assert box.holds(EYES).all()
    assert box.width == pytest.approx(90, abs=20)
    assert box.centre == pytest.approx((223, 125), abs=12)


def test_the_predictors_points_lie_where_a_faces_points_lie(
    astronaut: np.ndarray, model: Path
) -> None:
    box = find_faces(astronaut, 0)[0].box
    points = dlib_predictor.predict(astronaut, box, model)
    assert points.shape == (68, 2)
    near = Box(box.left - 20, box.top - 20, box.right + 20, box.bottom + 20)
    assert near.holds(points).all()
    regions = scheme_of(68).regions
    middle = {name: points[list(region)].mean(axis=0) for name, region in regions.items()}
    assert middle["brows"][1] < middle["eyes"][1] < middle["nose"][1] < middle["mouth"][1]
    eyes = [points[36:42].mean(axis=0), points[42:48].mean(axis=0)]
    np.testing.assert_allclose(eyes, EYES, atol=5)


def test_all_faces_are_located_and_predicted_in_their_order(
    tmp_path: Path, astronaut: np.ndarray, model: Path
) -> None:
    pictures = {"a.png": astronaut[:260, 120:330], "b.png": astronaut[20:280, 100:330]}
    for name, picture in pictures.items():
        cv2.imwrite(str(tmp_path / name), picture[..., ::-1])
    moves = {"a.png": (120, 0), "b.png": (100, 20)}
    truth = Faces.of([*moves], points=np.array([EYES - move for move in moves.values()]))
    boxes = [
        found.face.box for found in locate_all(tmp_path, truth, [0]) if isinstance(found, Found)
    ]
    assert all(box.holds(its).all() for box, its in zip(boxes, truth.points, strict=True))
    faces = truth.with_columns(box=np.array([box.corners for box in boxes]))
    predicted = dlib_predictor.predict_all(tmp_path, faces, model)
    for points, name, box in zip(predicted, pictures, boxes, strict=True):
        np.testing.assert_array_equal(points, dlib_predictor.predict(pictures[name], box, model))


def test_a_turned_face_is_found_by_the_fast_detector_and_cropped_upright(
    tmp_path: Path, astronaut: np.ndarray, face: np.ndarray
) -> None:
    points = face * 0.5 + (222, 120)
    turn = Affine.translation(222, 120) @ Affine.similarity(1, 120) @ Affine.translation(-222, -120)
    turned = warp(astronaut, turn, 512)
    for name, image in (("a", astronaut), ("b", turned)):
        write(tmp_path / f"300W/train/{name}.png", image)
    names = ["300W/train/a.png", "300W/train/b.png"]
    truth = Faces.of(names, points=np.array([points, turn(points)]))
    found = detect(tmp_path, truth, Detect("fast", (0, 1), "skip"))
    assert found.faces.images == names
    upright, rolled = found.faces["roll"].tolist()
    assert rolled - upright == pytest.approx(120, abs=15)
    found.faces.write(tmp_path / "boxes.csv", "box", "roll", "source")
    read = Faces.read(tmp_path / "boxes.csv", "roll").join(truth).with_columns(weight=np.ones(2))
    make_crops(tmp_path, read, Crop("face", 48, 0.1, 0.1), tmp_path / "crops")
    crops = load_crops(tmp_path / "crops")
    assert np.abs(crops.points[0] - crops.points[1]).mean() < 3
    assert crops.normalisers == pytest.approx([40, 40], rel=0.05)
    assert detect(tmp_path, truth, Detect("dlib", (0,), "skip")).lost == [(names[1], 0)]


@pytest.mark.parametrize("undetected", ["skip", "truth"])
def test_a_train_face_that_is_not_found_is_skipped_or_boxed_by_its_points(
    tmp_path: Path, astronaut: np.ndarray, face: np.ndarray, undetected: Literal["skip", "truth"]
) -> None:
    points = face * 0.5 + (222, 120)
    images = ["300W/train/a.png", "300W/train/wall.png", "300W/test/wall.png"]
    for image in images:
        wall = np.full_like(astronaut, 90)
        write(tmp_path / image, wall if "wall" in image else astronaut)
    truth = Faces.of(images, points=np.array([points] * 3))
    found = detect(tmp_path, truth, Detect("dlib", (0,), undetected))
    assert found.lost == [(images[1], 0), (images[2], 0)]
    kept = ["upsample 0", "truth"][: 1 + (undetected == "truth")]
    assert (found.faces.images, found.faces["source"].tolist()) == (images[: len(kept)], kept)
    if undetected == "truth":
        assert found.faces.box(1) == box_from_points(points)
    lost = "train, truth" if undetected == "truth" else "train, not found"
    assert found.counts == {"train, upsample 0": 1, lost: 1, "test, not found": 1}


def test_a_face_is_looked_for_at_each_upsampling_until_it_is_found(astronaut: np.ndarray) -> None:
    tiny = cv2.resize(astronaut[:300, 60:400], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    points = (EYES - (60, 0)) / 2
    assert find_faces(tiny, 0) == []
    found = locate(tiny, points, [0, 1, 2])
    assert isinstance(found, Found)
    assert found.upsample == 1
    assert found.face.box.holds(points).all()


def test_a_face_elsewhere_is_not_the_annotated_one(astronaut: np.ndarray) -> None:
    assert locate(astronaut, EYES + 200, [0]) == NotFound(elsewhere=1)
    assert locate(np.zeros((100, 100, 3), np.uint8), EYES, [0]) == NotFound(elsewhere=0)


def found(*boxes: Box) -> list[Detection]:
    return [Detection(box) for box in boxes]


def test_the_box_most_like_the_one_around_the_points_is_chosen() -> None:
    few = np.array([[1.0, 1.0], [9.0, 9.0], [12.0, 12.0]])  # the small box lacks one of them
    assert choose(found(SMALL, LARGE), few) == Detection(SMALL)
    assert choose(found(LARGE, SMALL), few) == Detection(SMALL)
    many = np.array([[1.0, 1.0], [9.0, 9.0], [50.0, 50.0]])
    assert choose(found(SMALL, LARGE), many) == Detection(LARGE)


def test_the_first_of_equal_boxes_is_chosen() -> None:
    points = points_on_a_line(1, 2)
    assert choose(found(SMALL, LARGE), points) == Detection(SMALL)


@pytest.mark.parametrize(("inside", "outside", "holds"), [(2, 2, True), (2, 3, False)])
def test_a_box_must_hold_at_least_half_of_the_points(
    inside: int, outside: int, holds: bool
) -> None:
    points = points_on_a_line(*[5.0] * inside, *[70.0] * outside)
    assert choose(found(SMALL), points) == (Detection(SMALL) if holds else None)


def test_no_box_is_chosen_from_none() -> None:
    assert choose([], points_on_a_line(1)) is None


def test_a_faces_five_points_stand_for_about_the_box_of_all(face: np.ndarray) -> None:
    whole, few = box_from_points(face), box_from_points(select(face, 5))
    assert abs(few.width - whole.width) < 0.15 * whole.width
    assert np.abs(np.subtract(few.centre, whole.centre)).max() < 0.1 * whole.width


def test_the_box_from_points_is_a_square_of_their_size_a_little_higher() -> None:
    box = box_from_points(np.array([[100.0, 200.0], [180.0, 245.0], *66 * [[120.0, 210.0]]]))
    size = 60  # the root of 80 * 45
    assert (box.width, box.height) == pytest.approx((1.027 * size, 1.027 * size))
    assert box.centre == pytest.approx((140 + 0.005 * size, 222.5 - 0.103 * size))


def test_the_box_from_points_is_about_the_detectors(astronaut: np.ndarray, model: Path) -> None:
    box = find_faces(astronaut, 0)[0].box
    guess = box_from_points(dlib_predictor.predict(astronaut, box, model))
    assert guess.width == pytest.approx(box.width, rel=0.12)
    assert guess.centre == pytest.approx(box.centre, abs=0.1 * box.width)


def test_a_predictor_may_be_a_files_path(tmp_path: Path) -> None:
    path = tmp_path / "own.dat"
    path.write_bytes(b"a model")
    assert predictor_file(Dlib(str(path), hashlib.sha256(b"a model").hexdigest())) == path


@pytest.mark.parametrize("name", ["no_such_package", "no/such/file.dat", ""])
def test_an_unknown_predictor_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"'{name}' is neither a file nor an installed pack"):
        predictor_file(Dlib(name, "0"))


def test_a_package_without_the_model_is_named() -> None:
    with pytest.raises(ModelError, match=r"package 'yaml' has no models/shape_predictor_68"):
        predictor_file(Dlib("yaml", "0"))


def test_a_predictor_with_another_hash_is_refused() -> None:
    with pytest.raises(ModelError, match=r"dlib\.sha256: .*\.dat has fbdc2cb8.*expected 0123"):
        predictor_file(Dlib("face_recognition_models", "0123"))


def test_the_commands_take_the_predictor_that_the_pipeline_takes() -> None:
    params = PARAMS
    assert config.load("dlib", Dlib, params) == dlib_predictor.PUBLISHED


def test_the_box_from_points_of_another_scheme_is_that_of_the_68_or_five(
    face: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert box_from_points(as_wflw(face)) == box_from_points(face)
    monkeypatch.setattr(
        "facealign.core.points._own", {3: Scheme("ears", (1, 0, 2), {}, ((0,), (1,)))}
    )
    with pytest.raises(InputError, match=r"^3 points \(ears\) cannot become 68 or 5"):
        box_from_points(np.ones((3, 2)))
