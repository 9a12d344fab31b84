"""Crops of all faces in one array file, with the map from each picture to its crop.

A crop is the network's square input with a rim (`context`) around it, so that rotated and shifted
inputs show real pixels in training, too. Points and maps are in the input's pixels; the rim's
pixels lie before 0 and beyond `size`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

from facealign.core import config, images
from facealign.core.config import Range
from facealign.core.errors import ConfigError, InputError
from facealign.core.faces import Faces
from facealign.core.files import atomic_write, read_json, write_json
from facealign.core.geometry import Affine, Box, box_sizes, crop_map
from facealign.core.parallel import map_in_order
from facealign.core.tables import dataset_and_split

PIXELS, INDEX, STATS = "pixels.npy", "index.csv", "stats.json"
MAP_COLUMNS = ("m00", "m01", "m02", "m10", "m11", "m12")  # the matrix, row by row


@dataclass(frozen=True)
class Crop:
    """The section `crop` of params.yaml."""

    region: Literal["face", "frame"]
    size: Annotated[int, Range(16, 1024)]
    margin: Annotated[float, Range(-0.25, 2)]
    context: Annotated[float, Range(0, 1)]


@dataclass(frozen=True)
class Stats:
    """What a network must know of the crops that it was trained on, to be given the same ones."""

    size: Annotated[int, Range(8, 1024)]
    # by which dlib's rectangle is widened on each side, as a share of it; large for whole frames
    margin: Annotated[float, Range(-0.4, 100)]
    border: Annotated[int, Range(0, 1024)]  # pixels of rim
    mean: tuple[Annotated[float, Range(0, 255)], ...]  # of red, green, blue over the train crops
    std: tuple[Annotated[float, Range(0, 255)], ...]

    @staticmethod
    def of(values: Any, path: Path) -> Stats:
        """From a file's values, which are checked."""
        try:
            stats = config.convert(values, Stats, "stats", path)
        except ConfigError as error:
            raise InputError(str(error)) from None
        if len(stats.mean) != 3 or len(stats.std) != 3:
            raise InputError(f"{path}: expected mean and std of three colours")
        return stats


@dataclass(frozen=True, eq=False)
class Crops:
    images: list[str]
    pixels: np.ndarray  # (N, side, side, 3) uint8, memory-mapped; side = size + 2 * border
    maps: np.ndarray  # (N, 2, 3), image pixels -> input pixels
    points: np.ndarray  # (N, K, 2), input pixels
    normalisers: np.ndarray  # (N,), sqrt(H * W) of the rectangle in input pixels
    weights: np.ndarray  # (N,), how much each face counts in training: 1 if its points are true
    sources: list[str]  # as in `Faces`
    stats: Stats

    def rows(self, split: str) -> np.ndarray:
        return np.array(
            [i for i, image in enumerate(self.images) if dataset_and_split(image)[1] == split],
            np.int64,
        )


def make_crops(root: Path, faces: Faces, config: Crop, target: Path) -> Stats:
    """Write the crops of `faces`, with `box`, `points`, `weight` and `source`, and `size` for whole
    frames, into the folder `target`."""
    learnt = faces.splits == "train"
    if not learnt.any():
        raise InputError("no face was found in any train picture: nothing to learn from")
    boxes = [faces.box(row) for row in range(len(faces))]
    regions = boxes
    if config.region == "frame":
        regions = [Box.of_picture(*size) for size in faces["size"].tolist()]
    rolls = faces["roll"] if "roll" in faces.columns and regions is boxes else np.zeros(len(faces))
    to_input = [
        crop_map(region, config.margin, config.size, roll)
        for region, roll in zip(regions, rolls.tolist(), strict=True)
    ]
    places = list(zip(faces.images, to_input, strict=True))
    border = round(config.context * config.size)
    margin = config.margin
    if config.region == "frame":
        # the share that the frames show around the rectangle: other pictures are cropped alike
        sides = np.array([max(box.width, box.height) for box in boxes])
        inputs = np.array([config.size / one.matrix[0, 0] for one in to_input])
        margin = float(np.median((inputs / sides)[learnt]) - 1) / 2
    stats = store(root, places, learnt.tolist(), config.size, margin, border, target)
    _write_index(target / INDEX, faces, to_input)
    return stats


def store(
    root: Path,
    places: Sequence[tuple[str, Affine]],
    learnt: Sequence[bool],
    size: int,
    margin: float,
    border: int,
    target: Path,
) -> Stats:
    """Write each picture's crop, by the map from its pixels to the input's, into one array.

    The mean and deviation of the colours are those of the crops marked in `learnt`.
    """
    side = size + 2 * border
    total, squares, count = np.zeros(3, np.int64), np.zeros(3, np.int64), 0
    target.mkdir(parents=True, exist_ok=True)
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(places), side, side, 3)}
    try:
        # written in order and not through a memory map, which a full disk would end with SIGBUS
        with atomic_write(target / PIXELS) as part, part.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            work = partial(_crop, root, size, border)
            for row, crop in enumerate(map_in_order(work, places, "crop")):
                file.write(crop.tobytes())
                if learnt[row]:
                    seen = crop[border : border + size, border : border + size].astype(np.int64)
                    total += seen.sum(axis=(0, 1))
                    squares += (seen**2).sum(axis=(0, 1))
                    count += size * size
    except OSError as error:
        raise InputError(f"{target / PIXELS}: {error.strerror}") from None
    mean = total / count
    std = np.sqrt(squares / count - mean**2)
    stats = Stats(size, margin, border, tuple(mean.tolist()), tuple(std.tolist()))
    write_json(target / STATS, vars(stats))
    return stats


def load_store(folder: Path) -> tuple[np.ndarray, Stats]:
    """The array, memory-mapped, and its statistics."""
    stats = Stats.of(read_json(folder / STATS), folder / STATS)
    path, side = folder / PIXELS, stats.size + 2 * stats.border
    try:
        pixels = np.load(path, mmap_mode="r")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except (ValueError, EOFError) as error:  # no array, or one of pickled objects
        raise InputError(f"{path}: not an array of crops: {error}") from None
    if pixels.dtype != np.uint8 or pixels.shape[1:] != (side, side, 3):
        raise InputError(
            f"{path}: an array {pixels.shape} of {pixels.dtype}, expected (N, {side}, {side}, 3) "
            "of uint8"
        )
    return pixels, stats


def load_crops(folder: Path) -> Crops:
    pixels, stats = load_store(folder)
    index = Faces.read(folder / INDEX, *MAP_COLUMNS, "normaliser", "weight")
    if len(index) != len(pixels):
        raise InputError(f"{folder / INDEX}: {len(index)} rows, but {len(pixels)} crops")
    maps = np.stack([index[name] for name in MAP_COLUMNS], axis=1).reshape(-1, 2, 3)
    normalisers, weights = index["normaliser"], index["weight"]
    with np.errstate(over="ignore", invalid="ignore"):
        areas = maps[:, 0, 0] * maps[:, 1, 1] - maps[:, 0, 1] * maps[:, 1, 0]
    if not (np.isfinite(areas) & (areas != 0) & (normalisers > 0)).all():
        raise InputError(f"{folder / INDEX}: a map or a normaliser of a face without a size")
    if not ((weights >= 0) & (weights <= 1)).all():
        raise InputError(f"{folder / INDEX}: a weight that is not from 0 to 1")
    return Crops(
        images=index.images,
        pixels=pixels,
        maps=maps,
        points=index.points,
        normalisers=normalisers,
        weights=weights,
        sources=index["source"].tolist(),
        stats=stats,
    )


def with_rim(image: np.ndarray, to_input: Affine, size: int, border: int) -> np.ndarray:
    return images.warp(image, Affine.translation(border, border) @ to_input, size + 2 * border)


def _crop(root: Path, size: int, border: int, place: tuple[str, Affine]) -> np.ndarray:
    image, to_input = place
    return with_rim(images.read(root / image), to_input, size, border)


def _write_index(path: Path, faces: Faces, to_input: Sequence[Affine]) -> None:
    maps = np.array([m.matrix for m in to_input]).reshape(len(faces), 6)
    points = np.array([one(face) for one, face in zip(to_input, faces.points, strict=True)])
    placed = faces.with_columns(
        points=points,
        normaliser=box_sizes(faces.boxes) * [one.scale for one in to_input],
        **dict(zip(MAP_COLUMNS, maps.T, strict=True)),
    )
    placed.write(path, *MAP_COLUMNS, "normaliser", "weight", "source", "points")
