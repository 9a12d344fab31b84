import re
from pathlib import Path

import numpy as np
import pytest

from facealign.core import tables
from facealign.core.errors import InputError
from facealign.core.faces import Faces


def random_doubles(count: int) -> np.ndarray:
    """Every finite bit pattern is as likely as any other."""
    bits = np.random.default_rng(0).integers(0, 2**64, 2 * count, dtype=np.uint64)
    numbers = bits.view(np.float64)
    return numbers[np.isfinite(numbers)][:count]


def written(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_floats_read_back_exactly(tmp_path: Path) -> None:
    numbers = random_doubles(1000)
    tables.write(tmp_path / "a.csv", {"a": numbers, "b": -numbers})
    read = tables.read(tmp_path / "a.csv").numbers("a", "b")
    np.testing.assert_array_equal(read, np.column_stack([numbers, -numbers]))


def test_points_read_back_exactly_in_their_order(tmp_path: Path) -> None:
    points = random_doubles(3 * 68 * 2).reshape(3, 68, 2)
    path = tmp_path / "a.csv"
    tables.write(path, {"image": ["a", "b", "c"]}, points)
    np.testing.assert_array_equal(tables.read(path).points(), points)
    assert path.read_text().splitlines()[0].startswith("image,x0,y0,x1,y1,")


def test_names_with_commas_quotes_and_accents_read_back(tmp_path: Path) -> None:
    names = ["300W/train/a,b.jpg", 'Menpo/test/"é".png', "", "two\nlines"]
    tables.write(tmp_path / "a.csv", {"image": names})
    assert tables.read(tmp_path / "a.csv")["image"] == names


def test_a_table_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    tables.write(tmp_path / "a.csv", {"image": [], "width": []}, tables.stack([]))
    table = tables.read(tmp_path / "a.csv")
    assert len(table) == 0
    assert table.numbers("width", "x0").shape == (0, 2)
    assert table.points().shape == (0, 68, 2)


def test_a_missing_column_is_named_with_those_there_are(tmp_path: Path) -> None:
    table = tables.read(written(tmp_path, "image,left\na,1\n"))
    with pytest.raises(InputError, match=r"table\.csv: no column 'top', has image, left"):
        table.numbers("left", "top")


@pytest.mark.parametrize(("line", "cells"), [("c", 1), ("c,2,3", 3), ("", 0)])
def test_a_ragged_line_is_named_with_file_and_line(tmp_path: Path, line: str, cells: int) -> None:
    path = written(tmp_path, f"image,n\na,1\n{line}\nb,2\n")
    with pytest.raises(InputError, match=rf"table\.csv:3: {cells} cells, expected 2"):
        tables.read(path)


def test_a_word_for_a_number_is_refused(tmp_path: Path) -> None:
    table = tables.read(written(tmp_path, "image,n\na,one\n"))
    with pytest.raises(InputError, match=r"table\.csv:2: n is 'one'"):
        table.numbers("n")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"table\.csv: empty"):
        tables.read(written(tmp_path, ""))


def test_a_failed_write_leaves_the_earlier_table(tmp_path: Path) -> None:
    path = written(tmp_path, "image\na\n")
    with pytest.raises(ValueError, match="shorter"):
        tables.write(path, {"image": ["b", "c"], "n": [1]})
    assert path.read_text() == "image\na\n"
    assert list(tmp_path.iterdir()) == [path]


def test_the_split_is_the_second_folder_whatever_lies_below_it() -> None:
    assert tables.dataset_and_split("300W/train/test/a.png") == ("300W", "train")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"image,n,n\na,1,2\n", ":1: two columns 'n'"),
        (b"image,n\na,1\n\xff,2\n", ":3: not UTF-8"),
        (b"image,n\n" + b"a" * 200_000 + b",2\n", ":2: not a table: field larger"),
        (b"image,n\na,1\nb,nan\n", ":3: n is 'nan', expected a number"),
        (b"image,n\na,1\nb,1e999\n", ":3: n is '1e999', expected a number"),
        (b"image,n\na,1\nb," + b"x" * 5000 + b"\n", f":3: n is '{'x' * 40}', expected a number"),
    ],
)
def test_what_is_no_table_of_numbers_is_named_with_its_line(
    tmp_path: Path, data: bytes, words: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    with pytest.raises(InputError) as error:
        tables.read(path).numbers("n")
    assert str(error.value).startswith(f"{path}{words}")


def test_a_long_table_is_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "BLOCK", 3)
    count = 7
    known = Faces.of(
        [f"a/train/{i}.jpg" for i in range(count)],
        points=np.random.default_rng(0).normal(size=(count, 68, 2)),
        source=[f"upsample {i}" for i in range(count)],
    )
    known.write(tmp_path / "long.csv", "source", "points")
    assert [len(block) for block in tables.read_blocks(tmp_path / "long.csv")] == [3, 3, 1]
    read = Faces.read(tmp_path / "long.csv")
    assert read.images == known.images and read["source"].tolist() == known["source"].tolist()
    np.testing.assert_array_equal(read.points, known.points)


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (b"e,five\n", "weight is 'five', expected a number"),
        (b"e\n", "1 cells, expected 2"),
        (b"\xff,1\n", "not UTF-8"),
    ],
)
def test_errors_in_a_later_block_name_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: bytes, reason: str
) -> None:
    monkeypatch.setattr(tables, "BLOCK", 2)
    path = tmp_path / "long.csv"
    path.write_bytes(b"image,weight\na,1\nb,1\nc,1\nd,1\n" + last)
    with pytest.raises(InputError, match=re.escape(f"{path}:6: {reason}")):
        Faces.read(path, "weight")
