"""Suspect labels go to an annotation tool, and come back as a patch."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from facealign.core import images
from facealign.core.errors import AnnotationError, ImageError, InputError
from facealign.core.faces import Faces
from facealign.data import patches
from facealign.inference.suspects import ranking
from facealign.inference.suspects.export import FILES, SHEET, export
from facealign.labels import conversion
from facealign.labels.correction import correct
from tests.data.test_filtering import add_face

NAMES = [f"300W/{name}.png" for name in ("test/b", "train/a", "train/c")]


@pytest.fixture
def root(tmp_path: Path, face: np.ndarray) -> Path:
    for number, name in enumerate(NAMES):
        add_face(tmp_path / "faces", name.removesuffix(".png"), face + 100 + number / 4)
    return tmp_path / "faces"


@pytest.fixture
def table(tmp_path: Path, face: np.ndarray) -> Path:
    ranked = Faces.of(
        NAMES,
        rank=np.arange(1, 4),
        score=np.array([9.5, 2.5, 1.0]),
        kind=["mirrored", "part: mouth", "fits"],
        other=["", "", ""],
        distance=np.full(3, 0.1),
        usual=np.full(3, 0.02),
        points=np.stack([face + 103] * 3),
    )
    ranked.write(tmp_path / "suspects.csv", *ranking.COLUMNS)
    return tmp_path / "suspects.csv"


@pytest.mark.parametrize("form", FILES)
def test_the_first_faces_are_written_with_their_pictures_and_labels(
    root: Path, table: Path, tmp_path: Path, form: str
) -> None:
    ranked = export(table, tmp_path / "out", form, 2, root)
    assert ranked.images == NAMES[:2]
    files = {path.relative_to(tmp_path / "out").as_posix() for path in images_and_more(tmp_path)}
    assert files == {*NAMES[:2], FILES[form], SHEET}
    assert (tmp_path / "out" / NAMES[0]).read_bytes() == (root / NAMES[0]).read_bytes()
    name, labels = conversion.read(tmp_path / "out" / FILES[form])
    assert name == form and [face.image for face in labels.faces] == NAMES[:2]
    limit = 0.5 if form == "imglab" else 1e-9
    for face in labels.faces:
        assert np.abs(face.points - patches.present(root, face.image, {})).max() <= limit
    assert correct(tmp_path / "out", root).points == {}  # nothing was corrected yet


def images_and_more(folder: Path) -> list[Path]:
    return [path for path in (folder / "out").rglob("*") if path.is_file()]


def test_an_archive_has_the_same_files(root: Path, table: Path, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        export(table, tmp_path / name, "cvat", 9, root)
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == [*NAMES, FILES["cvat"], SHEET]
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert correct(tmp_path / "one.zip", root).points == {}


def test_the_labels_are_those_after_the_patches(
    root: Path, table: Path, tmp_path: Path, face: np.ndarray
) -> None:
    patches.write(tmp_path / "p.csv", {NAMES[0]: face + 120.5})
    export(table, tmp_path / "out", "cvat", 1, root, [tmp_path / "p.csv"])
    [labelled] = conversion.read(tmp_path / "out" / FILES["cvat"])[1].faces
    np.testing.assert_array_equal(labelled.points, face + 120.5)


def test_the_sheet_shows_labels_and_what_is_expected(
    root: Path, table: Path, tmp_path: Path
) -> None:
    export(table, tmp_path / "out", "cvat", 1, root)
    sheet = images.read(tmp_path / "out" / SHEET).astype(int)
    red, green = (sheet[..., i] - sheet[..., 1 - i] > 60 for i in (0, 1))
    assert red.sum() > 100 and green.sum() > 100


def test_what_is_there_stays_and_an_empty_table_is_an_error(
    root: Path, table: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"faces is there already; remove it or"):
        export(table, root, "cvat", 1, root)
    head = table.read_text(encoding="utf-8").splitlines()[0]
    table.write_text(f"{head}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"suspects.csv: no ranked face; name networks in suspec"):
        export(table, tmp_path / "out", "cvat", 1, root)


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_an_image_that_cannot_be_read_leaves_nothing(
    root: Path, table: Path, tmp_path: Path, name: str
) -> None:
    (root / NAMES[1]).write_bytes(b"no picture")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ImageError, match=r"faces/300W/train/a.png: not a picture"):
        export(table, tmp_path / name, "cvat", 9, root)
    assert sorted(tmp_path.iterdir()) == before


def test_a_table_cannot_lead_out_of_the_folder(root: Path, table: Path, tmp_path: Path) -> None:
    text = table.read_text(encoding="utf-8")
    for name in ("../a.png", f"{root}/{NAMES[1]}"):
        table.write_text(text.replace(NAMES[1], name), encoding="utf-8")
        with pytest.raises(AnnotationError, match=r"suspects.csv: image '.*', expected a path in"):
            export(table, tmp_path / "out", "cvat", 9, root)
    assert not (tmp_path / "out").exists()
