from pathlib import Path

import numpy as np
import pytest

from facealign.core.errors import AnnotationError
from facealign.data.annotations import format_pts, read_pts

PLAIN = "version: 1\nn_points: 2\n{\n10.5 20.25\n3 4\n}\n"


def read(folder: Path, text: str) -> np.ndarray:
    path = folder / "face.pts"
    path.write_bytes(text.encode())
    return read_pts(path)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.replace("version: 1", "version: 2"),
        PLAIN.replace("version: 1", "version: 1.0"),
        PLAIN.replace("version: 1\n", ""),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        "\ufeff" + PLAIN,
        PLAIN.replace("{\n", "").replace("}\n", ""),
        PLAIN.replace(": ", ":"),
        PLAIN.replace(": ", "  :  ").replace("version", "VERSION"),
        PLAIN.replace(" ", "   ").replace("\n", "  \n "),
        PLAIN.replace("25\n3 4", "25\n\n  \n3\t4\t"),
        PLAIN.replace("{\n", "{ # the two\n// points\n").replace("3 4", "3 4 # last"),
        PLAIN.replace("{\n", "{ ").replace("\n}", " }"),
        PLAIN.replace("10.5 20.25", "1.05e+01 2025E-2"),
        PLAIN.replace("10.5 20.25", "+10.50 020.25").replace("3 4", "3. 4.000"),
        PLAIN.removesuffix("\n"),
        "10.5 20.25\n3 4\n",
    ],
)
def test_every_way_to_write_a_file_gives_the_same_points_counted_from_0(
    tmp_path: Path, text: str
) -> None:
    np.testing.assert_array_equal(read(tmp_path, text), [[9.5, 19.25], [2, 3]])


def test_a_face_is_written_as_300w_writes_it_counted_from_1() -> None:
    assert format_pts(np.array([[0.0, 19.25], [2.0, -1.5]])) == (
        "version: 1\nn_points: 2\n{\n1.0 20.25\n3.0 -0.5\n}\n"
    )


def test_points_survive_many_round_trips_to_the_last_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    points = np.concatenate(
        [
            rng.uniform(-10, 4000, (500, 2)),
            rng.uniform(-1, 1, (100, 2)) * 10.0 ** rng.integers(-300, 300, (100, 2)),
            [[0.0, 5e-324], [1.7976931348623157e308, -1.0], [0.1, 1 / 3]],
        ]
    )
    again = points
    for _ in range(3):
        again = read(tmp_path, format_pts(again))
        np.testing.assert_array_equal(again, points)


def test_a_file_of_39_points_gives_39(tmp_path: Path) -> None:
    assert read(tmp_path, format_pts(np.ones((39, 2)))).shape == (39, 2)


@pytest.mark.parametrize("text", ["", "version: 1\nn_points: 0\n{\n}\n"])
def test_a_file_without_points_gives_none(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).shape == (0, 2)


def test_not_a_number_is_read_as_such(tmp_path: Path) -> None:
    points = read(tmp_path, "NaN 2\n3 -nan\ninf 1\n")
    np.testing.assert_array_equal(points, [[np.nan, 1], [2, np.nan], [np.inf, 0]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PLAIN.replace("points: 2", "points: 3"), "face.pts: 2 points, but n_points says 3"),
        (PLAIN.replace("points: 2", "points: two"), "face.pts:2: n_points 'two', expected a whole"),
        (PLAIN.replace("points: 2", "points: -2"), "face.pts:2: n_points '-2', expected a whole"),
        (PLAIN.replace("version: 1", "version: 3"), "face.pts:1: version 3, expected 1 or 2"),
        (PLAIN.replace("3 4", "three four"), "face.pts:5: 'three four', expected a point's two"),
        (PLAIN.replace("3 4", "3 4 5"), "face.pts:5: '3 4 5', expected a point's two numbers"),
        (PLAIN.replace("3 4", "3"), "face.pts:5: '3', expected a point's two numbers"),
        (PLAIN.replace("3 4", "3,4"), "face.pts:5: '3,4', expected a point's two numbers"),
        (PLAIN.replace("3 4", "3,0 4,0"), "face.pts:5: '3,0 4,0', expected a point's two numbers"),
        (PLAIN.replace("3 4", "1e9999999 4"), "face.pts:5: '1e9999999 4'"),
        (PLAIN.replace("\n3 4", "\n\n# a comment\n3 x"), "face.pts:7: '3 x', expected"),
        ("<html>not found</html>", "face.pts:1: '<html>not found<"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(AnnotationError) as error:
        read(tmp_path, text)
    assert str(error.value).startswith(f"{tmp_path / message}")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "face.pts").write_bytes(bytes(range(128, 256)))
    with pytest.raises(AnnotationError, match=r"face\.pts:1: "):
        read_pts(tmp_path / "face.pts")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=r"absent\.pts: No such file"):
        read_pts(tmp_path / "absent.pts")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PLAIN.replace("n_points: 2", f"n_points: {'9' * 5000}"), "expected a whole number"),
        (PLAIN.removesuffix("\n}\n"), "cut short: no closing brace"),
        (PLAIN.replace("3 4", f"3 {'4' * 2**20}"), "more than 1,048,576 bytes"),
        (PLAIN.replace("3 4", "x" * 2**19), "expected a point's two numbers"),
        (PLAIN.encode("utf-16").decode("latin-1"), "expected a point's two numbers"),
    ],
)
def test_a_file_that_is_cut_or_too_long_is_refused_in_a_short_line(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(AnnotationError) as error:
        read(tmp_path, text)
    assert words in str(error.value) and len(str(error.value)) < 500
