"""COCO keypoints. Coordinates are 0-indexed, so the centre of the first pixel is 0, as here; v is 0
for a point that is not labelled, 1 for a hidden one and 2 for a visible one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import nan
from pathlib import Path
from typing import Any

from facealign.core.errors import AnnotationError
from facealign.labels import json_files
from facealign.labels.faces import (
    Images,
    LabelledFace,
    Labels,
    by_image,
    corners,
    face_of,
    image_name,
    point_names,
    unless_numbers,
)
from facealign.labels.json_files import Json


def recognise(file: Json) -> bool:
    return isinstance(file.value, dict) and {"images", "annotations"} <= file.value.keys()


def read(file: Json, images: Images) -> Labels:
    names = {one["id"].whole(): _names(one) for one in file["categories"].items()}
    pictures = {one["id"].whole(): one for one in file["images"].items()}
    faces: list[LabelledFace] = []
    left_out: Counter[str] = Counter()
    used = set()
    for one in file["annotations"].items():
        picture = one["image_id"].whole()
        if picture not in pictures:
            raise one["image_id"].wrong("the id of an image")
        if one.get("keypoints") is None or not one["keypoints"].items():
            left_out["annotations without keypoints"] += 1
            continue
        used.add(picture)
        face, hints = _face(one, pictures[picture], names.get(one["category_id"].whole(), []))
        faces.append(face)
        left_out["coordinates of points that are not labelled (v = 0)"] += hints
        box = one.get("bbox")
        if box and [float(side.number()) for side in box.items()] != _box(face):
            left_out["boxes that are not those around the points"] += 1
    left_out["images without keypoints"] = len(pictures) - len(used)
    return Labels(faces, left_out)


def write(path: Path, faces: Sequence[LabelledFace], images: Images) -> dict[Path, str]:
    pictures: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    categories: dict[tuple[str, ...], int] = {}
    for number, (image, its) in enumerate(by_image(faces).items(), start=1):
        width, height = images.size(its[0])
        pictures.append({"id": number, "file_name": image, "width": width, "height": height})
        for face in its:
            category = categories.setdefault(point_names(face), len(categories) + 1)
            annotations.append(_annotation(face, len(annotations) + 1, number, category))
    value = {
        "images": pictures,
        "annotations": annotations,
        "categories": [
            {"id": number, "name": _category(number), "supercategory": "face"}
            | {"keypoints": names, "skeleton": []}
            for names, number in categories.items()
        ],
    }
    return {path: json_files.text(value) + "\n"}


def _category(number: int) -> str:
    return "face" if number == 1 else f"face_{number}"


def _names(category: Json) -> list[str]:
    listed = category.get("keypoints")
    return [name.text() for name in listed.items()] if listed else []


def _face(one: Json, picture: Json, names: Sequence[str]) -> tuple[LabelledFace, int]:
    """A face, and how many of its points have coordinates although they are not labelled."""
    numbers = one["keypoints"].items()
    if len(numbers) % 3 or (names and len(numbers) != 3 * len(names)):
        expected = f"{3 * len(names)}" if names else "x, y and v of each point"
        raise AnnotationError(f"{one['keypoints']}: {len(numbers)} numbers, expected {expected}")
    points, hidden, hints = [], [], 0
    for x, y, v in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True):
        visible = v.whole(0, 2)
        place = float(x.number()), float(y.number())
        hints += visible == 0 and place != (0, 0)
        points.append(place if visible else (nan, nan))
        hidden.append(visible == 1)
    name = image_name(picture["file_name"].text(), str(picture))
    size = None
    if picture.get("width") and picture.get("height"):
        size = picture["width"].whole(1), picture["height"].whole(1)
    return face_of(name, points, hidden, unless_numbers(names), size), hints


def _annotation(face: LabelledFace, number: int, image: int, category: int) -> dict[str, Any]:
    keypoints: list[float | int] = []
    for (x, y), hidden in zip(face.points.tolist(), face.hidden.tolist(), strict=True):
        keypoints += [x, y, 1 if hidden else 2] if x == x else [0, 0, 0]
    box = _box(face)
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "iscrowd": 0,
        "bbox": box,
        "area": box[2] * box[3],
        "segmentation": [],
        "num_keypoints": sum(v > 0 for v in keypoints[2::3]),
        "keypoints": keypoints,
    }


def _box(face: LabelledFace) -> list[float]:
    """Left, top, width and height of the labelled points."""
    if not (face.points == face.points).any():
        return [0.0, 0.0, 0.0, 0.0]
    left, top, right, bottom = corners(face)
    return [left, top, right - left, bottom - top]
