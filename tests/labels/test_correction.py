"""Corrected labels become a patch of the faces that changed."""

import shutil
import warnings
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
    for name in ("../out.xml", "C:/out.xml"):
        with pytest.raises(
            AnnotationError, match=rf"corrected.zip: file '{name}', expected a path"
        ):
            correct(zipped(tmp_path, source, name), root)
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(AnnotationError, match=r"bad.zip: not a zip archive that can be read"):
        correct(tmp_path / "bad.zip", root)
    with pytest.raises(AnnotationError, match=r"gone.zip: No such file"):
        correct(tmp_path / "gone.zip", root)


def test_errors_in_an_archive_name_the_archive(root: Path, tmp_path: Path) -> None:
    labelled(root, "cvat").write_text("<annotations><image/></annotations>", encoding="utf-8")
    with pytest.raises(AnnotationError, match=rf"^{tmp_path}/corrected.zip/job/a.xml: .*image"):
        correct(zipped(tmp_path, tmp_path / "faces.xml", "job/a.xml"), root)


def archived(
    folder: Path, *files: tuple[str, bytes], compression: int = zipfile.ZIP_STORED
) -> Path:
    with (
        warnings.catch_warnings(action="ignore"),  # of two files of one name
        zipfile.ZipFile(folder / "corrected.zip", "w", compression) as archive,
    ):
        for name, data in files:
            archive.writestr(name, data)
    return folder / "corrected.zip"


def test_what_macos_adds_to_an_archive_is_not_read(
    root: Path, tmp_path: Path, face: np.ndarray
) -> None:
    data = labelled(root, "cvat", a=face + 130).read_bytes()
    files = ("a.xml/", b""), ("a.xml/b.xml", data), ("__MACOSX/a.xml/._b.xml", b"\0\5")
    assert list(correct(archived(tmp_path, *files), root).points) == [A]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([("a.xml", b""), ("a.xml", b"")], r"two files 'a.xml'"),
        ([("a.xml", b""), ("b.csv", b"")], r"expected one file of labels, found a.xml and b.csv"),
        ([("a.xml", b""), ("a.xml/b.csv", b"")], r"(File exists|Not a directory)"),
        ([("x" * 300 + ".csv", b"")], r"File name too long"),
        ([("a\x1b.csv", b"")], r"file 'a.*': its name has letters"),
        ([("a.png", b"")], r"not known which labels these are; name pts or labelme with --from"),
    ],
)
def test_an_archive_that_cannot_be_used_is_named(
    root: Path, tmp_path: Path, files: list[tuple[str, bytes]], said: str
) -> None:
    with pytest.raises(InputError, match=rf"^{tmp_path}/corrected.zip: {said}"):
        correct(archived(tmp_path, *files), root)


def test_an_archive_has_limits(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correction, "MOST_BYTES", 2**21)
    bomb = archived(tmp_path, ("a.csv", bytes(2**22)), compression=zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 2**14
    with pytest.raises(AnnotationError, match=r"corrected.zip: labels of more than 2 MiB"):
        correct(bomb, root)
    many = archived(tmp_path, *((f"{number}.pts", b"") for number in range(2**11 + 1)))
    with pytest.raises(AnnotationError, match=r"corrected.zip: labels of more than 2 MiB"):
        correct(many, root)
    other = archived(tmp_path, ("a.csv", b"x"), compression=zipfile.ZIP_LZMA)
    with pytest.raises(AnnotationError, match=r"zip: 'a.csv' is neither stored nor deflated"):
        correct(other, root)


def test_one_file_of_labelme_is_one_of_a_folder(
    root: Path, tmp_path: Path, face: np.ndarray
) -> None:
    folder = labelled(root, "labelme", a=face + 130)
    (folder / "300W/test/b.json").unlink()
    (folder / "Menpo/train/b.json").unlink()
    assert list(correct(folder, root).points) == [A]


def renamed(source: Path, old: str, new: str) -> Path:
    source.write_text(source.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return source


def test_images_are_found_by_the_ends_of_their_names(
    root: Path, face: np.ndarray, tmp_path: Path
) -> None:
    source = labelled(root, "csv", a=face + 130)
    assert list(correct(renamed(source, A, "a.png"), root).points) == [A]
    assert list(correct(renamed(source, "a.png", f"project-1/{A}"), root).points) == [A]
    with pytest.raises(
        AnnotationError, match=r"faces.csv: 'b.png': 300W.* or Menpo.*\? expected one"
    ):
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


def test_a_point_may_get_its_first_label(root: Path, face: np.ndarray) -> None:
    before = face + 100
    before[[4, 5]] = np.nan
    add_face(root, A.removesuffix(".png"), before)
    done = correct(labelled(root, "csv", a=face + 100), root)
    np.testing.assert_allclose(done.points[A], face + 100)
    assert np.flatnonzero(np.isnan(done.moved[A])).tolist() == [4, 5]


def test_an_image_under_two_names_is_refused(root: Path, face: np.ndarray) -> None:
    source = labelled(root, "csv", a=face + 130)
    line = next(one for one in source.read_text(encoding="utf-8").splitlines() if A in one)
    with source.open("a", encoding="utf-8") as file:
        file.write(line.replace(A, "a.png") + "\n")
    with pytest.raises(AnnotationError, match=rf"'a.png': {A} is there as '{A}', too"):
        correct(source, root)


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
