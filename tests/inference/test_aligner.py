"""The way from a picture to its faces, with the released weights."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from facealign import Aligner, Box, Face, FacealignError
from facealign.faces import dlib_predictor
from facealign.inference import benchmark
from facealign.inference.aligner import WEIGHTS, as_dict, released


@pytest.fixture(scope="module")
def aligner() -> Aligner:
    return Aligner(threads=1)


@pytest.fixture(scope="module")
def portraits() -> list[tuple[np.ndarray, Box]]:
    return benchmark.portraits(6)


def apart(one: Face, other: Face) -> float:
    """Mean distance of the points as a share of the box's side."""
    return float(np.linalg.norm(one.points - other.points, axis=1).mean() / one.box.width)


def test_the_astronauts_face_is_found_as_dlib_finds_it(
    aligner: Aligner, astronaut: np.ndarray, model: Path
) -> None:
    (face,) = aligner.predict(astronaut)
    by_dlib = dlib_predictor.predict(astronaut, face.box, model)
    assert np.linalg.norm(face.points - by_dlib, axis=1).mean() < 0.03 * face.box.width
    assert face.scores is not None and face.scores.shape == (68,)
    assert (face.scores > 0).all() and (face.scores <= 1).all()
    assert face.pose and abs(face.pose.yaw) < 10 and abs(face.pose.roll) < 10


def test_five_points_have_no_pose(aligner: Aligner, astronaut: np.ndarray) -> None:
    (face,) = aligner.predict(astronaut)
    five = Face(face.box, face.points[:5], None)
    assert five.pose is None and as_dict(five)["pose"] is None


def test_a_model_must_be_a_name_or_a_path() -> None:
    with pytest.raises(FacealignError, match="model: 3, expected a name or a path"):
        Aligner(model=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", released())
def test_all_that_is_released_finds_the_astronauts_points(
    name: str, astronaut: np.ndarray, model: Path
) -> None:
    (face,) = Aligner(name, threads=1).predict(astronaut)
    by_dlib = dlib_predictor.predict(astronaut, face.box, model)
    assert np.linalg.norm(face.points - by_dlib, axis=1).mean() < 0.03 * face.box.width
    assert (WEIGHTS / f"{name}.onnx").stat().st_size < 16e6


def test_a_given_box_is_taken_and_nothing_is_looked_for(
    aligner: Aligner, astronaut: np.ndarray
) -> None:
    (found,) = aligner.predict(astronaut)
    (same,) = aligner.predict(astronaut, [found.box])
    np.testing.assert_array_equal(same.points, found.points)
    assert aligner.predict(astronaut, []) == []
    moved = Box(*(edge + 3 for edge in vars(found.box).values()))
    (near,) = aligner.predict(astronaut, [moved])
    assert near.box == moved and 0 < apart(found, near) < 0.03


def test_a_batch_gives_each_picture_its_own_faces(
    aligner: Aligner, portraits: list[tuple[np.ndarray, Box]], astronaut: np.ndarray
) -> None:
    empty = np.zeros((90, 120, 3), np.uint8)
    pictures = [portraits[0][0], empty, astronaut, portraits[1][0]]
    together = aligner.predict_batch(pictures)
    assert [len(faces) for faces in together] == [1, 0, 1, 1]
    for picture, faces in zip(pictures, together, strict=True):
        for face, alone in zip(faces, aligner.predict(picture), strict=True):
            np.testing.assert_allclose(face.points, alone.points, atol=1e-3)
    with pytest.raises(FacealignError, match="1 lists of boxes for 2 pictures"):
        aligner.predict_batch([astronaut, empty], [[]])


@pytest.mark.parametrize("name", ["grey", "grey3", "rgba", "16 bit", "strided"])
def test_other_arrays_give_the_same_face(
    aligner: Aligner, astronaut: np.ndarray, name: str
) -> None:
    grey = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)
    picture = {
        "grey": grey,
        "grey3": grey[:, :, None],
        "rgba": cv2.cvtColor(astronaut, cv2.COLOR_RGB2RGBA),
        "16 bit": astronaut.astype(np.uint16) * 257,
        "strided": np.ascontiguousarray(astronaut[:, :, ::-1])[:, :, ::-1],
    }[name]
    (face,) = aligner.predict(picture)
    (plain,) = aligner.predict(astronaut)
    assert apart(plain, face) < (0.02 if "grey" in name else 1e-6)


@pytest.mark.parametrize(
    "picture",
    [np.zeros((4, 4), np.float32), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4, 3), np.uint8)],
    ids=["floats", "two channels", "empty"],
)
def test_an_array_that_is_no_picture_is_an_error(aligner: Aligner, picture: np.ndarray) -> None:
    with pytest.raises(FacealignError, match=r"a picture of shape \(.*\) and .*, expected"):
        aligner.predict(picture)


def test_files_of_other_kinds_give_the_same_face(
    aligner: Aligner, astronaut: np.ndarray, tmp_path: Path
) -> None:
    (plain,) = aligner.predict(astronaut)
    image = Image.fromarray(astronaut)
    turned = Image.Exif()
    turned[0x0112] = 6  # shown turned by a quarter clockwise
    image.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    image.rotate(90, expand=True).save(tmp_path / "лицо 1.jpg", quality=95, exif=turned)
    cv2.imwrite(str(tmp_path / "deep.png"), astronaut[:, :, ::-1].astype(np.uint16) * 257)
    image.convert("RGBA").save(tmp_path / "alpha.png")
    for path in sorted(tmp_path.iterdir()):
        face = min(aligner.predict(path), key=lambda face: apart(plain, face))
        assert apart(plain, face) < 0.03, path.name


@pytest.mark.parametrize("shape", [(1, 1), (3, 12_000), (900, 12_000)])
def test_pictures_of_odd_sizes_without_a_face_have_none(
    aligner: Aligner, shape: tuple[int, int]
) -> None:
    assert aligner.predict(np.full(shape, 90, np.uint8)) == []


def test_fifty_faces_are_fifty(aligner: Aligner, portraits: list[tuple[np.ndarray, Box]]) -> None:
    tiles = [cv2.resize(picture, (480, 360)) for picture, _ in portraits]
    rows = [np.hstack([tiles[(row + i) % len(tiles)] for i in range(10)]) for row in range(5)]
    faces = aligner.predict(np.vstack(rows))
    assert len(faces) >= 49
    places = {(int(face.box.centre[0] // 480), int(face.box.centre[1] // 360)) for face in faces}
    assert len(places) >= 49


def test_a_model_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        FacealignError, match=r"'nets': neither a file \(.onnx, .pt\) nor one of .*cascade"
    ):
        Aligner("nets")
    with pytest.raises(FacealignError, match=r"gone.onnx: .*no such file"):
        Aligner(tmp_path / "gone.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"nothing")
    with pytest.raises(FacealignError, match=r"broken.onnx: not a network of facealign: "):
        Aligner(broken)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"upsample": 1}, "upsample: 1, expected whole numbers from 0 on"),
        ({"upsample": ()}, "upsample: "),
        ({"upsample": (0, -1)}, "upsample: "),
        ({"upsample": (0.5,)}, "upsample: "),
        ({"threads": -1}, "threads: -1, expected None or a whole number from 1 on"),
        ({"threads": "two"}, "threads: 'two'"),
    ],
)
def test_settings_that_make_no_sense_are_errors(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(FacealignError, match=re.escape(said)):
        Aligner(**settings)


@pytest.mark.parametrize(
    ("boxes", "said"),
    [
        ([(1, 2, 30, 40)], "box (1, 2, 30, 40), expected Box(left, top, right, bottom)"),
        (Box(1, 2, 30, 40), "expected a list of Box"),
        ([Box(30, 2, 1, 40)], "expected left < right and top < bottom"),
        ([Box(1, 2, float("nan"), 40)], "expected left < right"),
        ([Box(1, 2, float("inf"), 40)], "expected left < right"),
    ],
)
def test_boxes_that_are_none_are_errors(
    aligner: Aligner, astronaut: np.ndarray, boxes: Any, said: str
) -> None:
    with pytest.raises(FacealignError, match=re.escape(said)):
        aligner.predict(astronaut, boxes)


@pytest.mark.parametrize("picture", [None, 3, [[1, 2], [3, 4]]])
def test_a_picture_of_another_type_is_an_error(aligner: Aligner, picture: Any) -> None:
    with pytest.raises(FacealignError, match="expected a numpy array or a path"):
        aligner.predict(picture)


def test_one_path_is_no_batch(aligner: Aligner) -> None:
    with pytest.raises(FacealignError, match=r"pictures: 'photo.jpg', expected a list of them"):
        aligner.predict_batch("photo.jpg")


def test_points_with_low_scores_are_farther_off(
    aligner: Aligner, portraits: list[tuple[np.ndarray, Box]]
) -> None:
    """Covered points are doubted more than those that are seen."""
    picture, box = portraits[0]
    (seen,) = aligner.predict(picture, [box])
    covered = picture.copy()
    x, y = seen.points[57]
    half = 0.2 * box.width
    covered[int(y - half) : int(y + half), int(x - 2 * half) : int(x + 2 * half)] = 30
    (hidden,) = aligner.predict(covered, [box])
    assert seen.scores is not None and hidden.scores is not None
    assert hidden.scores[48:].mean() < 0.8 * seen.scores[48:].mean()
    assert hidden.scores[36:48].mean() > 0.8 * seen.scores[36:48].mean()


def test_to_import_the_package_loads_next_to_nothing() -> None:
    code = (
        "import facealign, sys; "
        "print(sorted({'cv2', 'numpy', 'torch', 'yaml', 'onnxruntime'} & set(sys.modules)))\n"
        "facealign.Aligner; "
        "print(sorted({'torch', 'yaml', 'matplotlib', 'dvc', 'mlflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n[]\n"
