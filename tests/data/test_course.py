from pathlib import Path

import numpy as np
import pytest

from facealign.data.annotations import read_pts
from facealign.data.archive import extract
from facealign.data.filtering import filter_faces, summarise
from tests.data.archives import PICTURE, names_below, refusal, tgz

HEADER = ["", *map(str, range(136))]


def row(picture: str, face: np.ndarray) -> list[str]:
    return [picture, *map(str, face.ravel().tolist())]


def table(*rows: list[str], ends: str = "\r\n") -> bytes:
    return "".join(",".join(cells) + ends for cells in rows).encode()


@pytest.fixture
def files(face: np.ndarray) -> dict[str, bytes]:
    """Two faces to learn from and one to test on, the tables after the pictures as in the real one.

    The faces' numbers count from 1, as all of the course do.
    """
    return {
        "ytf/test/Ann_Lee_00.jpg": PICTURE,
        "ytf/test_frames_keypoints.csv": table(HEADER, row("Ann_Lee_00.jpg", face)),
        "ytf/training/Bo_10.jpg": PICTURE,
        "ytf/training/Bo_11.jpg": PICTURE,
        "ytf/training_frames_keypoints.csv": table(
            HEADER, row("Bo_11.jpg", face + 0.1), row("Bo_10.jpg", face + 7)
        ),
    }


@pytest.mark.parametrize("prefix", ["", "./"])
def test_each_picture_gets_its_points(
    tmp_path: Path, files: dict[str, bytes], face: np.ndarray, prefix: str
) -> None:
    counts = extract(tgz(tmp_path / "a.tgz", files, prefix), tmp_path / "faces")
    assert counts == ({"ytf": 5}, {})
    assert names_below(tmp_path / "faces") == [
        f"ytf/{stem}.{suffix}"
        for stem in ("test/Ann_Lee_00", "train/Bo_10", "train/Bo_11")
        for suffix in ("jpg", "pts")
    ]
    kept, drops = filter_faces(tmp_path / "faces", ["ytf"])
    assert drops == []
    for points, shift in zip(kept.points, (0, 7, 0.1), strict=True):
        np.testing.assert_allclose(points, face - 1 + shift, rtol=0, atol=1e-12)


def test_numbers_go_into_the_points_as_they_are_written(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    numbers = ["25", "1e2", "0.1000000000000000055", "-3.50", " 7.25 ", "nan"]
    numbers += ["1.0"] * (136 - len(numbers))
    files["ytf/test_frames_keypoints.csv"] = table(HEADER, ["Ann_Lee_00.jpg", *numbers])
    extract(tgz(tmp_path / "a.tgz", files), tmp_path / "faces")
    path = tmp_path / "faces" / "ytf" / "test" / "Ann_Lee_00.pts"
    text = path.read_text()
    head = "version: 1\nn_points: 68\n{\n25 1e2\n0.1000000000000000055 -3.50\n7.25 nan\n1.0 1.0\n"
    assert text.startswith(head) and text.endswith("1.0 1.0\n}\n")
    np.testing.assert_array_equal(read_pts(path)[:3], [[24, 99], [-0.9, -4.5], [6.25, np.nan]])


def test_both_layouts_in_one_archive(
    tmp_path: Path, files: dict[str, bytes], face: np.ndarray
) -> None:
    files |= {f"landmarks_task/300W/{split}/a.jpg": PICTURE for split in ("train", "test")}
    files |= {"readme.txt": b"", "other/training/a.jpg": PICTURE}
    unpacked, left_out = extract(tgz(tmp_path / "a.tgz", files), tmp_path / "faces")
    assert unpacked == {"landmarks_task": 2, "ytf": 5}
    assert left_out == {"readme.txt": 1, "other": 1}
    assert {path.name for path in (tmp_path / "faces").iterdir()} == {"300W", "ytf"}
    assert len(filter_faces(tmp_path / "faces", ["300W", "ytf"])[0]) == 3


@pytest.mark.parametrize(
    "spelling",
    [
        lambda text: text.replace(b"\r\n", b"\n"),
        lambda text: text.replace(b"\r\n", b"\r"),
        lambda text: text + b"\r\n\r\n",
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: b"image_name" + text,
        lambda text: text.replace(b"Ann_Lee_00.jpg", b'"Ann_Lee_00.jpg"'),
    ],
)
def test_ways_to_write_a_table(tmp_path: Path, files: dict[str, bytes], spelling: object) -> None:
    assert callable(spelling)
    name = "ytf/test_frames_keypoints.csv"
    files[name] = spelling(files[name])
    extract(tgz(tmp_path / "a.tgz", files), tmp_path / "faces")
    assert len(read_pts(tmp_path / "faces" / "ytf" / "test" / "Ann_Lee_00.pts")) == 68


def test_a_row_without_picture_and_a_picture_without_row_are_counted(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    files["ytf/test/Cy_01.jpg"] = files.pop("ytf/training/Bo_10.jpg")
    files["ytf/notes.txt"] = b""
    extract(tgz(tmp_path / "a.tgz", files), tmp_path / "faces")
    kept, drops = filter_faces(tmp_path / "faces", ["ytf"])
    assert kept.images == ["ytf/test/Ann_Lee_00.jpg", "ytf/train/Bo_11.jpg"]
    assert {drop.image: drop.reason for drop in drops} == {
        "ytf/notes.txt": "outside_splits",
        "ytf/test/Cy_01.jpg": "no_points",
        "ytf/train/Bo_10.pts": "no_image",
    }
    assert summarise(kept, drops)["ytf"]["train"]["reasons"] == {"no_image": 1}


def test_pictures_without_a_table_are_counted(tmp_path: Path, files: dict[str, bytes]) -> None:
    del files["ytf/training_frames_keypoints.csv"]
    extract(tgz(tmp_path / "a.tgz", files), tmp_path / "faces")
    drops = filter_faces(tmp_path / "faces", ["ytf"])[1]
    assert [drop.reason for drop in drops] == ["no_points", "no_points"]


def test_a_table_without_pictures_is_counted(tmp_path: Path, files: dict[str, bytes]) -> None:
    files = {name: contents for name, contents in files.items() if "/training/" not in name}
    extract(tgz(tmp_path / "a.tgz", files), tmp_path / "faces")
    drops = filter_faces(tmp_path / "faces", ["ytf"])[1]
    assert [drop.reason for drop in drops] == ["no_image", "no_image"]


NUMBERS = ["1.0"] * 136
GOOD = ["a.jpg", *NUMBERS]


@pytest.mark.parametrize(
    ("rows", "line", "said"),
    [
        ([], 1, "expected a line of 137 column names"),
        ([HEADER[:-1], GOOD], 1, "expected a line of 137 column names"),
        ([["Ann_Lee_00.jpg", *NUMBERS], GOOD], 1, "expected a line of 137 column names"),
        ([HEADER, GOOD, ["b.jpg", *NUMBERS[:-1]]], 3, "135 numbers, expected 136"),
        ([HEADER, GOOD, ["b.jpg", *NUMBERS, "1.0"]], 3, "137 numbers, expected 136"),
        ([HEADER, ["b.jpg"]], 2, "0 numbers, expected 136"),
        (
            [HEADER, ["b.jpg", "1.0", "one", *NUMBERS[2:]]],
            2,
            "'one' in column 3, expected a number",
        ),
        ([HEADER, ["b.jpg", *NUMBERS[1:], ""]], 2, "'' in column 137, expected a number"),
        ([HEADER, ["b.jpg", *NUMBERS[1:], "1_0"]], 2, "'1_0' in column 137, expected a number"),
        ([HEADER, GOOD, GOOD], 3, "'a.jpg' is in line 2, too"),
        ([HEADER, GOOD, ["a.png", *NUMBERS]], 3, "'a.png' is in line 2, too"),
        ([HEADER, ["", *NUMBERS]], 2, "'', expected the name of a file"),
        ([HEADER, ["..", *NUMBERS]], 2, "'..', expected the name of a file"),
        ([HEADER, ["../a.jpg", *NUMBERS]], 2, "'../a.jpg', expected the name of a file"),
        ([HEADER, ["/a.jpg", *NUMBERS]], 2, "'/a.jpg', expected the name of a file"),
        ([HEADER, ["a\\b.jpg", *NUMBERS]], 2, r"'a\\b.jpg', expected the name of a file"),
        ([HEADER, ["a\0.jpg", *NUMBERS]], 2, r"'a\x00.jpg', expected the name of a file"),
        ([HEADER, ['"a.jpg', *NUMBERS]], 2, "not a table: unexpected end of data"),
    ],
)
def test_a_broken_table_is_an_error_that_names_the_line(
    tmp_path: Path, files: dict[str, bytes], rows: list[list[str]], line: int, said: str
) -> None:
    files["ytf/test_frames_keypoints.csv"] = table(*rows)
    reason = refusal(tgz(tmp_path / "a.tgz", files))
    assert reason == f"ytf/test_frames_keypoints.csv:{line}: {said}"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ytf/test/Ann_Lee_00.pts", "'Ann_Lee_00.jpg' has its points in Ann_Lee_00.pts too"),
        ("ytf/train/Bo_10.jpg", "ytf/train: unexpected beside the course's training/"),
        ("landmarks_task/ytf/test/a.jpg", "ytf/ and landmarks_task/ytf would be the same data set"),
    ],
)
def test_what_would_mix_two_sources_is_refused(
    tmp_path: Path, files: dict[str, bytes], name: str, said: str
) -> None:
    assert said in refusal(tgz(tmp_path / "a.tgz", files | {name: b""}))


@pytest.mark.parametrize("picture", ["a" * 300 + ".jpg", "a" * 253 + ".jp"])
def test_a_name_that_no_file_can_have_is_one_clear_line(
    tmp_path: Path, files: dict[str, bytes], picture: str
) -> None:
    files["ytf/test_frames_keypoints.csv"] = table(HEADER, [picture, *NUMBERS])
    assert "too long" in refusal(tgz(tmp_path / "a.tgz", files))
