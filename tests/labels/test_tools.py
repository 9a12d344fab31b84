"""Labels as the tools themselves write them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from facealign.core.errors import InputError
from facealign.labels import conversion
from facealign.labels.faces import LabelledFace, Labels
from tests.labels.samples import make_images

PART = {  # of a result of Label Studio, in an image of 200 x 100
    "original_width": 200,
    "original_height": 100,
    "image_rotation": 0,
    "from_name": "kp-1",
    "to_name": "img-1",
    "origin": "manual",
}


def read(path: Path, text: str, form: str) -> Labels:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    name, labels = conversion.read(path)
    assert name == form
    return labels


def points(face: LabelledFace) -> list[list[float]]:
    return np.nan_to_num(face.points, nan=-1).tolist()


def keypoint(key: str, x: float, y: float, label: str, **more: object) -> dict[str, object]:
    value = {"x": x, "y": y, "width": 0.4, "keypointlabels": [label]}
    return {"id": key, "type": "keypointlabels", "value": value, **PART, **more}


def test_coco_of_people_and_things(tmp_path: Path) -> None:
    file = {
        "info": {"description": "faces", "year": 2024},
        "licenses": [],
        "images": [
            {"id": 7, "file_name": "one.jpg", "width": 640, "height": 480, "license": 1},
            {"id": 9, "file_name": "two.jpg", "width": 64, "height": 48, "license": 1},
        ],
        "annotations": [
            {
                "id": 1,
                "image_id": 7,
                "category_id": 1,
                "iscrowd": 0,
                "num_keypoints": 2,
                "bbox": [100, 50, 60, 80],
                "area": 4800,
                "segmentation": [],
                "keypoints": [110, 60.25, 2, 0, 0, 0, 130, 90, 1],
            },
            {"id": 2, "image_id": 7, "category_id": 2, "bbox": [1, 2, 3, 4]},
            {
                "id": 3,
                "image_id": 9,
                "category_id": 1,
                "keypoints": [5, 6, 0, 0, 0, 0, 0, 0, 0],
            },
        ],
        "categories": [
            {"id": 1, "name": "face", "keypoints": ["eye", "nose", "lip"], "skeleton": [[1, 2]]},
            {"id": 2, "name": "chair", "supercategory": "furniture"},
        ],
    }
    labels = read(tmp_path / "person_keypoints.json", json.dumps(file), "coco")
    [face] = labels.faces
    assert (face.image, face.size, face.names) == ("one.jpg", (640, 480), ("eye", "nose", "lip"))
    assert points(face) == [[110, 60.25], [-1, -1], [130, 90]]
    assert face.hidden.tolist() == [False, False, True]
    assert labels.left_out == {
        "annotations without keypoints": 1,
        "boxes that are not those around the points": 1,
        "coordinates of points that are not labelled (v = 0)": 1,
        "faces without a labelled point": 1,
    }


def test_cvat_with_skeletons_and_points(tmp_path: Path) -> None:
    text = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><id>3</id><name>faces</name><mode>annotation</mode><labels>
    <label><name>head</name><color>#fa3253</color><type>skeleton</type><attributes></attributes>
      <svg>&lt;circle r="0.75" cx="2" cy="3"&gt;&lt;/circle&gt;</svg></label>
    <label><name>nose</name><type>points</type><attributes></attributes><parent>head</parent></label>
    <label><name>eye</name><type>points</type><attributes></attributes><parent>head</parent></label>
    <label><name>lip</name><type>points</type><attributes></attributes><parent>head</parent></label>
  </labels></task></meta>
  <image id="0" name="sub/one.jpg" width="640" height="480">
    <box label="hat" source="manual" occluded="0" xtl="1" ytl="2" xbr="3" ybr="4" z_order="0"/>
    <skeleton label="head" source="manual" z_order="0">
      <points label="eye" source="manual" outside="0" occluded="1" points="100.50,200.00"></points>
      <points label="nose" source="manual" outside="0" occluded="0" points="120.25,0.50"></points>
      <points label="lip" source="manual" outside="1" occluded="0" points="9.00,9.00"></points>
    </skeleton>
    <points label="dots" source="manual" occluded="0" points="1.50,2.50;3.50,4.75" z_order="0"/>
  </image>
  <image id="1" name="two.jpg" width="64" height="48"></image>
</annotations>
"""
    labels = read(tmp_path / "annotations.xml", text, "cvat")
    head, dots = labels.faces
    assert (head.image, head.size, head.names) == (
        "sub/one.jpg",
        (640, 480),
        ("nose", "eye", "lip"),
    )
    assert points(head) == [[119.75, 0], [100, 199.5], [-1, -1]]
    assert head.hidden.tolist() == [False, True, False]
    assert (dots.number, points(dots), dots.names) == (2, [[1, 2], [3, 4.25]], None)
    assert labels.left_out == {"images without points": 1, "other shapes and tags": 1}


def test_tracks_of_cvat_are_refused(tmp_path: Path) -> None:
    text = '<annotations><track id="0" label="face"/></annotations>'
    with pytest.raises(InputError, match="track 1: export the task as CVAT for images, not for"):
        read(tmp_path / "annotations.xml", text, "cvat")


def test_label_studio_with_an_upload_and_two_faces(tmp_path: Path) -> None:
    box = {"x": 10, "y": 10, "width": 50, "height": 80, "rotation": 0, "rectanglelabels": ["face"]}
    seen = {"x": 50.0, "y": 20.0, "width": 0.4, "choices": ["occluded"]}
    tasks = [
        {
            "id": 5,
            "file_upload": "0f1e2d3c-one_photo.jpg",
            "data": {"image": "/data/upload/2/0f1e2d3c-one_photo.jpg"},
            "annotations": [
                {"id": 1, "was_cancelled": True, "result": []},
                {
                    "id": 2,
                    "was_cancelled": False,
                    "result": [
                        {"id": "L", "type": "rectanglelabels", "value": box, **PART},
                        {"id": "R", "type": "rectanglelabels", "value": box, **PART},
                        keypoint("b", 50.0, 20.0, "2", parentID="L"),
                        keypoint("a", 0.25, 0.5, "1", parentID="L"),
                        keypoint("c", 75.0, 100.0, "1", parentID="R"),
                        {"id": "b", "type": "choices", "value": seen, **PART},
                    ],
                },
                {"id": 3, "was_cancelled": False, "result": []},
            ],
            "predictions": [{"id": 1, "result": []}],
        },
        {"id": 6, "data": {"image": "s3://bucket/two.jpg"}, "annotations": [], "predictions": []},
        {
            "data": {"image": "https://example.org/photos/three%20b.jpg?size=9"},
            "annotations": [{"result": [keypoint("d", 25.0, 50.0, "1")]}],
        },
    ]
    labels = read(tmp_path / "project-1.json", json.dumps(tasks), "label-studio")
    left, right, third = labels.faces
    assert [face.image for face in labels.faces] == ["one_photo.jpg"] * 2 + ["three b.jpg"]
    assert left.size == (200, 100)
    # of 200 x 100 pixels, whose upper left corner is -0.5, -0.5
    assert points(left) == [[0, 0], [99.5, 19.5]] and left.hidden.tolist() == [False, True]
    assert points(right) == [[149.5, 99.5], [-1, -1]]
    assert points(third) == [[49.5, 49.5], [-1, -1]]
    assert labels.left_out == {
        "second annotations of a task": 1,
        "predictions": 1,
        "images without points": 1,
        "boxes that are not those around the points": 2,
    }


def test_points_of_two_faces_without_rectangles_are_refused(tmp_path: Path) -> None:
    result = [keypoint("a", 1, 2, "5"), keypoint("b", 3, 4, "05")]
    tasks = [{"data": {"image": "a.jpg"}, "annotations": [{"result": result}]}]
    with pytest.raises(
        InputError, match=r"\[0\]\.annotations\[0\]\.result\[1\]: two points '05' in"
    ):
        read(tmp_path / "tasks.json", json.dumps(tasks), "label-studio")


def test_dlibs_own_data_set(tmp_path: Path) -> None:
    text = """<?xml version='1.0' encoding='ISO-8859-1'?>
<?xml-stylesheet type='text/xsl' href='image_metadata_stylesheet.xsl'?>
<dataset>
<name>faces</name>
<comment>with parts</comment>
<images>
  <image file='trainset/m\u00fcller_1.png' width='350' height='464'>
    <box top='78' left='74' width='138' height='140'>
      <part name='00' x='55' y='141'/>
      <part name='02' x='66' y='182'/>
      <part name='01' x='59' y='161'/>
    </box>
    <box top='1' left='2' width='3' height='4' ignore='1'/>
  </image>
</images>
</dataset>
"""
    (tmp_path / "labels.xml").write_bytes(text.encode("latin-1"))
    name, labels = conversion.read(tmp_path / "labels.xml")
    [face] = labels.faces
    assert (name, face.image) == ("imglab", "trainset/müller_1.png")
    assert points(face) == [[55, 141], [59, 161], [66, 182]]
    assert labels.left_out == {
        "boxes without parts": 1,
        "boxes that are not those around the points": 1,
    }


def test_labelme_with_windows_paths(tmp_path: Path) -> None:
    shape = {"description": "", "shape_type": "point", "mask": None}
    file: dict[str, object] = {
        "version": "5.5.0",
        "flags": {},
        "shapes": [
            {**shape, "label": "2", "points": [[10.5, 20.75]], "group_id": None, "flags": {}},
            {
                **shape,
                "label": "1",
                "points": [[0.5, 0.5]],
                "group_id": None,
                "flags": {"occluded": True, "difficult": False},
            },
            {"label": "hat", "points": [[1, 2], [3, 4]], "shape_type": "rectangle", "flags": {}},
        ],
        "imagePath": "..\\imgs\\one.jpg",
        "imageData": None,
        "imageHeight": 480,
        "imageWidth": 640,
    }
    path = tmp_path / "labels" / "one.json"
    path.parent.mkdir()
    path.write_text(json.dumps(file), encoding="utf-8")
    with pytest.raises(InputError, match=r"imagePath leads out of .*labels; name .* --images"):
        conversion.read(path.parent)
    name, labels = conversion.read(path.parent, images=tmp_path / "imgs")
    [face] = labels.faces
    assert (name, face.image, face.size) == ("labelme", "one.jpg", (640, 480))
    assert points(face) == [[0, 0], [10, 20.25]] and face.hidden.tolist() == [True, False]
    assert labels.left_out == {"other shapes": 1}


@pytest.mark.parametrize("version", [1, 2])
def test_via_with_points_in_their_order(tmp_path: Path, version: int) -> None:
    shapes = [
        {"name": "point", "cx": 204, "cy": 51},
        {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4},
        {"name": "point", "cx": 0, "cy": 7},
    ]
    regions: object = [{"shape_attributes": shape, "region_attributes": {}} for shape in shapes]
    if version == 1:
        regions = {str(number): region for number, region in enumerate(regions)}  # type: ignore
    entry = {"filename": "one.jpg", "size": 9, "regions": regions, "file_attributes": {}}
    empty = {"filename": "two.jpg", "size": 8, "regions": [], "file_attributes": {}}
    file: object = {"one.jpg9": entry, "two.jpg8": empty}
    if version == 2:
        file = {"_via_settings": {}, "_via_img_metadata": file, "_via_attributes": {"region": {}}}
    labels = read(tmp_path / "via_project.json", json.dumps(file), "via")
    [face] = labels.faces
    assert (face.image, points(face)) == ("one.jpg", [[204, 51], [0, 7]])
    assert labels.left_out == {"images without points": 1, "other regions": 1}


def test_the_table_of_predict(tmp_path: Path) -> None:
    text = (
        "image,face,left,score,x0,y0,x1,y1\n12:30.jpg,1,9,0.5,1.5,2.5,3,4\n12:30.jpg,2,9,,1,2,,\n"
    )
    labels = read(tmp_path / "landmarks.csv", text, "csv")
    assert {face.image for face in labels.faces} == {"12:30.jpg"}
    assert [points(face) for face in labels.faces] == [[[1.5, 2.5], [3, 4]], [[1, 2]]]
    assert labels.left_out == {"other columns": 2}


def test_pts_of_several_faces_beside_and_apart_from_their_images(tmp_path: Path) -> None:
    images = make_images(tmp_path / "images")
    (images / "a_2.png").write_bytes((images / "a.png").read_bytes())  # an image, no second face
    folder = tmp_path / "points" / "below"
    folder.mkdir(parents=True)
    for name, x in (("../a", 1), ("../a_2", 2), ("photo 2", 3), ("photo 2_2", 4), ("photo 2_3", 5)):
        text = f"version: 1\nn_points: 2\n{{\n{x} 1\nnan nan\n}}\n"
        (folder / f"{name}.pts").write_text(text, encoding="utf-8")
    _, labels = conversion.read(folder.parent, images=images)
    assert [(face.image, face.number, points(face)[0][0]) for face in labels.faces] == [
        ("a.png", 1, 0),
        ("a_2.png", 1, 1),
        ("below/photo 2.png", 1, 2),
        ("below/photo 2.png", 2, 3),
        ("below/photo 2.png", 3, 4),
    ]
    with pytest.raises(InputError, match=r"a\.pts: no image of this name in .*points; name the"):
        conversion.read(folder.parent)
