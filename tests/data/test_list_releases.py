"""LaPa, FaceSynthetics and InfAnFace as they are released: points in texts and in a table."""

from pathlib import Path

import numpy as np
import pytest

from facealign.core import tables
from facealign.data.annotations import read_pts
from facealign.data.archive import extract
from facealign.data.filtering import filter_faces
from tests.data.archives import PICTURE, names_below, refusal, tgz

RNG = np.random.default_rng(8)
MANY = RNG.uniform(50, 150, (106, 2)).round(4)


def text(points: np.ndarray, head: str = "") -> bytes:
    return (head + "".join(f"{x:.4f} {y:.4f}\n" for x, y in points)).encode()


@pytest.fixture
def lapa() -> dict[str, bytes]:
    files = {}
    for split in ("train", "val", "test"):
        files[f"LaPa/{split}/images/7_0.jpg"] = PICTURE
        files[f"LaPa/{split}/labels/7_0.png"] = b"not read"
        files[f"LaPa/{split}/landmarks/7_0.txt"] = text(MANY, "106\n")
    return files


@pytest.mark.parametrize("top", [True, False])
def test_lapa(tmp_path: Path, lapa: dict[str, bytes], top: bool) -> None:
    files = {name if top else name.removeprefix("LaPa/"): data for name, data in lapa.items()}
    used, left_out = extract(tgz(tmp_path / "a.tgz", files), tmp_path / "out")
    assert used.total() == 9 and not left_out
    home = tmp_path / "out" / "LaPa"
    names = ["test/7_0", "train/7_0", "train/val/7_0"]
    assert names_below(home) == [f"{name}.{suffix}" for name in names for suffix in ("jpg", "pts")]
    np.testing.assert_array_equal(read_pts(home / "train/val/7_0.pts"), MANY)
    assert len(filter_faces(tmp_path / "out", ["LaPa"], count=106)[0]) == 3


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("val/landmarks/7_0.txt", text(MANY), "7_0.txt:1: "),
        ("val/landmarks/7_0.txt", text(MANY, "68\n"), ":1: '68', expected the number of points, 1"),
        ("val/landmarks/7_0.txt", text(MANY[:68], "106\n"), "7_0.txt: 68 points, expected 106"),
        ("val/landmarks/7_0.txt", b"106\n1 2\n3\n", "7_0.txt:3: 1 numbers, expected 2"),
        ("val/landmarks/7_0.txt", b"106\n1 2\nx 4\n", "7_0.txt:3: 'x', expected a number"),
        ("val/images/7_0.jpg", None, "7_0.txt: no picture 7_0 in LaPa/val/images"),
        ("val/landmarks/7_0.txt", None, "LaPa: no folder val/landmarks, of LaPa"),
    ],
)
def test_what_is_wrong_in_lapa_is_named(
    tmp_path: Path, lapa: dict[str, bytes], name: str, data: bytes | None, said: str
) -> None:
    files = {**lapa, f"LaPa/{name}": data}
    given = {name: its for name, its in files.items() if its is not None}
    assert said in refusal(tgz(tmp_path / "a.tgz", given))


def test_face_synthetics(tmp_path: Path) -> None:
    files = {}
    for number in range(40):
        files[f"{number:06}.png"] = files[f"{number:06}_seg.png"] = PICTURE
        files[f"{number:06}_ldmks.txt"] = text(MANY[:70])
    used, left_out = extract(tgz(tmp_path / "a.tgz", files), tmp_path / "out")
    assert used.total() == 120 and not left_out
    home = tmp_path / "out" / "FaceSynthetics"
    counts = {split: len(names_below(home / split)) // 2 for split in ("train", "test")}
    assert sum(counts.values()) == 40 and 1 <= counts["test"] <= 8
    assert not list(home.rglob("*_seg*"))
    np.testing.assert_array_equal(read_pts(next(home.rglob("000007.pts"))), MANY[:68])
    del files["000009.png"]
    (tmp_path / "more").mkdir()
    said = refusal(tgz(tmp_path / "more" / "a.tgz", files))
    assert said.startswith("000009_ldmks.txt: no picture 000009 in ")


BATCHES = ("ads", "google", "google2", "youtube", "youtube2")


def labels(marks: str = "0,0,0,0", *more: str) -> bytes:
    """A row for each batch, and `more`."""
    axes = [f"gt-{axis}{number}" for axis in "xy" for number in range(68)]
    numbers = ",".join(str(value) for value in MANY[:68].T.ravel())
    rows = [f"{batch},a.png,{marks},{numbers}" for batch in BATCHES]
    head = ",".join(["image-set,filename,turned,occluded,tilted,expressive", *axes])
    return "\n".join([head, *rows, *(f"{row},{numbers}" for row in more)]).encode()


@pytest.fixture
def infants() -> dict[str, bytes]:
    pictures = [f"{batch}/a.png" for batch in BATCHES] + ["google/b.png"]
    table = {"infanface/labels.csv": labels("1,0,0,0", "google,b.png,0,0,0,0")}
    return table | {f"infanface/images/{name}": PICTURE for name in pictures}


def test_infanface(tmp_path: Path, infants: dict[str, bytes]) -> None:
    extract(tgz(tmp_path / "a.tgz", infants), tmp_path / "out")
    home = tmp_path / "out" / "infanface"
    assert sorted(path.name for path in (home / "train").iterdir() if path.is_dir()) == [
        *("ads", "google2", "youtube2")
    ]
    assert tables.read(home / "test" / "attributes.csv").columns == {
        "image": ["google/a.png", "youtube/a.png", "google/b.png"],
        "attributes": ["challenging;turned", "challenging;turned", "common"],
    }
    assert tables.read(home / "train" / "attributes.csv")["attributes"] == 3 * ["turned"]
    np.testing.assert_array_equal(read_pts(home / "train/ads/a.pts"), MANY[:68])
    assert len(filter_faces(tmp_path / "out", ["infanface"])[0]) == 6


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (labels("0,0,0,0", "yahoo,b.png,0,0,0,0"), "labels.csv:7: image-set 'yahoo', expected one"),
        (labels("0,0,0,0", "google,c.png,0,0,0,0"), "labels.csv:7: no picture 'google/c.png' in "),
        (labels("0,0,2,0"), "labels.csv:2: tilted 2.0, expected 0 or 1"),
        (labels("0,0,0,0", "google,b.png,0,0,0"), "labels.csv:7: 141 cells, expected 142"),
        (labels().replace(b"gt-y67", b"y"), "labels.csv: no column 'gt-y67', has "),
        (labels().replace(b"filename", b"image"), "expected files under landmarks_task/"),
    ],
)
def test_what_is_wrong_in_infanface_is_named(
    tmp_path: Path, infants: dict[str, bytes], table: bytes, said: str
) -> None:
    infants["infanface/labels.csv"] = table
    assert said in refusal(tgz(tmp_path / "a.tgz", infants))
