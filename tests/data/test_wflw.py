"""WFLW as it is released: pictures by event, and lists of faces with attributes."""

from pathlib import Path

import numpy as np
import pytest

from facealign.core import tables
from facealign.data.annotations import read_pts
from facealign.data.archive import extract
from facealign.data.filtering import filter_faces
from tests.data.archives import PICTURE, names_below, refusal, tgz

LISTS = "WFLW_annotations/list_98pt_rect_attr_train_test"
TRAIN, TEST = (f"{LISTS}/list_98pt_rect_attr_{split}.txt" for split in ("train", "test"))
POINTS, OTHER = np.random.default_rng(5).uniform(50, 150, (2, 98, 2)).round(6)


def line(picture: str, attributes: str = "0 0 0 0 0 0", points: np.ndarray = POINTS) -> str:
    numbers = " ".join(f"{value:.6f}" for value in points.ravel())
    return f"{numbers} 50 50 150 150 {attributes} {picture}\n"


@pytest.fixture
def files() -> dict[str, bytes]:
    pictures = ("0--Parade/0_Parade_1.jpg", "1--Car/1_Car_2.jpg", "1--Car/1_Car_3.jpg")
    train = line(pictures[0]) + line(pictures[1], "0 1 0 0 0 0")
    test = line(pictures[2], "1 0 0 0 1 0") + line(pictures[2], points=OTHER)
    return {
        **{f"WFLW_images/{name}": PICTURE for name in pictures},
        TRAIN: train.encode(),
        TEST: test.encode(),
    }


@pytest.mark.parametrize("prefix", ["", "wflw98/"])
def test_each_face_has_a_picture_its_points_and_its_attributes(
    tmp_path: Path, files: dict[str, bytes], prefix: str
) -> None:
    used, left_out = extract(tgz(tmp_path / "a.tgz", files, prefix), tmp_path / "out")
    assert used.total() == 5 and not left_out
    name = prefix.rstrip("/") or "WFLW"
    home = tmp_path / "out" / name
    assert names_below(home) == [
        "test/1--Car/1_Car_3.jpg",
        "test/1--Car/1_Car_3.pts",
        "test/1--Car/1_Car_3_2.jpg",
        "test/1--Car/1_Car_3_2.pts",
        "test/attributes.csv",
        "train/0--Parade/0_Parade_1.jpg",
        "train/0--Parade/0_Parade_1.pts",
        "train/1--Car/1_Car_2.jpg",
        "train/1--Car/1_Car_2.pts",
        "train/attributes.csv",
    ]
    np.testing.assert_array_equal(read_pts(home / "test/1--Car/1_Car_3.pts"), POINTS)
    np.testing.assert_array_equal(read_pts(home / "test/1--Car/1_Car_3_2.pts"), OTHER)
    assert tables.read(home / "test/attributes.csv").columns == {
        "image": ["1--Car/1_Car_3.jpg", "1--Car/1_Car_3_2.jpg"],
        "attributes": ["pose;occlusion", ""],
    }
    kept, drops = filter_faces(tmp_path / "out", [name], count=98)
    assert len(kept) == 4 and not drops
    assert len(filter_faces(tmp_path / "out", [name])[0]) == 4  # converted to 68 points


def test_a_folder_is_read_as_an_archive_is(tmp_path: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = tmp_path / "downloads" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    before = names_below(tmp_path / "downloads")
    extract(tmp_path / "downloads", tmp_path / "one")
    extract(tgz(tmp_path / "a.tgz", files), tmp_path / "other")
    assert names_below(tmp_path / "one") == names_below(tmp_path / "other")
    assert names_below(tmp_path / "downloads") == before


def test_other_data_sets_may_be_in_the_same_archive(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    files["lfw/Ann_Lee/1.jpg"] = PICTURE
    used, left_out = extract(tgz(tmp_path / "a.tgz", files), tmp_path / "out")
    assert set(used) == {"WFLW_images", "WFLW_annotations", "lfw"} and not left_out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["WFLW", "lfw"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("1 2 x.jpg", "3 words, expected 207: 196 of points"),
        (
            line("0--Parade/0_Parade_1.jpg").split(" ", 1)[1],
            "expected 207: 196 of points, 4 of a box",
        ),
        ("x" + line("0--Parade/0_Parade_1.jpg")[1:], "expected a number"),
        (line("0--Parade/0_Parade_1.jpg", points=np.full((98, 2), np.nan)), "finite numbers"),
        (line("0--Parade/0_Parade_1.jpg", "0 2 0 0 0 0"), "attributes 0 2 0 0 0 0, expected 0 or"),
        (line("0--Parade/none.jpg"), "no picture '0--Parade/none.jpg' in WFLW_images"),
        (line("../../x.jpg"), "'../../x.jpg', expected the path of a picture"),
    ],
)
def test_a_wrong_line_is_an_error_that_names_it(
    tmp_path: Path, files: dict[str, bytes], wrong: str, said: str
) -> None:
    files[TRAIN] += wrong.encode()
    reason = refusal(tgz(tmp_path / "a.tgz", files))
    assert reason.startswith(f"{TRAIN}:3: ") and said in reason


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (TEST, "no file list_98pt_rect_attr_test.txt"),
        ("WFLW_images", "no folder WFLW_images, of WFLW"),
        ("WFLW_annotations", "no folder WFLW_annotations, of WFLW"),
    ],
)
def test_what_is_missing_is_named(
    tmp_path: Path, files: dict[str, bytes], missing: str, said: str
) -> None:
    rest = {name: data for name, data in files.items() if not name.startswith(missing)}
    assert said in refusal(tgz(tmp_path / "a.tgz", rest))


def test_two_faces_of_one_name_are_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    files["WFLW_images/1--Car/1_Car_3_2.jpg"] = PICTURE
    files[TEST] += line("1--Car/1_Car_3_2.jpg").encode()
    assert "two faces would be test/1--Car/1_Car_3_2" in refusal(tgz(tmp_path / "a.tgz", files))
