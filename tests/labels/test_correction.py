"""Corrected labels become a patch of the faces that changed."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from facealign.core.errors import AnnotationError, InputError
from facealign.data import patches
from facealign.data.filtering import filter_faces
from facealign.labels import conversion, correction
from facealign.labels.correction import correct
from facealign.labels.faces import Images, LabelledFace
from facealign.labels.formats import FORMATS
from tests.data.test_filtering import add_face

A, B, C = "300W/train/a.png", "300W/test/b.png", "Menpo/train/b.png"
FILES = {"cvat": "faces.xml", "imglab": "faces.xml", "label-studio": "faces.json"}
FILES |= {"coco": "faces.json", "via": "faces.json", "csv": "faces.csv", "pts": "out"}
FILES |= {"labelme": "changed"}


@pytest.fixture
def root(tmp_path: Path, face: np.ndarray) -> Path:
    for number, name in enumerate((A, B, C)):
        add_face(tmp_path / "faces", name.removesuffix(".png"), face + 100 + number / 3)
    return tmp_path / "faces"


def labelled(root: Path, form: str, **points: np.ndarray) -> Path:
    """The labels of all images in a format of a tool, with these points of some."""
    changed = shutil.copytree(root, root.parent / "changed")
    for name, its in points.items():
        add_face(changed, {"a": A, "b": B, "c": C}[name].removesuffix(".png"), its)
    source = root.parent / FILES[form]
    faces = conversion.read(changed, "pts")[1].faces
    for path in changed.rglob("*.pts"):
        path.unlink()
    conversion.write(source, faces, FORMATS[form], Images(changed))
    return source


def present(root: Path, image: str) -> np.ndarray:
    return patches.present(root, image, {})


@pytest.mark.parametrize("form", FILES)
def test_only_what_was_moved_is_in_the_patch(root: Path, face: np.ndarray, form: str) -> None:
    moved = face + 100
    moved[3] += (12, 5)
    done = correct(labelled(root, form, a=moved), root)
    assert (done.format, done.faces, list(done.points)) == (form, 3, [A])
    expected = present(root, A)
    np.testing.assert_array_equal(np.delete(done.points[A], 3, 0), np.delete(expected, 3, 0))
    assert done.points[A][3] - expected[3] == pytest.approx([12, 5], abs=0.5)
    assert np.flatnonzero(done.moved[A]).tolist() == [3]
    assert done.moved[A][3] == pytest.approx(13, abs=0.8)


def test_points_that_the_tool_has_rounded_are_not_changed(root: Path) -> None:
    source = labelled(root, "csv")
    table = conversion.read(source)[1].faces
    source.unlink()
    for face in table:
        face.points[:] = face.points.round(2)
    conversion.write(source, table, FORMATS["csv"], Images(root))
    assert correct(source, root).points == {}


def test_the_patch_gives_filter_what_was_corrected(
    root: Path, tmp_path: Path, face: np.ndarray
) -> None:
    done = correct(labelled(root, "cvat", a=face + 130, b=face + 131.25), root)
    assert sorted(done.points) == [B, A]
    correction.write(tmp_path / "p.csv", done.points)
    lines = (tmp_path / "p.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in lines] == ["image", B, A]
    patched = patches.read([tmp_path / "p.csv"])
    faces, _ = filter_faces(root, ["300W"], patched=patched)
    np.testing.assert_array_equal(faces.points, [face + 131.25, face + 130])
    again = correct(tmp_path / "faces.xml", root, [tmp_path / "p.csv"])
    assert again.points == {}  # after the patch, these are the present labels
    with pytest.raises(InputError, match=r"p.csv is there already"):
        correction.write(tmp_path / "p.csv", done.points)


def zipped(folder: Path, source: Path, inside: str) -> Path:
    with zipfile.ZipFile(folder / "corrected.zip", "w") as archive:
        archive.write(source, inside)
        archive.writestr("images/default/a.png", b"a picture, which is not looked at")
    return folder / "corrected.zip"


def test_an_archive_of_a_tool_is_read(root: Path, tmp_path: Path, face: np.ndarray) -> None:
    source = labelled(root, "cvat", a=face + 130)
    done = correct(zipped(tmp_path, source, "annotations.xml"), root)
    assert list(done.points) == [A]


def test_an_archive_cannot_write_elsewhere(root: Path, tmp_path: Path, face: np.ndarray) -> None:
    source = labelled(root, "cvat", a=face + 130)
    with pytest.raises(AnnotationError, match=r"corrected.zip: image '../out.xml', expected"):
        correct(zipped(tmp_path, source, "../out.xml"), root)
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(AnnotationError, match=r"bad.zip: not a zip archive that can be read"):
        correct(tmp_path / "bad.zip", root)
    with pytest.raises(AnnotationError, match=r"gone.zip: No such file"):
        correct(tmp_path / "gone.zip", root)


def renamed(source: Path, old: str, new: str) -> Path:
    source.write_text(source.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return source


def test_images_are_found_by_the_ends_of_their_names(
    root: Path, face: np.ndarray, tmp_path: Path
) -> None:
    source = labelled(root, "csv", a=face + 130)
    assert list(correct(renamed(source, A, "a.png"), root).points) == [A]
    assert list(correct(renamed(source, "a.png", f"project-1/{A}"), root).points) == [A]
    with pytest.raises(AnnotationError, match=r"faces.csv: 'b.png': no image .*; .* or .*\?"):
        correct(renamed(source, B, "b.png"), root)
    with pytest.raises(AnnotationError, match=r"faces.csv: 'x.png': no image of this name in .*s$"):
        correct(renamed(source, "b.png", "x.png"), root)


def said_of(root: Path, source: Path, points: np.ndarray) -> str:
    faces = conversion.read(source)[1].faces
    source.unlink()
    form = FORMATS["csv"]
    [one] = [one for one in faces if one.image == A]
    changed = LabelledFace(A, points, np.zeros(len(points), bool))
    rest = [face for face in faces if face is not one]
    conversion.write(source, [changed, *rest], form, Images(root))
    with pytest.raises(AnnotationError) as error:
        correct(source, root)
    return str(error.value)


def test_errors_name_the_image(root: Path, face: np.ndarray) -> None:
    source = labelled(root, "csv")
    where = f"{source}: {A!r}: "
    assert said_of(root, source, face[:67]) == f"{where}67 points, expected 68"
    lost = face + 100
    lost[4] = np.nan
    assert said_of(root, source, lost) == f"{where}point 5 is not labelled any more"


def test_two_faces_of_an_image_are_refused(root: Path) -> None:
    source = labelled(root, "csv")
    line = next(one for one in source.read_text(encoding="utf-8").splitlines() if A in one)
    with source.open("a", encoding="utf-8") as file:
        file.write(line.replace(f"{A},1,", f"{A},2,") + "\n")
    with pytest.raises(AnnotationError, match=r"a.png': 2 faces, expected one"):
        correct(source, root)


def test_a_patch_has_one_number_of_points(tmp_path: Path, face: np.ndarray) -> None:
    with pytest.raises(InputError, match="one number of points, not 39 and 68: apply apart"):
        correction.write(tmp_path / "p.csv", {A: face, B: face[:39]})
