from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign.core.errors import InputError
from facealign.core.faces import Faces
from facealign.core.geometry import Affine, Box, crop_map
from facealign.faces.cropping import Crop, Crops, load_crops, make_crops, with_rim
from tests.helpers import smallest_files

BOX = Box(179, 83, 266, 170)  # dlib's for the astronaut
CROP = Crop(region="face", size=48, margin=0.1, context=0.25)
NAMES = ("300W/train/a.png", "300W/test/b.jpg", "Menpo/train/c.png")


def face_in(box: Box, face: np.ndarray) -> np.ndarray:
    return face * box.width / 200 + box.centre


@pytest.fixture
def faces(tmp_path: Path, astronaut: np.ndarray, face: np.ndarray) -> Faces:
    """Three pictures under tmp_path, the third of them cut off within the crop."""
    moves = ((0, 0), (40, 30), (170, 75))
    boxes = []
    for name, (x, y) in zip(NAMES, moves, strict=True):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / name), astronaut[y:260, x:300, ::-1])
        boxes.append(Box(BOX.left - x, BOX.top - y, BOX.right - x + 8, BOX.bottom - y))
    return located(NAMES, boxes, face)


def located(names: Sequence[str], boxes: Sequence[Box], face: np.ndarray) -> Faces:
    return Faces.of(
        names,
        box=np.array([box.corners for box in boxes]),
        points=np.array([face_in(box, face) for box in boxes]),
        weight=np.ones(len(names)),
        source=["upsample 0"] * len(names),
    )


@pytest.fixture
def crops(tmp_path: Path, faces: Faces) -> Crops:
    make_crops(tmp_path, faces, CROP, tmp_path / "crops")
    return load_crops(tmp_path / "crops")


def test_crops_are_stored_with_their_rim_in_the_faces_order(
    crops: Crops, faces: Faces, astronaut: np.ndarray
) -> None:
    assert crops.images == list(NAMES)
    assert crops.pixels.shape == (3, 72, 72, 3)
    picture = astronaut[:260, :300]
    np.testing.assert_array_equal(
        crops.pixels[0], with_rim(picture, crop_map(faces.box(0), 0.1, 48), 48, 12)
    )


def test_rows_are_found_by_their_split(crops: Crops) -> None:
    assert crops.rows("train").tolist() == [0, 2]
    assert crops.rows("test").tolist() == [1]


def test_points_and_maps_lead_back_to_the_picture(crops: Crops, faces: Faces) -> None:
    for points, matrix, own in zip(crops.points, crops.maps, faces.points, strict=True):
        back = Affine(matrix).inverse()(points)
        np.testing.assert_allclose(back, own, rtol=0, atol=1e-9)


def test_points_are_counted_in_the_inputs_pixels(crops: Crops, faces: Faces) -> None:
    # the box is 95 wide and widened by a tenth on each side: 114 px become 48
    middle = np.array(faces.box(0).centre)
    expected = (faces.points[0] - middle) * 48 / 114 + 23.5
    np.testing.assert_allclose(crops.points[0], expected, rtol=0, atol=1e-9)


def test_the_normaliser_is_the_boxes_size_in_the_inputs_pixels(crops: Crops) -> None:
    assert crops.normalisers == pytest.approx([np.sqrt(95 * 87) * 48 / 114] * 3)


def test_mean_and_deviation_are_those_of_the_train_crops_without_their_rim(crops: Crops) -> None:
    inner = crops.pixels[[0, 2], 12:60, 12:60].reshape(-1, 3).astype(np.float64)
    assert crops.stats.mean == pytest.approx(inner.mean(axis=0), rel=1e-9)
    assert crops.stats.std == pytest.approx(inner.std(axis=0), rel=1e-9)
    assert (crops.stats.size, crops.stats.margin, crops.stats.border) == (48, 0.1, 12)


def test_what_is_read_back_is_what_was_made(tmp_path: Path, faces: Faces) -> None:
    made = make_crops(tmp_path, faces, CROP, tmp_path / "crops")
    assert load_crops(tmp_path / "crops").stats == made


def test_making_crops_again_gives_the_same_bytes(tmp_path: Path, faces: Faces) -> None:
    for name in ("one", "two"):
        make_crops(tmp_path, faces, CROP, tmp_path / name)
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("one", "two")
    )
    assert one.keys() == {"pixels.npy", "index.csv", "stats.json"}
    assert one == two


@pytest.mark.parametrize("side", [30, 60, 400])
def test_a_marker_in_the_picture_lands_at_its_mapped_place(side: int) -> None:
    picture = np.zeros((500, 640, 3), np.uint8)
    box = Box(100.0, 60.0, 100.0 + side, 50.0 + side)
    marker = np.array([100 + 0.6 * side, 60 + 0.3 * side]).round()
    half = side // 20
    x, y = marker.astype(int)
    picture[y - half : y + half + 1, x - half : x + half + 1] = 250
    crop = with_rim(picture, crop_map(box, 0.1, 48), 48, 12)[..., 0].astype(float)
    rows, columns = np.indices(crop.shape)
    seen = np.array([(columns * crop).sum(), (rows * crop).sum()]) / crop.sum()
    expected = (marker - box.centre) * 48 / (1.2 * side) + 23.5 + 12
    np.testing.assert_allclose(seen, expected, atol=0.1)


def test_beyond_the_picture_its_border_is_continued() -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:, :] = np.arange(60, dtype=np.uint8)[:, None]
    crop = with_rim(picture, crop_map(Box(-10.0, 0.0, 30.0, 40.0), 0, 40), 40, 0)
    # the crop begins at -9.5
    np.testing.assert_array_equal(crop[5, :10], 0)
    np.testing.assert_allclose(crop[5, 12:, 0], np.arange(12, 40) - 9.5, atol=0.51)


def test_a_crop_without_context_has_no_rim(tmp_path: Path, faces: Faces) -> None:
    stats = make_crops(tmp_path, faces, Crop("face", 48, 0.1, 0), tmp_path / "crops")
    assert stats.border == 0
    assert load_crops(tmp_path / "crops").pixels.shape == (3, 48, 48, 3)


def test_a_picture_of_one_colour_has_no_deviation(tmp_path: Path, face: np.ndarray) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((90, 90, 3), (3, 101, 77), np.uint8))
    (tmp_path / "300W" / "train").mkdir(parents=True)
    (tmp_path / "a.png").rename(tmp_path / NAMES[0])
    box = Box(20, 20, 70, 70)
    faces = located(NAMES[:1], [box], face)
    stats = make_crops(tmp_path, faces, CROP, tmp_path / "crops")
    assert (stats.mean, stats.std) == ((77, 101, 3), (0, 0, 0))


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path: Path, faces: Faces) -> None:
    with smallest_files(), pytest.raises(InputError, match=r"pixels\.npy: File too large$"):
        make_crops(tmp_path, faces, CROP, tmp_path / "crops")
    assert not list((tmp_path / "crops").iterdir())


@pytest.mark.parametrize("column", ["m00", "normaliser"])
@pytest.mark.parametrize("value", ["0", "1e308"])
def test_an_index_with_the_map_of_no_crop_is_refused(
    tmp_path: Path, faces: Faces, column: str, value: str
) -> None:
    make_crops(tmp_path, faces, CROP, tmp_path / "crops")
    index = tmp_path / "crops" / "index.csv"
    names, row, *others = index.read_text(encoding="utf-8").splitlines()
    cells = dict(zip(names.split(","), row.split(","), strict=True))
    cells |= {"m00": value, "m11": value} if column == "m00" else {column: "-" + value}
    index.write_text("\n".join([names, ",".join(cells.values()), *others]), encoding="utf-8")
    with pytest.raises(InputError, match=r"index\.csv: a map or a normaliser of a face without"):
        load_crops(tmp_path / "crops")


def test_without_a_train_face_there_is_nothing_to_learn_from(tmp_path: Path, faces: Faces) -> None:
    with pytest.raises(InputError, match="no face was found in any train picture"):
        make_crops(tmp_path, faces.where(split="test"), CROP, tmp_path / "crops")
    assert not (tmp_path / "crops").exists()


def test_a_whole_frame_is_cropped_and_other_pictures_as_wide_around_their_faces(
    tmp_path: Path, faces: Faces
) -> None:
    frames = faces.with_columns(size=np.array([[300, 260]] * 3))
    stats = make_crops(tmp_path, frames, replace(CROP, region="frame", margin=0), tmp_path / "all")
    crops = load_crops(tmp_path / "all")
    # the frame's corners are the input's edges, a pixel's half outside of its centres
    corners = Affine(crops.maps[0])(np.array([[-0.5, 19.5], [299.5, 239.5]]))
    np.testing.assert_allclose(corners[:, 0], [-0.5, 47.5], atol=1e-9)
    # as much of a picture as the frame had around the rectangle of 95 pixels
    assert stats.margin == pytest.approx((300 / 95 - 1) / 2)
    np.testing.assert_allclose(crops.normalisers, (95 * 87) ** 0.5 * 48 / 300)
