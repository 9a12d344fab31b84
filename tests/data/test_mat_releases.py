"""COFW and AFLW2000-3D as they are released: in MATLAB's files."""

import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from facealign.core import images, tables
from facealign.core.errors import ArchiveError, DependencyError
from facealign.data.annotations import read_pts
from facealign.data.archive import extract
from facealign.data.filtering import filter_faces
from facealign.data.layouts import mat_v5
from tests.data.archives import PICTURE, names_below, refusal, tgz

RNG = np.random.default_rng(7)
COLOUR = RNG.integers(0, 256, (40, 60, 3), np.uint8)
GREY = RNG.integers(0, 256, (50, 30), np.uint8)
PHIS = np.concatenate([RNG.uniform(5, 25, (3, 58)).round(3), np.zeros((3, 29))], axis=1)


def cofw(pictures: str, points: str, *shown: np.ndarray, phis: np.ndarray | None = None) -> bytes:
    """A file as MATLAB writes it: cells refer to arrays, whose axes are in reverse."""
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        cells = [file.create_dataset(f"#refs#/{i}", data=each.T) for i, each in enumerate(shown)]
        references = np.array([[cell.ref for cell in cells]], dtype=h5py.ref_dtype)
        file.create_dataset(pictures, data=references, dtype=h5py.ref_dtype)
        file.create_dataset(points, data=(PHIS[: len(shown)] if phis is None else phis).T)
    return data.getvalue()


@pytest.fixture
def cofw_files() -> dict[str, bytes]:
    return {
        "COFW_train_color.mat": cofw("IsTr", "phisTr", COLOUR, GREY),
        "COFW_test_color.mat": cofw("IsT", "phisT", COLOUR),
    }


@pytest.mark.parametrize("prefix", ["", "cofw/"])
def test_cofw(tmp_path: Path, cofw_files: dict[str, bytes], prefix: str) -> None:
    extract(tgz(tmp_path / "a.tgz", cofw_files, prefix), tmp_path / "out")
    home = tmp_path / "out" / (prefix.rstrip("/") or "COFW")
    names = ["test/0001", "train/0001", "train/0002"]
    assert names_below(home) == [f"{name}.{suffix}" for name in names for suffix in ("png", "pts")]
    np.testing.assert_array_equal(images.read(home / "train/0001.png"), COLOUR)
    np.testing.assert_array_equal(
        images.read(home / "train/0002.png"), np.repeat(GREY[:, :, None], 3, axis=2)
    )
    points = read_pts(home / "train/0002.pts")  # counted from 0
    np.testing.assert_allclose(points, np.stack([PHIS[1, :29], PHIS[1, 29:58]], axis=1) - 1)
    kept, drops = filter_faces(tmp_path / "out", [home.name], count=29)
    assert len(kept) == 3 and not drops


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("COFW_test_color.mat", b"", "COFW_test_color.mat: not a .mat file of version 7.3: "),
        ("COFW_test_color.mat", None, "no file COFW_test_color.mat, of COFW"),
        ("COFW_train_color.mat", cofw("Is", "phisTr", COLOUR), "mat: no variable IsTr"),
        (
            "COFW_train_color.mat",
            cofw("IsTr", "phisTr", COLOUR, GREY, phis=PHIS[:1]),
            "COFW_train_color.mat: phisTr: float64 of shape (87, 1), expected numbers of shape "
            "(87, 2)",
        ),
        (
            "COFW_train_color.mat",
            cofw("IsTr", "phisTr", COLOUR, phis=np.full((1, 87), np.nan)),
            "phisTr: expected finite numbers",
        ),
        (
            "COFW_train_color.mat",
            cofw("IsTr", "phisTr", COLOUR, GREY[0]),
            "IsTr, picture 2: a picture of shape (30,) and uint8",
        ),
        (
            "COFW_train_color.mat",
            cofw("IsTr", "phisTr", COLOUR / 255),
            "IsTr, picture 1: a picture of shape (40, 60, 3) and float64",
        ),
    ],
)
def test_a_wrong_file_of_cofw_is_named(
    tmp_path: Path, cofw_files: dict[str, bytes], name: str, data: bytes | None, said: str
) -> None:
    files = {**cofw_files, name: data}
    given = {name: its for name, its in files.items() if its is not None}
    assert said in refusal(tgz(tmp_path / "a.tgz", given))


@pytest.mark.parametrize("kind", ["link", "storage", "view"])
def test_a_file_of_cofw_that_leads_to_another_is_refused(
    tmp_path: Path, cofw_files: dict[str, bytes], kind: str
) -> None:
    secret, data = tmp_path / "secret", io.BytesIO(cofw_files["COFW_train_color.mat"])
    secret.write_bytes(cofw_files["COFW_train_color.mat"])
    with h5py.File(data, "r+") as file:
        del file["phisTr"]
        if kind == "link":
            file["phisTr"] = h5py.ExternalLink(str(secret), "/phisTr")
        elif kind == "storage":
            place = [(str(secret), 0, h5py.h5f.UNLIMITED)]
            file.create_dataset("phisTr", (87, 2), "f8", external=place)
        else:
            view = h5py.VirtualLayout((87, 2), "f8")
            view[:] = h5py.VirtualSource(str(secret), "phisTr", (87, 2))
            file.create_virtual_dataset("phisTr", view)
    files = {**cofw_files, "COFW_train_color.mat": data.getvalue()}
    said = refusal(tgz(tmp_path / "a.tgz", files))
    assert said.startswith("COFW_train_color.mat: ")
    assert said.endswith("no variable phisTr" if kind == "link" else "are in another file")


def aflw(yaw: float, **other: Any) -> bytes:
    data = io.BytesIO()
    pose = np.array([[0.1, np.radians(yaw), 0, 9, 9, 9, 1]])
    values = {"pt3d_68": POINTS, "Pose_Para": pose, "roi": [1, 2, 3, 4]} | other
    savemat(data, {name: value for name, value in values.items() if value is not None})
    return data.getvalue()


POINTS = RNG.uniform(50, 150, (3, 68))


def aflw_files(mats: Mapping[str, bytes]) -> dict[str, bytes]:
    pictures = {name.replace(".mat", ".jpg"): PICTURE for name in mats}
    return {f"AFLW2000/{name}": data for name, data in {**mats, **pictures}.items()}


def test_aflw2000(tmp_path: Path) -> None:
    turns = {2: 10, 4: -30, 6: 45, 8: -60.5, 10: 95}
    files = aflw_files({f"image{number:05}.mat": aflw(yaw) for number, yaw in turns.items()})
    files["AFLW2000/Code/readme.txt"] = b"not read"
    extract(tgz(tmp_path / "a.tgz", files), tmp_path / "out")
    home = tmp_path / "out" / "AFLW2000" / "test"
    assert len(names_below(home)) == 11
    assert tables.read(home / "attributes.csv")["attributes"] == [
        *("yaw 0–30", "yaw 0–30", "yaw 30–60", "yaw 60–90", "yaw 60–90")
    ]
    np.testing.assert_allclose(read_pts(home / "image00002.pts"), POINTS[:2].T - 1)
    kept, _ = filter_faces(tmp_path / "out", ["AFLW2000"], ["AFLW2000"])
    assert len(kept) == 5


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "image00004.mat: not a .mat file of version 5: "),
        (aflw(5)[:300], "image00004.mat: not a .mat file of version 5: "),
        (aflw(5, pt3d_68=None), "image00004.mat: no numbers pt3d_68"),
        (aflw(5, pt3d_68=POINTS[:, :21]), "pt3d_68: float64 of shape (3, 21), expected numbers of"),
        (aflw(5, pt3d_68="x"), "image00004.mat: no numbers pt3d_68"),
        (aflw(5, Pose_Para=np.full((1, 7), np.inf)), "Pose_Para: expected finite numbers"),
    ],
)
def test_a_wrong_file_of_aflw2000_is_named(tmp_path: Path, data: bytes, said: str) -> None:
    files = aflw_files({"image00002.mat": aflw(5), "image00004.mat": data})
    reason = refusal(tgz(tmp_path / "a.tgz", files))
    assert reason.startswith("AFLW2000/image00004.mat: ") and said in reason


def test_a_file_of_aflw2000_without_its_picture_is_named(tmp_path: Path) -> None:
    files = aflw_files({"image00002.mat": aflw(5), "image00004.mat": aflw(5)})
    del files["AFLW2000/image00004.jpg"]
    said = refusal(tgz(tmp_path / "a.tgz", files))
    assert said == "AFLW2000/image00004.mat: no picture image00004 in AFLW2000"


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("values", [RNG.uniform(size=(3, 4)), RNG.uniform(size=(2, 3, 4))])
@pytest.mark.parametrize("kind", ["f8", "f4", "i1", "u2", "i4", "u8"])
def test_numbers_are_as_scipy_writes_them(
    tmp_path: Path, compressed: bool, values: np.ndarray, kind: str
) -> None:
    """MATLAB stores whole numbers in as few bytes as they need, small ones in the tag."""
    given = {
        "all": (100 * values).astype(kind),
        "one": np.array([[7]], dtype=kind),
        "none": np.zeros((0, 3), dtype=kind),
        "text": "not numbers",
        "cell": np.array([[1, "x"]], dtype=object),
    }
    savemat(tmp_path / "a.mat", given, do_compression=compressed)
    read = mat_v5.load(tmp_path / "a.mat")
    assert sorted(read) == ["all", "none", "one"]
    for name, array in read.items():
        np.testing.assert_array_equal(array, given[name])


def test_a_variable_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    savemat(tmp_path / "a.mat", {"zeros": np.zeros(9000)}, do_compression=True)
    monkeypatch.setattr(mat_v5, "MOST_BYTES", 70_000)
    with pytest.raises(ArchiveError, match=r"a.mat: .* has more than 70,000 bytes"):
        mat_v5.load(tmp_path / "a.mat")
    monkeypatch.setattr(mat_v5, "MOST_BYTES", 80_000)
    assert mat_v5.load(tmp_path / "a.mat")["zeros"].shape == (1, 9000)


def test_without_its_library_cofw_says_how_to_install_it(
    tmp_path: Path, cofw_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(DependencyError, match=r"pip install '\.\[datasets\]' in a clone"):
        extract(tgz(tmp_path / "a.tgz", cofw_files), tmp_path / "out")
    assert not (tmp_path / "out").exists()
