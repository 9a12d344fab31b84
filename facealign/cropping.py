"""Crops of all faces in one array file, with the map that leads from each picture to its crop.

A crop is the network's square input with a rim (`context`) around it, from which training takes
turned and shifted inputs without inventing pixels. Points and maps are in the input's pixels; the
rim's pixels lie before 0 and beyond `size`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from facealign import images, tables
from facealign.config import Range
from facealign.errors import FacealignError
from facealign.files import replacing, write_json
from facealign.geometry import Affine, Box, crop_map
from facealign.metrics import box_sizes
from facealign.parallel import map_in_order
from facealign.tables import dataset_and_split

PIXELS, INDEX, STATS = "pixels.npy", "index.csv", "stats.json"
MAP_COLUMNS = ("m00", "m01", "m02", "m10", "m11", "m12")  # the matrix, row by row


@dataclass(frozen=True)
class Crop:
    """The section `crop` of params.yaml."""

    size: Annotated[int, Range(16, 1024)]
    margin: Annotated[float, Range(-0.25, 2)]
    context: Annotated[float, Range(0, 1)]


@dataclass(frozen=True)
class Located:
    image: str
    box: Box
    points: np.ndarray  # (68, 2), image pixels


@dataclass(frozen=True)
class Stats:
    """What the network must know of the crops to see them as in training."""

    size: int
    margin: float
    border: int  # pixels of rim
    mean: tuple[float, ...]  # of red, green, blue over the train crops, 0 to 255
    std: tuple[float, ...]


@dataclass(frozen=True)
class Crops:
    images: list[str]
    pixels: np.ndarray  # (N, side, side, 3) uint8, memory-mapped; side = size + 2 * border
    maps: np.ndarray  # (N, 2, 3), image pixels -> input pixels
    points: np.ndarray  # (N, 68, 2), input pixels
    normalisers: np.ndarray  # (N,), sqrt(H * W) of the rectangle in input pixels
    stats: Stats

    def rows(self, split: str) -> np.ndarray:
        return np.array(
            [i for i, image in enumerate(self.images) if dataset_and_split(image)[1] == split],
            np.int64,
        )


def make_crops(root: Path, faces: Sequence[Located], config: Crop, target: Path) -> Stats:
    """Write the crops of `faces` into the folder `target`."""
    if not any(dataset_and_split(face.image)[1] == "train" for face in faces):
        raise FacealignError("no face was found in any train picture: nothing to learn from")
    size = config.size
    border = round(config.context * size)
    side = size + 2 * border
    total, squares, count = np.zeros(3, np.int64), np.zeros(3, np.int64), 0
    target.mkdir(parents=True, exist_ok=True)
    with replacing(target / PIXELS) as part:
        pixels = np.lib.format.open_memmap(part, "w+", np.uint8, (len(faces), side, side, 3))
        work = partial(_crop, root, size, config.margin, border)
        for row, crop in enumerate(map_in_order(work, faces, "crop")):
            pixels[row] = crop
            if dataset_and_split(faces[row].image)[1] == "train":
                seen = crop[border : border + size, border : border + size].astype(np.int64)
                total += seen.sum(axis=(0, 1))
                squares += (seen**2).sum(axis=(0, 1))
                count += size * size
        pixels.flush()
    mean = total / count
    std = np.sqrt(squares / count - mean**2)
    stats = Stats(size, config.margin, border, tuple(mean.tolist()), tuple(std.tolist()))
    write_json(target / STATS, vars(stats))
    _write_index(target / INDEX, faces, stats)
    return stats


def load_crops(folder: Path) -> Crops:
    values: dict[str, Any] = json.loads((folder / STATS).read_text(encoding="utf-8"))
    stats = Stats(**values | {name: tuple(values[name]) for name in ("mean", "std")})
    index = tables.read(folder / INDEX)
    return Crops(
        images=index[tables.KEY],
        pixels=np.load(folder / PIXELS, mmap_mode="r"),
        maps=index.numbers(*MAP_COLUMNS).reshape(-1, 2, 3),
        points=index.points(),
        normalisers=index.numbers("normaliser")[:, 0],
        stats=stats,
    )


def crop_face(image: np.ndarray, box: Box, size: int, margin: float, border: int) -> np.ndarray:
    to_crop = Affine.translation(border, border) @ crop_map(box, margin, size)
    return images.warp(image, to_crop, size + 2 * border)


def _crop(root: Path, size: int, margin: float, border: int, face: Located) -> np.ndarray:
    return crop_face(images.read(root / face.image), face.box, size, margin, border)


def _write_index(path: Path, faces: Sequence[Located], stats: Stats) -> None:
    to_input = [crop_map(face.box, stats.margin, stats.size) for face in faces]
    maps = np.array([m.matrix for m in to_input]).reshape(len(faces), 6)
    boxes = np.array([[f.box.left, f.box.top, f.box.right, f.box.bottom] for f in faces])
    columns: dict[str, tables.Column] = {tables.KEY: [face.image for face in faces]}
    columns |= {name: maps[:, i] for i, name in enumerate(MAP_COLUMNS)}
    columns["normaliser"] = box_sizes(boxes) * maps[:, 0]
    points = [m(face.points) for m, face in zip(to_input, faces, strict=True)]
    tables.write(path, columns, tables.stack(points))
