"""The XML of dlib and its tool imglab: a face is a box with parts, in whole pixels counted from 0.

dlib reads no fractions. It takes the parts in the order of their names, and a part that is not
listed as a point that is not labelled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from facealign.labels import xml_files
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
)
from facealign.labels.xml_files import Xml

_SIDES = ("top", "left", "width", "height")


def recognise(file: Xml) -> bool:
    return file.element.tag == "dataset"


def read(file: Xml, images: Images) -> Labels:
    listed = []
    boxes = []
    left_out: Counter[str] = Counter()
    for image in (one for group in file.children("images") for one in group.children("image")):
        name = image_name(image["file"], str(image))
        for box in image.children("box"):
            parts: dict[str, Point] = {}
            for part in box.children("part"):
                place = Point(float(part.number("x")), float(part.number("y")))
                add_point(parts, part["name"], place, str(box))
            if parts:
                listed.append((name, parts, None))
                boxes.append({side: box.whole(side, -(10**9)) for side in _SIDES})
            else:
                left_out["boxes without parts"] += 1
    names = sorted({name for _, parts, _ in listed for name in parts})
    known = () if all(map(str.isdecimal, names)) else names
    faces = arranged(listed, file.path, known)
    differ = sum(box != _box(face) for box, face in zip(boxes, faces, strict=True))
    left_out["boxes that are not those around the points"] = differ
    return Labels(faces, left_out)


def write(path: Path, faces: Sequence[LabelledFace], images: Images) -> dict[Path, str]:
    root = Element("dataset")
    listed = SubElement(root, "images")
    for name, its in by_image(faces).items():
        image = SubElement(listed, "image", file=name)
        for face in its:
            sides = {side: str(value) for side, value in _box(face).items()}
            box = SubElement(image, "box", sides)
            digits = max(2, len(str(len(face.points) - 1)))
            for number, point in labelled_points(face):
                place = {"x": str(round(point.x)), "y": str(round(point.y))}
                SubElement(box, "part", {"name": f"{number:0{digits}}", **place})
    return {path: xml_files.text(root)}


def _box(face: LabelledFace) -> dict[str, int]:
    """Around the points; dlib's width and height count the last pixel, too."""
    left, top, right, bottom = map(round, corners(face))
    return dict(zip(_SIDES, (top, left, right - left + 1, bottom - top + 1), strict=True))
