from pathlib import Path

import numpy as np
import pytest

from facealign.core.errors import InputError
from facealign.core.faces import Faces
from facealign.core.geometry import Box
from facealign.core.tables import point_columns

POINT_COLUMNS, FIVE = point_columns(68), point_columns(5)
IMAGES = ["300W/test/a.jpg", "300W/train/b.jpg", "Menpo/test/Ann/c.jpg"]
BOXES = np.array([[1.0, 2, 30.5, 40], [0, 0, 9, 9], [-5, 0, 5, 10]])


def some_points(count: int = 68) -> np.ndarray:
    return np.random.default_rng(count).normal(100, 50, (3, count, 2))


@pytest.fixture
def faces() -> Faces:
    return Faces.of(IMAGES, box=BOXES, points=some_points(), source=["x", "y", "z"])


@pytest.mark.parametrize("count", [68, 5, 98, 478])
def test_a_table_reads_back_exactly(tmp_path: Path, count: int) -> None:
    path = tmp_path / "a.csv"
    faces = Faces.of(
        IMAGES,
        size=np.array([[640, 480], [1, 2], [3, 4]]),
        box=BOXES,
        points=some_points(count),
        scores=some_points(count)[..., 0],
        source=["7", "a,b", ""],
        yaw=np.array([0.1, -20, 1e-9]),
    )
    faces.write(path, "dataset", "split", "size", "box", "source", "yaw", "points", "scores")
    heads, first, *_ = path.read_text(encoding="utf-8").splitlines()
    assert heads.startswith("image,dataset,split,width,height,left,top,right,bottom,source,yaw,x0,")
    assert first.startswith("300W/test/a.jpg,300W,test,640,480,1.0,2.0,30.5,40.0,7,0.1,")
    read = Faces.read(path, "yaw")
    assert read.columns.keys() == {*faces.columns, "dataset", "split"}
    for name, column in faces.columns.items():
        np.testing.assert_array_equal(read[name], column)
        assert read[name].dtype == column.dtype


def test_a_table_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    empty = Faces.of([], size=np.empty((0, 2), int), points=np.empty((0, 5, 2)))
    empty.write(tmp_path / "a.csv", "size", "points")
    read = Faces.read(tmp_path / "a.csv")
    assert len(read) == 0 and read.points.shape == (0, 5, 2) and read["size"].shape == (0, 2)


def test_dataset_and_split_are_columns_or_else_of_the_path(faces: Faces) -> None:
    assert faces.datasets.tolist() == ["300W", "300W", "Menpo"]
    assert faces.splits.tolist() == ["test", "train", "test"]
    assert faces.with_columns(split=["train"] * 3).splits.tolist() == ["train"] * 3


def test_rows_are_found_by_data_set_and_split(faces: Faces) -> None:
    assert faces.where(split="test").images == [IMAGES[0], IMAGES[2]]
    assert faces.where(dataset="300W", split="test").images == IMAGES[:1]
    assert len(faces.where(dataset="LFPW")) == 0


def test_a_subset_has_its_rows_of_every_column(faces: Faces) -> None:
    few = faces.subset(np.array([2, 0]))
    assert few.images == [IMAGES[2], IMAGES[0]] and few["source"].tolist() == ["z", "x"]
    np.testing.assert_array_equal(few.points, faces.points[[2, 0]])
    assert few.box(1) == Box(1, 2, 30.5, 40)


def test_rows_come_in_the_order_they_are_asked_for(faces: Faces) -> None:
    assert faces.rows([IMAGES[2], IMAGES[0]]).tolist() == [2, 0]
    assert faces.rows([]).tolist() == []


def test_joined_tables_are_matched_by_image_and_keep_the_first_ones_rows_and_columns(
    faces: Faces,
) -> None:
    other = Faces.of(IMAGES[::-1], source=["no"] * 3, yaw=np.array([3.0, 2, 1]))
    joined = faces.subset(slice(1, 3)).join(other)
    assert joined.images == IMAGES[1:]
    assert joined["yaw"].tolist() == [2, 3] and joined["source"].tolist() == ["y", "z"]


def test_a_picture_that_the_other_table_lacks_is_named(tmp_path: Path, faces: Faces) -> None:
    faces.subset(slice(0, 1)).write(tmp_path / "few.csv", "box")
    with pytest.raises(InputError, match=r"few\.csv: no row for 300W/train/b\.jpg and 1 more"):
        faces.join(Faces.read(tmp_path / "few.csv"))


def test_a_missing_column_is_named_with_those_there_are(tmp_path: Path, faces: Faces) -> None:
    faces.write(tmp_path / "a.csv", "source")
    with pytest.raises(InputError, match=r"a\.csv: no column 'box', has image, source"):
        _ = Faces.read(tmp_path / "a.csv").boxes
    (tmp_path / "a.csv").write_text("image,left,top\na,1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.csv: no column 'right'"):
        Faces.read(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,left,top,right,bottom\na/b/c,1,1,1e308,9\n", "a box without width or height"),
        ("image,left,top,right,bottom\na/b/c,5,1,5,9\n", "a box without width or height"),
        ("image,left,top,right,bottom\na/b/c,0,0,1e-310,9\n", "a box without width or height"),
        (f"image,{','.join(FIVE)}\na/b/c{',1e308' * 10}\n", "a point far outside of any image"),
        (f"image,{','.join(POINT_COLUMNS[:-2])}\na/b/c{',1' * 134}\n", "columns of 67 points, no"),
        ("image,width,height\na/b/c,1e18,5\n", "a width or height that is no number of pixels"),
        ("image,width,height\na/b/c,1.5,5\n", "a width or height that is no number of pixels"),
    ],
)
def test_a_box_point_or_size_of_no_image_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=rf"t\.csv: {words}"):
        Faces.read(tmp_path / "t.csv")


@pytest.mark.parametrize("missing", [0, 9, 70, 134])
def test_a_table_with_a_part_of_the_points_is_refused(tmp_path: Path, missing: int) -> None:
    names = list(POINT_COLUMNS if missing > 9 else FIVE)
    names[missing] = "z"
    lines = f"image,{','.join(names)}\na/b/c{',1' * len(names)}\n"
    (tmp_path / "t.csv").write_text(lines, encoding="utf-8")
    with pytest.raises(InputError, match=rf"t\.csv: no column '{POINT_COLUMNS[missing]}'"):
        Faces.read(tmp_path / "t.csv")
