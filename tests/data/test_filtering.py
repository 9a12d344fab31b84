import os
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign.core.errors import ArchiveError, ConfigError, InputError
from facealign.core.faces import Faces
from facealign.data.annotations import format_pts
from facealign.data.filtering import Drop, filter_faces, require_train, summarise
from tests.helpers import as_wflw

PICTURE = bytes(cv2.imencode(".png", np.zeros((200, 300, 3), np.uint8))[1])


def add(root: Path, name: str, contents: str | bytes) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(contents.encode() if isinstance(contents, str) else contents)


def add_face(root: Path, stem: str, points: np.ndarray, picture: bytes = PICTURE) -> None:
    add(root, f"{stem}.png", picture)
    add(root, f"{stem}.pts", format_pts(points))


@pytest.fixture
def tree(tmp_path: Path, face: np.ndarray) -> Path:
    """A data set with one file or pair of each kind, and two good faces."""
    lost = face.copy()
    lost[5, 0], lost[7] = np.nan, np.inf
    add_face(tmp_path, "300W/train/good", face)
    add_face(tmp_path, "300W/train/deeper/good", face)
    add_face(tmp_path, "300W/train/profile", face[:39])
    add_face(tmp_path, "300W/train/few", face[:5])
    add_face(tmp_path, "300W/train/lost", lost)
    add_face(tmp_path, "300W/train/flat", face * (1, 0))
    add_face(tmp_path, "300W/train/gone", face + (5000, 0))
    add_face(tmp_path, "300W/train/spoilt", face, picture=PICTURE[:60])
    add_face(tmp_path, "300W/train/wordy", face)
    add(tmp_path, "300W/train/wordy.pts", "version: 1\nn_points: 1\n{\none two\n}\n")
    add_face(tmp_path, "300W/train/twice", face)
    add(tmp_path, "300W/train/twice.jpg", PICTURE)
    add(tmp_path, "300W/train/alone.JPG", PICTURE)
    add(tmp_path, "300W/train/empty.pts", format_pts(face))
    add(tmp_path, "300W/train/Thumbs.db", "")
    add(tmp_path, "300W/train/._good.jpg", "")
    add(tmp_path, "300W/train/._good.pts", "")
    add(tmp_path, "300W/valid/other.png", PICTURE)
    add(tmp_path, "300W/readme.txt", "")
    add_face(tmp_path, "300W/test/good", face)
    return tmp_path


def test_every_file_is_kept_or_dropped_with_its_reason(tree: Path) -> None:
    faces, drops = filter_faces(tree, ["300W"])
    assert faces.images == [
        "300W/test/good.png",
        "300W/train/deeper/good.png",
        "300W/train/good.png",
    ]
    reasons = [(drop.image.removeprefix("300W/"), drop.reason, drop.detail) for drop in drops]
    wordy = "300W/train/wordy.pts:4: 'one two', expected a point's two numbers"
    assert reasons == [
        ("readme.txt", "outside_splits", ""),
        ("train/._good.jpg", "unknown_file", ""),
        ("train/._good.pts", "unknown_file", ""),
        ("train/Thumbs.db", "unknown_file", ""),
        ("train/alone.JPG", "no_points", ""),
        ("train/empty.pts", "no_image", ""),
        ("train/few.png", "wrong_count", "5 points"),
        ("train/flat.png", "degenerate", "no width, no height or no distance of the eyes"),
        (
            "train/gone.png",
            "far_outside",
            "a point lies more than a picture's size beyond its border",
        ),
        ("train/lost.png", "not_finite", "3 coordinates"),
        ("train/profile.png", "profile_39", ""),
        (
            "train/spoilt.png",
            "unreadable_image",
            "300W/train/spoilt.png: not a picture that can be read",
        ),
        ("train/twice.jpg", "ambiguous", "2 pictures share one .pts"),
        ("train/twice.png", "ambiguous", "2 pictures share one .pts"),
        ("train/wordy.png", "unreadable_points", wordy),
        ("valid/other.png", "outside_splits", ""),
    ]


def test_a_kept_face_has_the_pictures_size_and_the_points_from_0(
    tree: Path, face: np.ndarray
) -> None:
    kept, _ = filter_faces(tree, ["300W"])
    assert kept["size"].tolist() == [[300, 200]] * 3
    np.testing.assert_array_equal(kept.points[0], face)


def test_the_counts_add_up_to_all_files_but_the_points_of_a_picture(tree: Path) -> None:
    summary = summarise(*filter_faces(tree, ["300W"]))["300W"]
    files = [path for path in tree.rglob("*") if path.is_file()]
    beside_a_picture = [
        path for path in files if path.suffix == ".pts" and path.with_suffix(".png").exists()
    ]
    counted = sum(split["kept"] + split["dropped"] for split in summary.values())
    assert counted == len(files) - len(beside_a_picture) == 19
    assert all(split["dropped"] == sum(split["reasons"].values()) for split in summary.values())


def test_the_summary_counts_per_data_set_and_split() -> None:
    faces = Faces.of([f"300W/{name}.jpg" for name in ("train/a", "train/b", "test/a")])
    drops = [Drop("300W/train/c.jpg", "no_points"), Drop("Menpo/test/d.jpg", "profile_39", "x")]
    assert summarise(faces, drops) == {
        "300W": {
            "test": {"kept": 1, "dropped": 0, "reasons": {}},
            "train": {"kept": 2, "dropped": 1, "reasons": {"no_points": 1}},
        },
        "Menpo": {"test": {"kept": 0, "dropped": 1, "reasons": {"profile_39": 1}}},
    }


def test_an_archive_without_a_train_face_says_what_was_dropped(
    tmp_path: Path, face: np.ndarray
) -> None:
    add_face(tmp_path, "300W/test/a", face)
    for name in ("a", "b"):
        add_face(tmp_path, f"300W/train/{name}", np.resize(face, (97, 2)))
    add(tmp_path, "300W/train/c.png", PICTURE)
    kept, drops = filter_faces(tmp_path, ["300W"])
    expected = "no train image with 68 points; dropped: 2 wrong_count (97 points), 1 no_points"
    with pytest.raises(InputError, match=re.escape(expected)):
        require_train(kept, drops)
    add_face(tmp_path, "300W/train/d", face)
    require_train(*filter_faces(tmp_path, ["300W"]))


def test_a_name_used_in_train_and_test_stays_two_faces(tmp_path: Path, face: np.ndarray) -> None:
    add_face(tmp_path, "300W/train/image_0024", face)
    add_face(tmp_path, "300W/test/image_0024", face + 1)
    faces, drops = filter_faces(tmp_path, ["300W"])
    assert faces.images == ["300W/test/image_0024.png", "300W/train/image_0024.png"]
    assert faces.points[:, 8, 1].tolist() == [101, 100]
    assert drops == []


def test_only_the_data_sets_asked_for_are_read(tmp_path: Path, face: np.ndarray) -> None:
    for name in ("300W/train/a", "300W/test/a", "Menpo/train/a", "Menpo/test/a"):
        add_face(tmp_path, name, face)
    faces, _ = filter_faces(tmp_path, ["Menpo"])
    assert (faces.datasets.tolist(), faces.splits.tolist()) == (["Menpo"] * 2, ["test", "train"])


def test_train_pictures_of_a_data_set_for_testing_only_are_held_back_unopened(
    tmp_path: Path, face: np.ndarray
) -> None:
    for name in ("300W/train/a", "300W/test/a", "ytf/train/a", "ytf/test/a"):
        add_face(tmp_path, name, face)
    add(tmp_path, "ytf/train/spoilt.png", b"no picture")
    add(tmp_path, "ytf/train/spoilt.pts", b"no points")
    add(tmp_path, "ytf/train/alone.png", PICTURE)
    faces, drops = filter_faces(tmp_path, ["300W", "ytf"], {"ytf"})
    assert faces.images == ["300W/test/a.png", "300W/train/a.png", "ytf/test/a.png"]
    assert drops == [
        Drop("ytf/train/a.png", "held_back"),
        Drop("ytf/train/alone.png", "no_points"),
        Drop("ytf/train/spoilt.png", "held_back"),
    ]
    reasons = {"held_back": 2, "no_points": 1}
    assert summarise(faces, drops)["ytf"] == {
        "test": {"kept": 1, "dropped": 0, "reasons": {}},
        "train": {"kept": 0, "dropped": 3, "reasons": reasons},
    }


def test_a_data_set_for_testing_only_needs_no_train(tmp_path: Path, face: np.ndarray) -> None:
    add_face(tmp_path, "ytf/test/a", face)
    assert len(filter_faces(tmp_path, ["ytf"], {"ytf"})[0]) == 1


def test_an_unknown_name_for_testing_only_is_answered_with_the_data_sets(
    tmp_path: Path, face: np.ndarray
) -> None:
    add_face(tmp_path, "300W/train/a", face)
    add_face(tmp_path, "300W/test/a", face)
    with pytest.raises(ConfigError, match=r"data.test_only: 'ytf' .* data.datasets, .* 300W"):
        filter_faces(tmp_path, ["300W"], {"ytf"})


def test_several_processes_give_what_one_gives(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faces, drops = filter_faces(tree, ["300W"])
    monkeypatch.setenv("FACEALIGN_WORKERS", "2")
    same_faces, same_drops = filter_faces(tree, ["300W"])
    assert same_drops == drops
    assert same_faces.images == faces.images
    np.testing.assert_array_equal(same_faces.points, faces.points)


def test_an_unknown_data_set_is_answered_with_those_there_are(tree: Path) -> None:
    (tree / "Menpo").mkdir()
    with pytest.raises(ConfigError, match=r"no '300w', it has 300W, Menpo"):
        filter_faces(tree, ["300w"])


def test_a_missing_split_is_named(tmp_path: Path, face: np.ndarray) -> None:
    add_face(tmp_path, "300W/train/a", face)
    with pytest.raises(ArchiveError, match="no folder 'test' in the archive"):
        filter_faces(tmp_path, ["300W"])


def test_pipes_and_links_to_nowhere_are_listed_and_not_opened(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / "300W" / split).mkdir(parents=True)
    os.mkfifo(tmp_path / "300W/train/a.png")
    (tmp_path / "300W/test/b.png").symlink_to("nowhere")
    kept, drops = filter_faces(tmp_path, ["300W"])
    assert not len(kept)
    assert [(drop.image, drop.reason) for drop in drops] == [
        ("300W/test/b.png", "unknown_file"),
        ("300W/train/a.png", "unknown_file"),
    ]


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / "300W" / split).mkdir(parents=True)
    (tmp_path / "300W/train/\udcff.png").touch()
    with pytest.raises(InputError, match=r"'300W/train/\\udcff.png': a name that is not UTF-8"):
        filter_faces(tmp_path, ["300W"])


@pytest.mark.parametrize("name", ["all", "All", "a$b", "a|b", "..", "a\nb", "a" * 65])
def test_a_data_set_of_an_odd_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"data.datasets: .*: rename the folder"):
        filter_faces(tmp_path, [name])


def test_points_of_a_richer_scheme_are_converted(tmp_path: Path, face: np.ndarray) -> None:
    add_face(tmp_path, "300W/train/ibug", face)
    add_face(tmp_path, "300W/train/wflw", as_wflw(face))
    add_face(tmp_path, "300W/test/ibug", face)
    for count, kept in ((68, 3), (5, 3), (98, 1)):
        faces, drops = filter_faces(tmp_path, ["300W"], count=count)
        assert len(faces) == kept and faces.points.shape[1:] == (count, 2)
        assert {drop.reason for drop in drops} == ({"wrong_count"} if kept < 3 else set())
    [wide] = filter_faces(tmp_path, ["300W"], count=98)[0].points
    np.testing.assert_allclose(wide, as_wflw(face))
