"""300-W, Menpo 2D and 300-VW as iBUG releases them: with a `.pts` for each picture or frame."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign.core import images, tables
from facealign.data.annotations import format_pts, read_pts
from facealign.data.archive import extract
from facealign.data.filtering import filter_faces
from facealign.data.layouts import films_300vw
from tests.data.archives import PICTURE, names_below, refusal, tgz

POINTS = np.random.default_rng(9).uniform(20, 90, (68, 2))
PTS = format_pts(POINTS).encode()
NAMES_300W = (
    *("afw/1.jpg", "helen/trainset/1.jpg", "lfpw/trainset/1.png"),
    *("helen/testset/2.jpg", "lfpw/testset/1.png", "ibug/image 1.jpg"),
)


def beside(*names: str, points: bytes = PTS) -> dict[str, bytes]:
    pts = {f"{name.rpartition('.')[0]}.pts": points for name in names}
    return dict.fromkeys(names, PICTURE) | pts


@pytest.mark.parametrize("prefix", ["", "faces/"])
def test_300w(tmp_path: Path, prefix: str) -> None:
    used, left_out = extract(tgz(tmp_path / "a.tgz", beside(*NAMES_300W), prefix), tmp_path / "out")
    assert used.total() == 12 and not left_out
    home = tmp_path / "out" / (prefix.rstrip("/") or "300W")
    kept, drops = filter_faces(tmp_path / "out", [home.name])
    tested = ("helen/testset/2.jpg", "ibug/image 1.jpg", "lfpw/testset/1.png")
    assert kept.images == [
        *(f"{home.name}/test/{name}" for name in tested),
        *(f"{home.name}/train/{name}" for name in sorted(set(NAMES_300W) - set(tested))),
    ]
    assert not drops
    assert tables.read(home / "test" / "attributes.csv").columns == {
        "image": [*tested],
        "attributes": ["common", "challenging", "common"],
    }
    assert not (home / "train" / "attributes.csv").exists()
    np.testing.assert_array_equal(read_pts(home / "train/afw/1.pts"), POINTS)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"helen/other/3.pts": PTS}, "helen/other/3.pts: neither in trainset/ nor in testset/"),
        ({"helen/testset/3.pts": PTS}, "helen/testset/3.pts: no picture 3 in helen/testset"),
        ({"helen/testset/2.pts": PTS[:99]}, "helen/testset/2.pts: cut short"),
    ],
)
def test_what_is_wrong_in_300w_is_named(tmp_path: Path, more: dict[str, bytes], said: str) -> None:
    assert said in refusal(tgz(tmp_path / "a.tgz", beside(*NAMES_300W) | more))


def test_a_folder_of_people_named_as_a_part_of_300w_stays_one(tmp_path: Path) -> None:
    extract(tgz(tmp_path / "a.tgz", {"x/helen/1.jpg": PICTURE}), tmp_path / "out")
    assert names_below(tmp_path / "out") == ["x/train/helen/1.jpg"]


def test_menpo(tmp_path: Path) -> None:
    profile = format_pts(POINTS[:39]).encode()
    files = beside("menpo_train_release/a.jpg", "Menpo2D-Test-Semifrontal/b.jpg")
    files |= beside("menpo_train_release/c.jpg", points=profile)
    extract(tgz(tmp_path / "a.tgz", files), tmp_path / "out")
    kept, drops = filter_faces(tmp_path / "out", ["Menpo"])
    assert kept.images == [
        "Menpo/test/Menpo2D-Test-Semifrontal/b.jpg",
        "Menpo/train/menpo_train_release/a.jpg",
    ]
    assert [drop.reason for drop in drops] == ["profile_39"]


def test_menpos_train_faces_alone_are_split(tmp_path: Path) -> None:
    files = beside(*(f"menpo_train_release/{number}.jpg" for number in range(60)))
    extract(tgz(tmp_path / "a.tgz", files), tmp_path / "out")
    counts = [len(names_below(tmp_path / "out/Menpo" / split)) // 2 for split in ("train", "test")]
    assert sum(counts) == 60 and 1 <= counts[1] <= 14


def film(path: Path, frames: int) -> bytes:
    """Each frame is brighter than the one before."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for number in range(frames):
        writer.write(np.full((48, 64, 3), 20 + 40 * number, np.uint8))
    writer.release()
    return path.read_bytes()


@pytest.fixture
def films(tmp_path: Path) -> dict[str, bytes]:
    shot = film(tmp_path / "shot.avi", 5)
    files = {}
    for number in ("007", "114", "203", "562"):
        files[f"300VW/{number}/vid.avi"] = shot
        files |= {f"300VW/{number}/annot/{frame:06}.pts": PTS for frame in (1, 3)}
    return files


def test_300vw(tmp_path: Path, films: dict[str, bytes]) -> None:
    extract(tgz(tmp_path / "a.tgz", films), tmp_path / "out")
    home = tmp_path / "out" / "300VW"
    assert names_below(home / "train") == [
        f"007/00000{number}.{suffix}" for number in (1, 3) for suffix in ("jpg", "pts")
    ]
    assert tables.read(home / "test" / "attributes.csv").columns == {
        "image": [f"{film}/00000{frame}.jpg" for film in ("114", "203", "562") for frame in (1, 3)],
        "attributes": [f"category {number}" for number in (1, 1, 2, 2, 3, 3)],
    }
    for frame, bright in ((1, 20), (3, 100)):
        shown = images.read(home / f"test/114/00000{frame}.jpg")
        assert shown.shape == (48, 64, 3) and abs(float(shown.mean()) - bright) < 4
    np.testing.assert_array_equal(read_pts(home / "test/114/000003.pts"), POINTS)
    assert len(filter_faces(tmp_path / "out", ["300VW"])[0]) == 8


def test_the_films_of_the_categories_are_as_many_as_published() -> None:
    categories = [*films_300vw.CATEGORY.values()]
    counts = [categories.count(f"category {number}") for number in (1, 2, 3)]
    assert counts == [31, 19, 14]


def test_annotated_frames_beyond_the_films_end_are_counted(
    tmp_path: Path, films: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    films["300VW/007/annot/000006.pts"] = films["300VW/007/annot/000009.pts"] = PTS
    extract(tgz(tmp_path / "a.tgz", films), tmp_path / "out")
    said = "vid.avi: 2 annotated frames, from 6 on, are not in the film, which has 5"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("vid.avi", None, "300VW/007: no file vid.avi, of 300-VW"),
        ("vid.avi", b"#EXTM3U\nfile:///etc/passwd\n", "300VW/007/vid.avi: not an AVI film"),
        ("vid.avi", b"RIFF....AVI ", "300VW/007/vid.avi: no frame can be read"),
        ("annot/x.pts", PTS, "300VW/007/annot/x.pts: expected the number of a frame"),
        ("annot/000003.pts", PTS[:99], "300VW/007/annot/000003.pts: cut short"),
    ],
)
def test_what_is_wrong_in_300vw_is_named(
    tmp_path: Path, films: dict[str, bytes], name: str, data: bytes | None, said: str
) -> None:
    files = {**films, f"300VW/007/{name}": data}
    given = {name: its for name, its in files.items() if its is not None}
    (tmp_path / "packed").mkdir()
    assert said in refusal(tgz(tmp_path / "packed" / "a.tgz", given))
