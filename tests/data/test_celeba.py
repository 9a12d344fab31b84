"""Archives in CelebA's layout, and of folders named by person."""

from pathlib import Path

import numpy as np
import pytest

from facealign.data.annotations import read_pts
from facealign.data.archive import extract
from facealign.data.filtering import filter_faces
from tests.data.archives import PICTURE, refusal, tgz

LISTS = {
    "list_bbox_celeba.txt": "2\nimage_id x_1 y_1 width height\n000001.jpg 9 9 80 90\n",
    "list_landmarks_celeba.txt": "4\nlefteye_x lefteye_y righteye_x righteye_y nose_x nose_y "
    "leftmouth_x leftmouth_y rightmouth_x rightmouth_y\n"
    "000001.jpg 60  70   90   71   75  85  62  100   88   101\n"
    "000002.jpg 61 70 91 71 76 85 63 100 89 101\n"
    "000003.jpg 62 70 92 71 77 85 64 100 90 101\n"
    "000009.jpg 62 70 92 71 77 85 64 100 90 101\n",
    "identity_CelebA.txt": "000001.jpg 2880\n000002.jpg 31\n000003.jpg 2880\n",
    "list_eval_partition.txt": "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n",
}
POINTS = [[60, 70], [90, 71], [75, 85], [62, 100], [88, 101]]


@pytest.fixture
def files() -> dict[str, bytes]:
    pictures = {f"img_celeba/00000{number}.jpg": PICTURE for number in (1, 2, 3)}
    return pictures | {name: text.encode() for name, text in LISTS.items()}


def pictures_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg"))


@pytest.mark.parametrize("prefix", ["", "faces/"])
def test_pictures_lie_with_their_people_and_points(
    tmp_path: Path, files: dict[str, bytes], prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = extract(tgz(tmp_path / "a.tgz", files, prefix), tmp_path / "out")
    name = prefix.rstrip("/") or "celeba"
    assert pictures_below(tmp_path / "out") == [
        f"{name}/test/2880/000003.jpg",
        f"{name}/train/2880/000001.jpg",
        f"{name}/train/31/000002.jpg",
    ]
    assert counts[0].total() == 7 and not counts[1]
    np.testing.assert_array_equal(
        read_pts(tmp_path / "out" / name / "train/2880/000001.pts"), POINTS
    )
    assert "list_landmarks_celeba.txt: 1 lines name pictures that are missing" in (
        capsys.readouterr().err
    )
    kept, drops = filter_faces(tmp_path / "out", [name], count=5)
    assert len(kept) == 3 and not drops
    drops = filter_faces(tmp_path / "out", [name])[1]
    assert [(drop.reason, drop.detail) for drop in drops] == 3 * [("wrong_count", "5 points")]


def test_lists_may_lie_where_celeba_has_them(tmp_path: Path, files: dict[str, bytes]) -> None:
    moved = {
        ("Img/" if name.startswith("img") else "Anno/") + name: data for name, data in files.items()
    }
    extract(tgz(tmp_path / "a.tgz", moved, "CelebA/"), tmp_path / "out")
    assert len(pictures_below(tmp_path / "out" / "CelebA")) == 3


def test_without_a_partition_a_person_is_for_training_or_for_testing(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    del files["list_eval_partition.txt"]
    for number in range(100, 300):
        files[f"img_celeba/{number:06}.jpg"] = PICTURE
        files["identity_CelebA.txt"] += f"{number:06}.jpg {number % 50}\n".encode()
    extract(tgz(tmp_path / "a.tgz", files), tmp_path / "out")
    people = [
        {path.name for path in (tmp_path / "out" / "celeba" / split).iterdir()}
        for split in ("train", "test")
    ]
    assert not people[0] & people[1] and 1 <= len(people[1]) <= 12


def test_pictures_without_identity_or_points_stay(tmp_path: Path, files: dict[str, bytes]) -> None:
    del files["identity_CelebA.txt"]
    files["img_celeba/000004.jpg"] = PICTURE
    extract(tgz(tmp_path / "a.tgz", files), tmp_path / "out")
    kept, drops = filter_faces(tmp_path / "out", ["celeba"], count=5)
    assert kept.images == [
        "celeba/test/000003.jpg",
        "celeba/train/000001.jpg",
        "celeba/train/000002.jpg",
    ]
    assert [(drop.image[-10:], drop.reason) for drop in drops] == [("000004.jpg", "no_points")]


@pytest.mark.parametrize(
    ("name", "line", "said"),
    [
        ("identity_CelebA.txt", "000002.jpg x", "a picture's name and the number of a person"),
        ("identity_CelebA.txt", "000007.jpg nan", "a picture's name and the number of a person"),
        ("identity_CelebA.txt", "000007.jpg 1.4", "a picture's name and the number of a person"),
        ("list_eval_partition.txt", "000007.jpg 7", "a picture's name and 0, 1 or 2"),
        ("list_landmarks_celeba.txt", "000007.jpg 1 2", "expected a picture's name and 10 numbers"),
        ("identity_CelebA.txt", "000001.jpg 5", "000001.jpg is in an earlier line, too"),
    ],
)
def test_a_broken_list_is_an_error_that_names_the_line(
    tmp_path: Path, files: dict[str, bytes], name: str, line: str, said: str
) -> None:
    files[name] += f"{line}\n".encode()
    reason = refusal(tgz(tmp_path / "a.tgz", files))
    assert reason.startswith(f"{name}:{len(files[name].splitlines())}: ") and said in reason


def test_a_list_of_points_without_its_header_is_refused(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    lines = files["list_landmarks_celeba.txt"].splitlines(keepends=True)
    files["list_landmarks_celeba.txt"] = b"".join(lines[2:])
    reason = refusal(tgz(tmp_path / "a.tgz", files))
    assert "list_landmarks_celeba.txt:1: " in reason and "the count in line 1" in reason


def test_pictures_without_any_list_are_no_data_set(tmp_path: Path, files: dict[str, bytes]) -> None:
    pictures = {name: data for name, data in files.items() if name.startswith("img")}
    assert "celeba as it is released" in refusal(tgz(tmp_path / "a.tgz", pictures))


def test_folders_named_by_person_are_a_data_set(tmp_path: Path) -> None:
    names = [
        "lfw/Ann_Lee/Ann_Lee_0001.jpg",
        "lfw/Bo/Bo_0001.jpg",
        "lfw/README.txt",
        "x/train/a.jpg",
    ]
    counts = extract(tgz(tmp_path / "a.tgz", dict.fromkeys(names, PICTURE)), tmp_path / "out")
    assert counts == ({"lfw": 3}, {"x": 1})
    assert pictures_below(tmp_path / "out") == [
        "lfw/train/Ann_Lee/Ann_Lee_0001.jpg",
        "lfw/train/Bo/Bo_0001.jpg",
    ]


def test_two_folders_of_pictures_are_an_error_that_names_them(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    files["landmarks_task/a/img_celeba/1.jpg"] = PICTURE
    said = refusal(tgz(tmp_path / "a.tgz", files))
    assert said == "img_celeba and landmarks_task/a/img_celeba: expected one of them"
