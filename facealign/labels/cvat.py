"""CVAT's XML 1.1 "for images": a face is a skeleton, its points are the skeleton's elements.

Coordinates are measured from the image's upper left corner, where the first pixel begins. An
element is `outside` if the point is not labelled, and `occluded` if it is hidden.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from facealign.core.errors import AnnotationError
from facealign.labels import xml_files
from facealign.labels.faces import (
    Images,
    LabelledFace,
    Labels,
    Point,
    add_point,
    arranged,
    by_image,
    face_of,
    image_name,
    point_names,
)
from facealign.labels.pixels import decimal, from_corner, to_corner
from facealign.labels.xml_files import Xml

_Listed = tuple[str, dict[str, Point], tuple[int, int]]  # a skeleton's image, points, image size


def recognise(file: Xml) -> bool:
    return file.element.tag == "annotations"


def read(file: Xml, images: Images) -> Labels:
    if tracks := file.children("track"):
        raise AnnotationError(f"{tracks[0]}: export the task as CVAT for images, not for video")
    faces: dict[int, LabelledFace] = {}  # by their place in the file
    skeletons: dict[str, dict[int, _Listed]] = {}  # of each label
    places = count()
    left_out: Counter[str] = Counter()
    for image in file.children("image"):
        name = image_name(image["name"], str(image))
        size = image.whole("width", 1), image.whole("height", 1)
        shapes = [*image.children("skeleton"), *image.children("points")]
        left_out["images without points"] += not shapes
        left_out["other shapes and tags"] += len(image.element) - len(shapes)
        for shape in shapes:
            place = next(places)
            if shape.element.tag == "points":
                faces[place] = _shape(shape, name, size)
            else:
                its = skeletons.setdefault(shape["label"], {})
                its[place] = name, _elements(shape), size
    for label, listed in skeletons.items():
        known = _names(file, label)
        faces |= zip(listed, arranged([*listed.values()], file.path, known), strict=True)
    return Labels([faces[place] for place in sorted(faces)], left_out)


def write(path: Path, faces: Sequence[LabelledFace], images: Images) -> dict[Path, str]:
    schemes = {names: _label(i) for i, names in enumerate(dict.fromkeys(map(point_names, faces)))}
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    labels = SubElement(SubElement(SubElement(root, "meta"), "task"), "labels")
    for names, label in schemes.items():
        _add_label(labels, label, "skeleton", None)
        for name in names:
            _add_label(labels, name, "points", label)
    for number, (name, its) in enumerate(by_image(faces).items()):
        width, height = images.size(its[0])
        image = SubElement(root, "image", id=str(number), name=name)
        image.attrib |= {"width": str(width), "height": str(height)}
        for face in its:
            _add_skeleton(image, face, schemes[point_names(face)])
    return {path: xml_files.text(root)}


def _label(number: int) -> str:
    return f"face_{number + 1}" if number else "face"


def _names(file: Xml, label: str) -> list[str]:
    """The names of a skeleton's points in their order, if the file lists its labels."""
    listed = file.element.iterfind("meta//labels/label")
    return [one.findtext("name", "") for one in listed if one.findtext("parent") == label]


def _elements(skeleton: Xml) -> dict[str, Point]:
    """The labelled points of a skeleton, by their names."""
    found: dict[str, Point] = {}
    for element in skeleton.children("points"):
        if element.flag("outside"):
            continue
        [*places] = _places(element)
        if len(places) != 1:
            raise element.wrong("points", "a point x,y")
        add_point(
            found, element["label"], Point(*places[0], element.flag("occluded")), str(element)
        )
    return found


def _shape(shape: Xml, name: str, size: tuple[int, int]) -> LabelledFace:
    """The points of a shape that is no skeleton: they have an order, and no marks of their own."""
    places = _places(shape)
    return face_of(name, places, [shape.flag("occluded")] * len(places), size=size)


def _places(shape: Xml) -> list[tuple[float, float]]:
    try:
        pairs = [place.split(",") for place in shape["points"].split(";")]
        return [(from_corner(decimal(x)), from_corner(decimal(y))) for x, y in pairs]
    except (ValueError, ArithmeticError):
        raise shape.wrong("points", "points x,y;x,y") from None


def _add_label(labels: Element, name: str, kind: str, parent: str | None) -> None:
    label = SubElement(labels, "label")
    SubElement(label, "name").text = name
    SubElement(label, "type").text = kind
    SubElement(label, "attributes")
    if parent:
        SubElement(label, "parent").text = parent


def _add_skeleton(image: Element, face: LabelledFace, label: str) -> None:
    skeleton = SubElement(image, "skeleton", label=label, source="manual", z_order="0")
    marked = zip(point_names(face), face.points.tolist(), face.hidden.tolist(), strict=True)
    for name, (x, y), hidden in marked:
        outside = x != x  # NaN
        place = "0.0,0.0" if outside else f"{to_corner(x)},{to_corner(y)}"
        point = SubElement(skeleton, "points", label=name, source="manual")
        point.attrib |= {"outside": f"{outside:d}", "occluded": f"{hidden:d}", "points": place}
