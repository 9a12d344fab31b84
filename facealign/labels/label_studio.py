"""Label Studio's JSON (not JSON-MIN): a point is a keypoint whose parent is the rectangle of its
face; a choice of the same id, `occluded`, marks a hidden one.

Coordinates are percentages of the image's width and height, from its upper left corner.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from facealign.labels import json_files
from facealign.labels.faces import (
    Images,
    LabelledFace,
    Labels,
    Point,
    add_point,
    arranged,
    by_image,
    corners,
    image_name,
    labelled_points,
    point_names,
)
from facealign.labels.json_files import Json
from facealign.labels.pixels import from_percent, share, to_corner, to_percent

_LOCAL = "/data/local-files/?d="  # a file of a folder that Label Studio may serve
_CLOSE = Decimal("1e-6")  # per cent of a side: what is left of a box after floats
_POINT_WIDTH = Decimal("0.5")  # as it is drawn, in per cent of the image


def recognise(file: Json) -> bool:
    tasks = file.value
    return isinstance(tasks, list) and all(isinstance(one, dict) and "data" in one for one in tasks)


def read(file: Json, images: Images) -> Labels:
    listed = []
    left_out: Counter[str] = Counter()
    for task in file.items():
        given = task.get("annotations")
        annotations = [one for one in given.items() if not _cancelled(one)] if given else []
        left_out["second annotations of a task"] += max(0, len(annotations) - 1)
        left_out["predictions"] += len((task.get("predictions") or _none(task)).items())
        found = _faces(annotations[0]["result"], left_out) if annotations else []
        left_out["images without points"] += not found
        if found:
            name = image_name(_image(task["data"]["image"]), str(task))
            listed += [(name, points, size) for points, size in found]
    return Labels(arranged(listed, file.path), left_out)


def write(path: Path, faces: Sequence[LabelledFace], images: Images) -> dict[Path, str]:
    tasks = []
    for image, its in by_image(faces).items():
        result = [part for face in its for part in _result(face, images.size(face))]
        data = {"image": f"{_LOCAL}{quote(image)}"}
        tasks.append({"data": data, "annotations": [{"result": result}]})
    return {path: json_files.text(tasks) + "\n"}


def _none(task: Json) -> Json:
    return Json(task.path, task.key, [])


def _cancelled(annotation: Json) -> bool:
    skipped = annotation.get("was_cancelled")
    return skipped is not None and skipped.truth()


def _image(address: Json) -> str:
    """The name of an image: of a local file its path, of an upload or a URL the file's name."""
    url = address.text()
    try:
        parts = urlsplit(url)
    except ValueError:
        raise address.wrong("the address of an image") from None
    if "local-files" in parts.path and (local := parse_qs(parts.query).get("d")):
        return local[0]
    if not parts.scheme and not url.startswith("/"):
        return url
    name = unquote(parts.path.rpartition("/")[2])
    uploaded = "/upload/" in parts.path  # Label Studio puts eight digits before the name
    return re.sub(r"^[0-9a-f]{8}-", "", name) if uploaded else name


_Face = tuple[dict[str, Point], tuple[int, int]]


def _faces(result: Json, left_out: Counter[str]) -> list[_Face]:
    """The points of each face of an annotation, and the size of the image."""
    keypoints, boxes, hidden = [], {}, set()
    for part in result.items():
        kind = part["type"].text()
        if kind == "keypointlabels":
            keypoints.append(part)
        elif kind == "choices" and part.get("id"):
            if "occluded" in [word.text() for word in part["value"]["choices"].items()]:
                hidden.add(part["id"].text())
        elif kind == "rectanglelabels" and part.get("id"):
            boxes[part["id"].text()] = part
        else:
            left_out["other shapes"] += 1
    faces: dict[str, _Face] = {}
    for part in keypoints:
        parent, own = part.get("parentID"), part.get("id")
        if (turned := part.get("image_rotation")) and turned.number():
            raise turned.wrong("0: an image that was not turned in Label Studio")
        size = part["original_width"].whole(1), part["original_height"].whole(1)
        point = Point(
            from_percent(part["value"]["x"].number(), size[0]),
            from_percent(part["value"]["y"].number(), size[1]),
            own is not None and own.text() in hidden,
        )
        points, _ = faces.setdefault(parent.text() if parent else "", ({}, size))
        add_point(points, _label(part), point, str(part))
    differ = [box for key, box in boxes.items() if key not in faces or _differs(box, *faces[key])]
    left_out["boxes that are not those around the points"] += len(differ)
    return [*faces.values()]


def _label(part: Json) -> str:
    labels = part["value"]["keypointlabels"].items()
    if len(labels) != 1:
        raise part["value"]["keypointlabels"].wrong("a list of one label")
    return labels[0].text()


def _differs(box: Json, points: dict[str, Point], size: tuple[int, int]) -> bool:
    xs, ys = ([getattr(point, axis) for point in points.values()] for axis in "xy")
    expected = _rectangle(min(xs), min(ys), max(xs), max(ys), size)
    return any(abs(box["value"][key].number() - value) > _CLOSE for key, value in expected.items())


def _rectangle(
    left: float, top: float, right: float, bottom: float, size: tuple[int, int]
) -> dict[str, Decimal]:
    width, height = size
    return {
        "x": to_percent(left, width),
        "y": to_percent(top, height),
        "width": share(to_corner(right) - to_corner(left), width),
        "height": share(to_corner(bottom) - to_corner(top), height),
    }


def _result(face: LabelledFace, size: tuple[int, int]) -> list[dict[str, Any]]:
    key, names = f"face{face.number}", point_names(face)
    common: dict[str, Any] = {
        "original_width": size[0],
        "original_height": size[1],
        "image_rotation": 0,
        "to_name": "image",
    }
    box = {**_rectangle(*corners(face), size), "rotation": 0, "rectanglelabels": ["face"]}
    result = [{"id": key, "type": "rectanglelabels", "from_name": "faces", **common, "value": box}]
    for number, point in labelled_points(face):
        place = {"x": to_percent(point.x, size[0]), "y": to_percent(point.y, size[1])}
        place["width"] = _POINT_WIDTH
        own = {"id": f"{key}point{number + 1}", "parentID": key, **common}
        value = {**place, "keypointlabels": [names[number]]}
        result.append({**own, "type": "keypointlabels", "from_name": "points", "value": value})
        if point.hidden:
            value = {**place, "choices": ["occluded"]}
            result.append({**own, "type": "choices", "from_name": "visibility", "value": value})
    return result
