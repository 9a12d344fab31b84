"""JSON of the VGG Image Annotator, version 2 (or 1): a point is a region, with the attributes
`face`, `point` and, if it is hidden, `occluded`.

VIA gives the number of the pixel that was clicked, so the centre of the first pixel is 0, as here.
It knows an image by its name and the size of its file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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

_PROJECT = "_via_img_metadata"  # where a project's file has its annotations


def recognise(file: Json) -> bool:
    if not isinstance(file.value, dict):
        return False
    entries = list(file.value.values())
    return _PROJECT in file.value or (
        bool(entries) and all(isinstance(one, dict) and "regions" in one for one in entries)
    )


def read(file: Json, images: Images) -> Labels:
    listed = []
    left_out: Counter[str] = Counter()
    for image in (file.get(_PROJECT) or file).entries().values():
        name = image_name(image["filename"].text(), str(image))
        faces: dict[str, dict[str, Point]] = {}
        regions = image["regions"]
        many = regions.items() if isinstance(regions.value, list) else regions.entries().values()
        for region in many:
            shape = region["shape_attributes"]
            if shape["name"].text() != "point":
                left_out["other regions"] += 1
                continue
            marks = {
                key: _word(value) for key, value in region["region_attributes"].entries().items()
            }
            points = faces.setdefault(marks.get("face", ""), {})
            point = Point(
                float(shape["cx"].number()),
                float(shape["cy"].number()),
                marks.get("occluded") == "yes",
            )
            add_point(points, marks.get("point") or str(len(points) + 1), point, str(region))
        left_out["images without points"] += not faces
        listed += [(name, points, None) for points in faces.values()]
    return Labels(arranged(listed, file.path), left_out)


def write(path: Path, faces: Sequence[LabelledFace], images: Images) -> dict[Path, str]:
    entries = {}
    for image, its in by_image(faces).items():
        size = images.bytes(its[0])
        entries[f"{image}{size}"] = {
            "filename": image,
            "size": size,
            "regions": [region for face in its for region in _regions(face)],
            "file_attributes": {},
        }
    return {path: json_files.text(entries) + "\n"}


def _word(value: Json) -> str:
    """An attribute of one of VIA's kinds, of which checkboxes are objects."""
    return value.value if isinstance(value.value, str) else ""


def _regions(face: LabelledFace) -> list[dict[str, Any]]:
    names = point_names(face)
    return [
        {
            "shape_attributes": {"name": "point", "cx": point.x, "cy": point.y},
            "region_attributes": {"face": str(face.number), "point": names[number]}
            | ({"occluded": "yes"} if point.hidden else {}),
        }
        for number, point in labelled_points(face)
    ]
