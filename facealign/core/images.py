"""Pictures as uint8 RGB arrays (height, width, 3), and the one way to warp them."""

from pathlib import Path

import cv2
import numpy as np

from facealign.core.errors import ImageError
from facealign.core.files import atomic_write
from facealign.core.geometry import Affine

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})


def is_picture(path: Path) -> bool:
    """Whether it is one by its name. macOS puts a hidden ._x.jpg, no picture, beside an x.jpg."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def find_pictures(folder: Path) -> list[Path]:
    """All pictures below the folder, sorted by path."""
    return sorted(path for path in folder.rglob("*") if is_picture(path) and path.is_file())


def read(path: Path) -> np.ndarray:
    """As 8-bit RGB, whatever the depth and the channels, with the EXIF orientation applied."""
    try:
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
    except cv2.error:  # an empty file, or more pixels than OpenCV's limit
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


def write(path: Path, image: np.ndarray) -> None:
    """In the format of the suffix."""
    done, data = cv2.imencode(path.suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    assert done
    with atomic_write(path) as part:
        part.write_bytes(data.tobytes())


def warp(image: np.ndarray, to_crop: Affine, size: int, rim: int = 0) -> np.ndarray:
    """A `size` x `size` crop; outside the picture its border pixels are repeated.

    Bilinear sampling skips pixels when it shrinks by more than two, so the picture is first
    averaged over whole blocks of pixels. `rim` aligns the blocks as for a crop with that many
    pixels more on each side, so that this crop equals the inner part of the larger one.
    """
    scale = float(np.sqrt(abs(np.linalg.det(to_crop.matrix[:, :2]))))
    block = int(1 / scale)
    if block >= 2:
        image, to_crop = _shrink_around(image, to_crop, size, block, rim)
    matrix = to_crop.matrix
    return cv2.warpAffine(
        image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def _shrink_around(
    image: np.ndarray, to_crop: Affine, size: int, block: int, rim: int
) -> tuple[np.ndarray, Affine]:
    """Average what the crop needs of the picture over block x block pixels."""
    height, width = image.shape[:2]
    low, high = _surroundings(to_crop, size, block, 0)
    last = [width - 1, height - 1]
    first = np.clip(_surroundings(to_crop, size, block, rim)[0], 0, last)
    left, top = (first + (np.clip(low, 0, last) - first) // block * block).tolist()
    right, bottom = np.clip(high, 0, [width, height]).tolist()
    part = image[top : max(bottom, top + 1), left : max(right, left + 1)]
    # whole blocks only: the border grows by less than one block
    below, beside = -part.shape[0] % block, -part.shape[1] % block
    part = cv2.copyMakeBorder(part, 0, below, 0, beside, cv2.BORDER_REPLICATE)
    small = cv2.resize(
        part, (part.shape[1] // block, part.shape[0] // block), interpolation=cv2.INTER_AREA
    )
    # the centre of small pixel i lies at block * i + (block - 1) / 2 of the part
    middle = (block - 1) / 2
    to_image = Affine.translation(float(left) + middle, float(top) + middle) @ Affine.similarity(
        block
    )
    return small, to_crop @ to_image


def _surroundings(
    to_crop: Affine, size: int, block: int, rim: int
) -> tuple[np.ndarray, np.ndarray]:
    """First and last pixels (x, y) of the picture that a crop with this rim may need."""
    start, end = -0.5 - rim, size - 0.5 + rim
    corners = np.array([[start, start], [end, start], [start, end], [end, end]])
    seen = to_crop.inverse()(corners)
    return (
        np.floor(seen.min(axis=0)).astype(int) - 2 * block,
        np.ceil(seen.max(axis=0)).astype(int) + 2 * block,
    )
