"""Files that are damaged, hostile or of another kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facealign.core.errors import AnnotationError, InputError
from facealign.labels import conversion
from facealign.labels.faces import Images, LabelledFace
from facealign.labels.formats import FORMATS
from tests.labels.samples import NAMES, make_images, place, save

FACE = LabelledFace(NAMES[0], np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([False, True]))
LAUGHS = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10 if i else "ha"}">' for i in range(12))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return make_images(tmp_path / "images")


@pytest.mark.parametrize(
    "declared",
    [
        f"<!DOCTYPE a [{LAUGHS}]>",
        '<!DOCTYPE a [<!ENTITY a11 SYSTEM "secret.txt">]>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd">',
    ],
    ids=["expanding entities", "a file", "a URL"],
)
@pytest.mark.parametrize("root", ["annotations", "dataset"])
def test_xml_with_a_document_type_is_refused(tmp_path: Path, declared: str, root: str) -> None:
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    path = tmp_path / "a.xml"
    path.write_text(f"{declared}<{root}>&a11;</{root}>", encoding="utf-8")
    with pytest.raises(AnnotationError, match=r"a\.xml: not XML: a document type \(DOCTYPE\)"):
        conversion.read(path)


@pytest.mark.parametrize(
    "name", ["/etc/a.png", "../a.png", "b/../../a.png", "C:\\a.png", "http://b/a.png", "", "\x1b"]
)
@pytest.mark.parametrize("form", ["coco", "via", "csv"])
def test_no_image_leads_out_of_its_folder(
    images: Path, tmp_path: Path, form: str, name: str
) -> None:
    path = save([FACE], tmp_path, form, images)
    text = path.read_text(encoding="utf-8")
    written = name.replace("\\", "\\\\").replace("\x1b", "\\u001b") if form != "csv" else name
    path.write_text(text.replace(NAMES[0], written), encoding="utf-8")
    with pytest.raises(
        AnnotationError, match=r"image '.*'(, expected a path|: its name has letters)"
    ):
        conversion.read(path)


@pytest.mark.parametrize(
    ("form", "old", "new", "said"),
    [
        (
            "coco",
            "[1.0, 2.0, 2, ",
            '[1.0, "2", 2, ',
            "annotations[0].keypoints[1] is '2', expected a",
        ),
        (
            "coco",
            "[1.0, 2.0, 2, ",
            "[1.0, 2.0, 3, ",
            "keypoints[2] is 3, expected a whole number fr",
        ),
        (
            "coco",
            "[1.0, 2.0, 2, ",
            "[1.0, 2.0, ",
            "annotations[0].keypoints: 5 numbers, expected 6",
        ),
        ("coco", "[1.0, 2.0, 2, ", "[1.0, NaN, 2, ", "coco.json: not JSON: NaN is not a number of"),
        ("coco", '"image_id": 1', '"image_id": 5', "annotations[0].image_id is 5, expected the id"),
        ("coco", '"iscrowd": 0', '"id": 0', "coco.json: not JSON: two keys 'id' in one object"),
        ("coco", "a.png", "a.png\\udcff", "its name has letters that are not printable"),
        ("via", '"cx": 1.0', '"cx": 1e400', "is 1E+400, expected a number"),
        ("via", '"point": "1"', '"point": "2"', "two points '2' in one face"),
        ("via", '"point": "1"', '"point": "99999"', "a point 99999, expected 10000 at most"),
        (
            "cvat",
            'points="1.5,2.5"',
            'points="1.5;2.5"',
            "points 1: points is '1.5;2.5', expected p",
        ),
        (
            "cvat",
            'width="333"',
            'width="0"',
            "image 1 (a.png): width is '0', expected a whole numb",
        ),
        ("cvat", 'outside="0"', 'outside="no"', "outside is 'no', expected 0 or 1"),
        ("cvat", "</image>", "</picture>", "cvat.xml:"),
        ("imglab", 'x="1"', 'x="one"', "images 1, image 1 (a.png), box 1, part 1 (00): x is 'one'"),
        ("imglab", 'file="a.png"', "", "images 1, image 1: no attribute 'file'"),
        (
            "label-studio",
            '"original_width": 333',
            '"original_width": 0',
            "original_width is 0, expe",
        ),
        ("label-studio", '"image_rotation": 0', '"image_rotation": 90', "is 90, expected 0: an im"),
        ("csv", "1.0,2.0", "1.0,two", "csv.csv:2: y0 is 'two', expected a number or nan"),
        ("csv", "1.0,2.0", "1.0,nan", "face 1: point 1 is 1.0, nan, expected numbers within"),
        (
            "csv",
            "1.0,2.0",
            "1.0,2e7",
            "point 1 is 1.0, 20000000.0, expected numbers within",
        ),
        ("csv", "0,1\n", "0,yes\n", "csv.csv:2: hidden1 is 'yes', expected 0 or 1"),
    ],
)
def test_what_is_wrong_is_named(
    images: Path, tmp_path: Path, form: str, old: str, new: str, said: str
) -> None:
    path = save([FACE], tmp_path, form, images)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(AnnotationError) as error:
        conversion.read(path, form)
    assert said in str(error.value) and str(path) in str(error.value)


def test_labels_of_no_known_format_are_refused(images: Path, tmp_path: Path) -> None:
    for name, text, expected in (
        ("a.json", '{"a": 1}', "coco or label-studio or via"),
        ("a.xml", "<a/>", "cvat or imglab"),
        ("a.csv", "a,b\n1,2\n", "csv"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=f"{name}: not known which labels .* name {expected} "):
            conversion.read(tmp_path / name)
    (tmp_path / "a.txt").touch()
    with pytest.raises(InputError, match=r"a\.txt: expected a folder or a file of \.csv, \.json,"):
        conversion.read(tmp_path / "a.txt")
    with pytest.raises(InputError, match="No such file"):
        conversion.read(tmp_path / "none.json")
    with pytest.raises(InputError, match=r"images: not known which labels .* name pts or labelme"):
        conversion.read(images)


@pytest.mark.parametrize("form", FORMATS)
def test_files_that_are_there_are_never_changed(images: Path, tmp_path: Path, form: str) -> None:
    save([FACE], tmp_path, form, images)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="is there already; remove it or write to another place"):
        save([FACE], tmp_path, form, images)
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("form", ["coco", "cvat", "label-studio", "via"])
def test_an_image_whose_size_is_needed_must_be_there(tmp_path: Path, form: str) -> None:
    with pytest.raises(InputError, match=r"a\.png: No such file.*; .* is needed: name the folder"):
        conversion.write(place(tmp_path, form), [FACE], FORMATS[form], Images(tmp_path))


@pytest.mark.parametrize("form", ["pts", "labelme"])
def test_two_images_whose_labels_would_have_one_file_are_refused(
    images: Path, tmp_path: Path, form: str
) -> None:
    other = LabelledFace("a.jpg", FACE.points, FACE.hidden)
    with pytest.raises(InputError, match=r"a\.(pts|json): two .* 'a\.jpg'"):
        save([FACE, other], tmp_path, form, images)
    assert not place(tmp_path, form).exists()
