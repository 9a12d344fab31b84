"""Labels corrected one by one, and the patch that holds the changes."""

from pathlib import Path

import numpy as np
import pytest

from facealign.core.errors import AnnotationError, InputError
from facealign.core.faces import Faces
from facealign.data import patches
from facealign.data.annotations import format_pts
from facealign.data.filtering import filter_faces
from facealign.inference.suspects import ranking
from facealign.labels import edits
from facealign.labels.edits import Edits
from tests.data.test_filtering import add, add_face

A, B, C = "300W/test/b.png", "300W/train/a.png", "300W/train/c.png"


@pytest.fixture
def root(tmp_path: Path, face: np.ndarray) -> Path:
    for number, name in enumerate((A, B, C)):
        add_face(tmp_path / "faces", name.removesuffix(".png"), face + 100 + number / 3)
    return tmp_path / "faces"


@pytest.fixture
def work(root: Path, tmp_path: Path) -> Edits:
    return Edits(root, edits.in_folder(root), tmp_path / "patches" / "p.csv")


def again(work: Edits) -> Edits:
    """As after a restart."""
    return Edits(work.root, work.items, work.out)


def moved(work: Edits, number: int, by: tuple[float, float] = (12, 5)) -> list[list[float]]:
    points = work.label(number).points.copy()
    points[3] += by
    return points.tolist()


def test_each_change_is_in_a_patch_that_filter_reads(work: Edits) -> None:
    wanted = {B: moved(work, 1), A: moved(work, 0, (1, 0))}
    assert work.change(1, wanted[B])
    assert list(patches.read([work.out])) == [B]
    assert work.change(0, wanted[A])
    patched = patches.read([work.out])
    faces, _ = filter_faces(work.root, ["300W"], patched=patched)
    assert faces.images == [A, B, C] and list(patched) == [A, B]
    np.testing.assert_array_equal(faces.points[:2], [wanted[A], wanted[B]])
    twin = work.out.with_name("twin.csv")
    patches.write(twin, {image: np.array(points) for image, points in wanted.items()})
    assert work.out.read_bytes() == twin.read_bytes()  # as `labels apply` writes it


def test_the_same_patch_goes_on_and_forgets_what_is_restored(work: Edits) -> None:
    work.change(1, moved(work, 1))
    work.change(2, moved(work, 2))
    later = again(work)
    assert (later.changed(), later.count) == ([1, 2], 2)
    label = later.label(1)
    assert label.points.tolist() == moved(work, 1, (0, 0)) != label.original.tolist()
    assert not later.change(1, label.original.tolist())
    assert list(patches.read([work.out])) == [C]
    later.change(2, later.label(2).original.tolist())
    assert not work.out.exists() and again(work).count == 0


def test_earlier_patches_are_the_original(work: Edits, tmp_path: Path, face: np.ndarray) -> None:
    patches.write(tmp_path / "first.csv", {A: face + 120})
    second = Edits(work.root, work.items, work.out, [tmp_path / "first.csv"])
    np.testing.assert_array_equal(second.label(0).points, face + 120)
    assert not second.change(0, (face + 120).tolist())
    with pytest.raises(InputError, match=r"first.csv: --out has its changes without --patch"):
        Edits(work.root, work.items, tmp_path / "first.csv", [tmp_path / "first.csv"])


@pytest.mark.parametrize(
    "given",
    [
        None,
        "points",
        {"x": 1},
        [[1, 2]] * 67,
        [[1, 2, 3]] * 68,
        [[1, 2]] * 67 + [[1]],
        [[1, None]] * 68,
        [[1, float("nan")]] * 68,
        [[1, 1e8]] * 68,
        [[1, 10**400]] * 68,
    ],
)
def test_what_are_no_points_changes_nothing(work: Edits, given: object) -> None:
    with pytest.raises(AnnotationError, match="expected 68 points of two numbers within 10,000,00"):
        work.change(0, given)
    assert not work.out.exists() and work.count == 0


def test_a_patch_that_somebody_else_changed_is_not_overwritten(work: Edits) -> None:
    one, other = again(work), again(work)
    one.change(0, moved(work, 0))
    with pytest.raises(InputError, match=r"p.csv was changed by another program: start again"):
        other.change(1, moved(work, 1))
    assert list(patches.read([work.out])) == [A]


def test_a_patch_has_one_number_of_points(work: Edits, face: np.ndarray) -> None:
    add_face(work.root, C.removesuffix(".png"), face[:39])
    work.change(0, moved(work, 0))
    with pytest.raises(InputError, match=rf"p.csv: {C} has 39 points, its other labels have"):
        work.change(2, moved(work, 2))
    assert list(patches.read([work.out])) == [A] and work.changed() == [0]


def test_a_label_that_cannot_be_used_names_its_line(work: Edits, face: np.ndarray) -> None:
    text = format_pts(face)
    add(work.root, "300W/test/b.pts", text.replace(text.splitlines()[4], "x y"))
    with pytest.raises(AnnotationError, match=r"b.pts:5: 'x y', expected a point's two numbers"):
        work.label(0)
    lost = face.copy()
    lost[4] = np.nan
    add(work.root, "300W/test/b.pts", format_pts(lost))
    with pytest.raises(AnnotationError, match=r"b.png: point 5 is not labelled, expected all"):
        work.label(0)
    assert len(work.label(1).points) == 68


def test_a_patch_that_cannot_be_used_is_refused_at_the_start(work: Edits, face: np.ndarray) -> None:
    patches.write(work.out, {"300W/train/gone.png": face})
    with pytest.raises(AnnotationError, match=r"p.csv:2: no image '300W/train/gone.png' in"):
        again(work)
    work.out.write_text("image,x0,y0\na.png,1,x\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"p.csv:2: y0 is 'x', expected a number"):
        again(work)


def test_a_folder_gives_the_images_with_points(root: Path, tmp_path: Path) -> None:
    add(root, "300W/train/bare.png", b"no points")
    add(root, "300W/train/._c.png", b"of macOS")
    assert [item.image for item in edits.in_folder(root)] == [A, B, C]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty: no image with a .pts of the same name"):
        edits.in_folder(tmp_path / "empty")
    with pytest.raises(InputError, match=r"gone: No such file or directory"):
        edits.in_folder(tmp_path / "gone")


def test_a_table_of_suspects_gives_their_order_and_what_is_expected(
    root: Path, tmp_path: Path, face: np.ndarray
) -> None:
    def table(*names: str) -> Path:
        numbers = {
            name: np.arange(9, 9 - len(names), -1.0) for name in ("rank", "score", "distance")
        }
        ranked = Faces.of(
            names,
            **numbers,
            usual=numbers["score"],
            **{name: ["part: mouth"] * len(names) for name in ("kind", "other")},
            points=np.stack([face + 103] * len(names)),
        )
        ranked.write(tmp_path / "suspects.csv", *ranking.COLUMNS)
        return tmp_path / "suspects.csv"

    items = edits.in_table(table(C, A), root)
    assert [item.image for item in items] == [C, A]
    assert [item.note for item in items] == ["part: mouth, score 9.0", "part: mouth, score 8.0"]
    np.testing.assert_array_equal(items[0].expected, face + 103)
    with pytest.raises(InputError, match=r"suspects.csv:3: no image '300W/test/x.png' in"):
        edits.in_table(table(A, "300W/test/x.png"), root)
    add(tmp_path, "out.png", b"no face of this folder")
    with pytest.raises(AnnotationError, match=r"suspects.csv:2: image '300W/../../out.png', exp"):
        edits.in_table(table("300W/../../out.png"), root)


def test_a_list_gives_its_images_once(root: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text(f"{C}\n{A}\n{C}\n", encoding="utf-8")
    assert [item.image for item in edits.in_list(names, root)] == [C, A]
    names.write_text(f"{A}\n../faces/{A}\n", encoding="utf-8")
    with pytest.raises(AnnotationError, match=r"names.txt:2: image '../faces/300W"):
        edits.in_list(names, root)
    names.write_bytes(b"\xff\n")
    with pytest.raises(InputError, match=r"names.txt: not UTF-8"):
        edits.in_list(names, root)
    names.write_bytes(b"")
    with pytest.raises(InputError, match=r"names.txt: empty, expected an image a line"):
        edits.in_list(names, root)
    with pytest.raises(InputError, match=r"gone.txt: No such file"):
        edits.in_list(tmp_path / "gone.txt", root)
