"""Pictures as uint8 RGB arrays (height, width, 3), and the one way to warp them."""

import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from facealign.core.errors import ImageError, InputError
from facealign.core.files import atomic_write
from facealign.core.geometry import Affine

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
MAX_BYTES = 2_000_000_000  # of a file; an uncompressed picture of MAX_PIXELS has 600 MB
MAX_PIXELS = "OPENCV_IO_MAX_IMAGE_PIXELS"  # the variable of the limit that `facealign` sets


def is_picture(path: Path, suffixes: frozenset[str] = SUFFIXES) -> bool:
    """Whether it is one by its name. macOS puts a hidden ._x.jpg, no picture, beside an x.jpg."""
    return path.suffix.lower() in suffixes and not path.name.startswith(".")


def find_pictures(folder: Path) -> list[Path]:
    """All pictures below the folder, sorted by path.

    A pipe or a broken link with such a name is among them: `read` refuses it, by name.
    """
    return list(walk(folder))


def walk(folder: Path) -> Iterator[Path]:
    """The same, listed as they are needed."""
    try:
        with os.scandir(folder) as entries:
            inside = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror}") from None
    for entry in inside:
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from walk(path)
        elif is_picture(path) and not entry.is_dir():
            yield path


def read(path: Path) -> np.ndarray:
    """As 8-bit RGB, whatever the depth and the channels, with the EXIF orientation applied."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for its writer
            raise ImageError(f"{path}: not a regular file")
        if status.st_size > MAX_BYTES:
            raise ImageError(f"{path}: more than {MAX_BYTES / 1e9:g} GB, too large for a picture")
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}") from None
    return decode(data, path)


def decode(data: bytes, path: Path) -> np.ndarray:
    """The picture in a file's bytes; `path` names it in errors."""
    # OpenCV fills the missing part of a truncated JPEG with grey, without an error. The end marker
    # is searched for in the second half only, because an embedded thumbnail near the start has one,
    # too; what cameras append after the picture is short.
    if data[:2] == b"\xff\xd8" and b"\xff\xd9" not in data[len(data) // 2 :]:
        raise ImageError(f"{path}: the JPEG is cut short")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        if "CV_IO_MAX_IMAGE" in str(error):  # found in the header, before the pixels are decoded
            limit = os.environ[MAX_PIXELS]
            raise ImageError(
                f"{path}: more than {limit} pixels; to raise the limit, set {MAX_PIXELS}"
            ) from None
        image = None
    if image is None:
        raise ImageError(f"{path}: not a picture that can be read")
    return image


def as_rgb(array: np.ndarray) -> np.ndarray:
    """A caller's array, grey, RGB or RGBA of uint8 or uint16, as 8-bit RGB."""
    grey = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    fits = grey.ndim == 2 or (grey.ndim == 3 and grey.shape[2] in (3, 4))
    if not fits or not array.size or array.dtype not in (np.uint8, np.uint16):
        raise ImageError(
            f"a picture of shape {array.shape} and {array.dtype}, expected (height, width), "
            "(height, width, 3) in RGB order or (height, width, 4), of uint8 or uint16"
        )
    if grey.dtype == np.uint16:
        grey = (grey >> 8).astype(np.uint8)
    if grey.ndim == 2:
        return np.repeat(grey[:, :, None], 3, axis=2)
    return np.ascontiguousarray(grey[:, :, :3])


def encode(suffix: str, image: np.ndarray) -> bytes:
    """A file's contents, in the format of the suffix."""
    done, data = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    assert done
    return data.tobytes()


def write(path: Path, image: np.ndarray) -> None:
    """In the format of the suffix."""
    data = encode(path.suffix, image)
    with atomic_write(path) as part:
        part.write_bytes(data)


def warp(image: np.ndarray, to_crop: Affine, size: int, rim: int = 0) -> np.ndarray:
    """A `size` x `size` crop; outside the picture its border pixels are repeated.

    Bilinear sampling skips pixels when it shrinks by more than two, so the picture is first
    averaged over whole blocks of pixels, none larger than the picture. `rim` aligns the blocks as
    for a crop with that many pixels more on each side, so that this crop equals the inner part of
    the larger one.

    The same picture and map give the same bytes on every x86-64 processor; cv2.warpAffine does not.
    """
    image, to_crop = _surroundings(image, to_crop, size, max(1, int(1 / to_crop.scale)), rim)
    places = np.arange(size, dtype=np.float64)
    x, y = (
        np.add.outer(
            (down * places + start).astype(np.float32), (right * places).astype(np.float32)
        )
        for right, down, start in to_crop.inverse().matrix
    )
    return sample(image, x, y, cv2.BORDER_REPLICATE)


def sample(
    image: np.ndarray, x: np.ndarray, y: np.ndarray, border: int, beyond: float = 0.0
) -> np.ndarray:
    """Bilinear interpolation at float32 places, rounded to 32nds of a pixel.

    So it is exact in OpenCV, unlike at floats, whose multiplications and additions the processor
    may fuse.
    """
    places = cv2.convertMaps(x, y, cv2.CV_16SC2)
    return cv2.remap(image, *places, cv2.INTER_LINEAR, borderMode=border, borderValue=beyond)


def _surroundings(
    image: np.ndarray, to_crop: Affine, size: int, block: int, rim: int
) -> tuple[np.ndarray, Affine]:
    """What the crop needs of the picture, averaged over block x block pixels, and its map."""
    height, width = image.shape[:2]
    # a box may be a million times as large as its picture
    wide, high = min(block, width), min(block, height)
    left, right = _span(to_crop, size, wide, rim, 0, width)
    top, bottom = _span(to_crop, size, high, rim, 1, height)
    image = image[top:bottom, left:right]
    if block > 1:
        # whole blocks only: the border grows by less than one block
        below, beside = -image.shape[0] % high, -image.shape[1] % wide
        image = cv2.copyMakeBorder(image, 0, below, 0, beside, cv2.BORDER_REPLICATE)
        smaller = image.shape[1] // wide, image.shape[0] // high
        image = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA)
    # the centre of small pixel i lies at wide * i + (wide - 1) / 2 of the part, from its left
    x, y = left + (wide - 1) / 2, top + (high - 1) / 2
    return image, to_crop @ Affine(np.array([[wide, 0.0, x], [0.0, high, y]]))


def _span(
    to_crop: Affine, size: int, block: int, rim: int, axis: int, length: int
) -> tuple[int, int]:
    """The pixels of the picture, along x or y, that the crop may need: at least one."""
    across, down, start = to_crop.inverse().matrix[axis].tolist()

    def ends(rim: int) -> tuple[int, int]:
        edges = (-0.5 - rim, size - 0.5 + rim)
        seen = [across * x + down * y + start for x in edges for y in edges]
        low, high = math.floor(min(seen)) - 2 * block, math.ceil(max(seen)) + 2 * block
        return min(max(low, 0), length - 1), min(max(high, 0), length)

    (low, high), (first, _) = ends(0), ends(rim)
    low = first + (low - first) // block * block
    return low, max(high, low + 1)
