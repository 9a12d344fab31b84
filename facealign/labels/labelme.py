"""A folder of LabelMe's JSON files, one for each image: points are shapes, whose group is the face
and whose flag `occluded` marks a hidden one.

Coordinates are measured from the image's upper left corner.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from facealign.core.errors import AnnotationError, InputError
from facealign.labels import json_files
from facealign.labels.faces import (
    Images,
    LabelledFace,
    Labels,
    Point,
    add_point,
    arranged,
    by_image,
    image_name,
    labelled_points,
    point_names,
)
from facealign.labels.json_files import Json
from facealign.labels.pixels import from_corner, to_corner

_VERSION = "5.5.0"  # of LabelMe, whose format this is


def recognise(folder: Path) -> bool:
    return any(_files(folder))


def is_one(file: Json) -> bool:
    """Whether these are the labels of one image."""
    return isinstance(file.value, dict) and {"imagePath", "shapes"} <= file.value.keys()


def read(folder: Path, images: Images) -> Labels:
    listed = []
    left_out: Counter[str] = Counter()
    for path in _files(folder):
        file = json_files.load(path)
        image = image_name(_below(images.folder, path, file["imagePath"].text()), str(path))
        size = None
        if file.get("imageWidth") and file.get("imageHeight"):
            size = file["imageWidth"].whole(1), file["imageHeight"].whole(1)
        faces: dict[str, dict[str, Point]] = {}
        for shape in file["shapes"].items():
            if shape["shape_type"].text() != "point":
                left_out["other shapes"] += 1
                continue
            group = shape.get("group_id")
            points = faces.setdefault(str(group.whole()) if group else "", {})
            add_point(points, shape["label"].text(), _point(shape), str(shape))
        left_out["images without points"] += not faces
        listed += [(image, points, size) for points in faces.values()]
    return Labels(arranged(listed, folder), left_out)


def write(folder: Path, faces: Sequence[LabelledFace], images: Images) -> dict[Path, str]:
    texts: dict[Path, str] = {}
    for image, its in by_image(faces).items():
        path = folder / PurePosixPath(image).with_suffix(".json")
        if path in texts:
            raise InputError(f"{path}: two images have this file, {image!r} is one")
        width, height = its[0].size or (None, None)
        there = os.path.relpath(images.folder / image, path.parent)
        value: dict[str, Any] = {
            "version": _VERSION,
            "flags": {},
            "shapes": [shape for face in its for shape in _shapes(face)],
            "imagePath": PurePosixPath(*Path(there).parts).as_posix(),
            "imageData": None,
            "imageHeight": height,
            "imageWidth": width,
        }
        texts[path] = json_files.text(value) + "\n"
    return texts


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.json") if not path.name.startswith("."))


def _below(folder: Path, file: Path, image: str) -> str:
    """The path of an image below the folder of images, given the one from its file of labels."""
    there = os.path.relpath(file.parent / image.replace("\\", "/"), folder)
    if Path(there).parts[:1] == ("..",):
        raise AnnotationError(
            f"{file}: imagePath leads out of {folder}; name the folder of the images with --images"
        )
    return PurePosixPath(*Path(there).parts).as_posix()


def _point(shape: Json) -> Point:
    places = shape["points"].items()
    if len(places) != 1 or len(places[0].items()) != 2:
        raise shape["points"].wrong("a list of one point [x, y]")
    x, y = (from_corner(number.number()) for number in places[0].items())
    flags = shape.get("flags")
    mark = flags.get("occluded") if flags else None
    return Point(x, y, mark is not None and mark.truth())


def _shapes(face: LabelledFace) -> list[dict[str, Any]]:
    names = point_names(face)
    return [
        {
            "label": names[number],
            "points": [[to_corner(point.x), to_corner(point.y)]],
            "group_id": face.number,
            "description": "",
            "shape_type": "point",
            "flags": {"occluded": True} if point.hidden else {},
            "mask": None,
        }
        for number, point in labelled_points(face)
    ]
