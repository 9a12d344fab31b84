import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign.core import images
from facealign.core.errors import ImageError
from facealign.core.geometry import Affine, Box, crop_map

RED_AND_BLUE = np.array([[[200, 10, 20], [30, 20, 210]]], dtype=np.uint8)


def encoded(suffix: str, picture: np.ndarray) -> bytes:
    return bytes(cv2.imencode(suffix, picture)[1])


def read(folder: Path, name: str, contents: bytes) -> np.ndarray:
    (folder / name).write_bytes(contents)
    return images.read(folder / name)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def gradient(height: int, width: int) -> np.ndarray:
    """Red grows with x, green with y, and neither reaches 0 or 255."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    picture = np.stack([20 + 200 * x / width, 30 + 190 * y / height, 0 * x], axis=-1)
    return picture.round().astype(np.uint8)


def test_colours_come_as_red_green_blue(tmp_path: Path) -> None:
    picture = read(tmp_path, "a.png", encoded(".png", RED_AND_BLUE[..., ::-1]))
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, RED_AND_BLUE)


def test_grey_becomes_three_equal_colours(tmp_path: Path) -> None:
    picture = read(tmp_path, "a.png", encoded(".png", np.array([[7, 200]], np.uint8)))
    np.testing.assert_array_equal(picture, [[[7] * 3, [200] * 3]])


def test_transparency_is_left_out(tmp_path: Path) -> None:
    rgba = np.dstack([RED_AND_BLUE[..., ::-1], np.array([[0, 128]], np.uint8)])
    np.testing.assert_array_equal(read(tmp_path, "a.png", encoded(".png", rgba)), RED_AND_BLUE)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_become_eight(tmp_path: Path, suffix: str) -> None:
    deep = RED_AND_BLUE[..., ::-1].astype(np.uint16) * 257
    np.testing.assert_array_equal(read(tmp_path, "a" + suffix, encoded(suffix, deep)), RED_AND_BLUE)


@pytest.mark.parametrize("suffix", sorted(images.SUFFIXES))
def test_every_suffix_that_counts_as_a_picture_can_be_read(tmp_path: Path, suffix: str) -> None:
    smooth = gradient(24, 40)
    picture = read(tmp_path, "a" + suffix, encoded(suffix, smooth[..., ::-1]))
    assert np.abs(picture.astype(int) - smooth).mean() < 4


def test_a_turn_noted_in_exif_is_carried_out(tmp_path: Path) -> None:
    jpeg = encoded(".jpg", gradient(16, 40)[..., ::-1])
    turned = bytes.fromhex("4d4d002a 00000008 0001 0112 0003 00000001 0006 0000 00000000")
    segment = b"Exif\0\0" + turned  # Orientation 6: turn right to see it upright
    app1 = b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment
    picture = read(tmp_path, "a.jpg", jpeg[:2] + app1 + jpeg[2:])
    upright = np.rot90(read(tmp_path, "b.jpg", jpeg), -1)
    assert picture.shape == (40, 16, 3)
    np.testing.assert_array_equal(picture, upright)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tif"])
@pytest.mark.parametrize("left", [0.3, 0.9])
def test_a_picture_cut_short_is_refused(tmp_path: Path, suffix: str, left: float) -> None:
    whole = encoded(suffix, noise(60, 80))
    with pytest.raises(ImageError, match=rf"a\{suffix}: "):
        read(tmp_path, "a" + suffix, whole[: int(left * len(whole))])


@pytest.mark.parametrize("contents", [b"", b"a text, no picture\n", b"\xff\xd8\xff\xd9", b"GIF89a"])
def test_what_is_no_picture_is_refused(tmp_path: Path, contents: bytes) -> None:
    with pytest.raises(ImageError, match=r"a\.jpg: not a picture that can be read"):
        read(tmp_path, "a.jpg", contents)


def test_a_picture_of_too_many_pixels_is_refused_by_its_header(tmp_path: Path) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 32_000, 32_000, 8, 2, 0, 0, 0)
    chunks = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    chunks += b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    with pytest.raises(
        ImageError, match=r"a\.png: more than 200000000 pixels.*OPENCV_IO_MAX_IMAGE_PIXELS"
    ):
        read(tmp_path, "a.png", b"\x89PNG\r\n\x1a\n" + chunks)


def test_pipes_devices_and_broken_links_are_found_but_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    (tmp_path / "broken.jpg").symlink_to("absent")
    found = images.find_pictures(tmp_path)
    assert [path.name for path in found] == ["broken.jpg", "pipe.jpg", "zero.jpg"]
    for path, problem in zip(
        found, ["No such file", "not a regular", "not a regular"], strict=True
    ):
        with pytest.raises(ImageError, match=rf"{path.name}: {problem}"):
            images.read(path)


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"absent\.jpg: No such file"):
        images.read(tmp_path / "absent.jpg")


def test_the_identity_copies_the_picture() -> None:
    picture = noise(30, 30)
    np.testing.assert_array_equal(images.warp(picture, Affine.identity(), 30), picture)


def test_a_shift_by_whole_pixels_is_exact() -> None:
    picture = noise(40, 60)
    crop = images.warp(picture, Affine.translation(-25, -7), 30)
    np.testing.assert_array_equal(crop, picture[7:37, 25:55])


def test_half_a_pixel_averages_two_neighbours() -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:, 4] = 100
    crop = images.warp(picture, Affine.translation(0.5, 0), 8)
    np.testing.assert_allclose(crop[3, :, 0], [0, 0, 0, 0, 50, 50, 0, 0], atol=1)


def test_outside_the_picture_its_border_is_continued() -> None:
    picture = noise(20, 20)
    crop = images.warp(picture, Affine.translation(5, 5), 30)
    np.testing.assert_array_equal(crop, np.pad(picture, ((5, 5), (5, 5), (0, 0)), mode="edge"))


@pytest.mark.parametrize("factor", [1.5, 2, 3, 7, 7.9])
@pytest.mark.parametrize("size", [(500, 431), (347, 613)])
def test_a_shrunk_gradient_keeps_its_values_at_the_right_place(
    factor: float, size: tuple[int, int]
) -> None:
    height, width = size
    side = 40
    # the crop's middle shows the picture's (width / 2 + 3, height / 2 - 5)
    middle = Affine.translation((side - 1) / 2, (side - 1) / 2)
    to_crop = (
        middle
        @ Affine.similarity(1 / factor, 10)
        @ Affine.translation(-(width / 2 + 3), -(height / 2 - 5))
    )
    picture = gradient(height, width)
    crop = images.warp(picture, to_crop, side).astype(float)
    # OpenCV rounds halves up, which the negative picture cancels
    crop = (crop + 255 - images.warp(255 - picture, to_crop, side)) / 2
    pixels = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    x, y = to_crop.inverse()(pixels.astype(float)).T
    inside = (factor < x) & (x < width - factor) & (factor < y) & (y < height - factor)
    red, green = (20 + 200 * x / width, 30 + 190 * y / height)
    seen = crop.reshape(-1, 3)[inside]
    assert inside.sum() > 1000
    # half a pixel of the picture makes 0.23 in red for a width of 431
    np.testing.assert_allclose(seen[:, 0].mean(), red[inside].mean(), atol=0.08)
    np.testing.assert_allclose(seen[:, 1].mean(), green[inside].mean(), atol=0.08)
    np.testing.assert_allclose(seen[:, 0], red[inside], atol=1.3)
    np.testing.assert_allclose(seen[:, 1], green[inside], atol=1.3)


def test_shrinking_by_whole_blocks_averages_every_pixel() -> None:
    picture = noise(7 * 20, 7 * 20)
    # small pixel i covers 7 i to 7 i + 6, so its middle is 7 i + 3
    crop = images.warp(picture, Affine.similarity(1 / 7) @ Affine.translation(-3, -3), 20)
    blocks = picture.reshape(20, 7, 20, 7, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(crop[2:-2, 2:-2], blocks[2:-2, 2:-2], atol=1)


@pytest.mark.parametrize("scale", [1.0, 0.3, 0.11])
@pytest.mark.parametrize(
    ("centre", "corner"), [((-9e3, -9e3), (0, 0)), ((9e3, 9e3), (-1, -1)), ((9e3, -9e3), (0, -1))]
)
def test_a_crop_wholly_outside_shows_the_nearest_corner(
    scale: float, centre: tuple[float, float], corner: tuple[int, int]
) -> None:
    picture = np.full((33, 45, 3), 90, np.uint8)
    picture[:16, :20], picture[:16, 20:], picture[16:, 20:] = (50, 1, 2), (3, 100, 4), (5, 6, 150)
    to_crop = Affine.similarity(scale) @ Affine.translation(-centre[0], -centre[1])
    crop = images.warp(picture, to_crop, 16)
    np.testing.assert_array_equal(crop, np.broadcast_to(picture[corner], crop.shape))


@pytest.mark.parametrize("shape", [(1, 1), (1, 100), (100, 1), (3, 97)])
def test_a_picture_thinner_than_a_block_can_be_shrunk(shape: tuple[int, int]) -> None:
    picture = np.full((*shape, 3), (1, 2, 3), np.uint8)
    crop = images.warp(picture, Affine.similarity(1 / 7), 10)
    np.testing.assert_array_equal(crop, np.broadcast_to((1, 2, 3), (10, 10, 3)))


def test_a_box_a_million_times_as_large_as_its_picture_takes_little_memory() -> None:
    """Whole blocks of it would take a terabyte."""
    picture = np.full((40, 60, 3), 50, np.uint8)
    picture[:, 30:] = 100
    crop = images.warp(picture, crop_map(Box(-1e7, -1e7, 1e7, 1e7), 0.1, 8), 8)
    np.testing.assert_array_equal(crop, np.full((8, 8, 3), 75))


@pytest.mark.parametrize("factor", [1.3, 0.7, 0.45, 0.31, 0.12])
@pytest.mark.parametrize("corner", [(40.0, 30.0), (-25.3, 11.7), (300.2, 251.9)])
def test_what_is_cut_without_a_rim_is_the_same_as_inside_of_it(
    factor: float, corner: tuple[float, float]
) -> None:
    """A network must not see other pixels in use than those that it learnt from."""
    picture, size, rim = cv2.GaussianBlur(noise(480, 640), (0, 0), 1), 40, 10
    to_crop = Affine.similarity(factor) @ Affine.translation(-corner[0], -corner[1])
    wide = images.warp(picture, Affine.translation(rim, rim) @ to_crop, size + 2 * rim)
    cut = images.warp(picture, to_crop, size, rim)
    apart = np.abs(wide[rim:-rim, rim:-rim].astype(int) - cut)
    assert apart.max() <= 2 and apart.mean() < 0.1


def test_pictures_are_found_by_suffix_in_all_folders_below_but_not_hidden_ones(
    tmp_path: Path,
) -> None:
    for name in ("b.JPG", "a/c.png", "a/._c.png", ".d.png", "a/c.pts", "notes.txt", ".png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    found = images.find_pictures(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a/c.png", "b.JPG"]
