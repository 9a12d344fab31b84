import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facealign.core.errors import ArchiveError, InputError, TrainingError
from facealign.core.files import file_lock, sha256
from facealign.data import archive as archives
from facealign.data.archive import FREE_BYTES, HEADER_BYTES, extract, pack
from tests.helpers import ROOT

NOISE = np.random.default_rng(0).bytes(50_000)  # does not compress, like a picture
FILES = {"300W/train/a.pts": b"version: 1\n", "300W/train/a.jpg": NOISE, "Menpo/test/b.jpg": b""}
PACKED = "40ee8366a6604b7c3334b65528156bb052930c9e88a100a68c2259b6c8872885"


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def tar_of(path: Path, *members: tarfile.TarInfo | str, mode: str = "w:gz") -> Path:
    """An archive; a name alone is a file of one byte."""
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for one in members:
            info = member(one) if isinstance(one, str) else one
            info.size = int(isinstance(one, str))
            tar.addfile(info, io.BytesIO(b"x"))
    return path


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def assert_refused(archive: Path, reason: str) -> None:
    """The error names archive and reason; the target stays empty, and nothing is left."""
    target = archive.parent / "work" / "faces"
    target.mkdir(parents=True)
    outside = sorted(archive.parent.iterdir())
    with pytest.raises(ArchiveError) as error:
        extract(archive, target)
    assert str(error.value).startswith(f"{archive}: ")
    assert reason in str(error.value)
    assert list(target.parent.rglob("*")) == [target]
    assert sorted(archive.parent.iterdir()) == outside


def test_what_is_packed_is_extracted(tmp_path: Path) -> None:
    pack(tmp_path / "data" / "a.tgz", FILES.items())
    counts = extract(tmp_path / "data" / "a.tgz", tmp_path / "work" / "faces")
    assert files_below(tmp_path / "work") == {f"faces/{name}": FILES[name] for name in FILES}
    assert counts == ({"landmarks_task": 3}, {})


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.tgz", "b.tgz"):
        pack(tmp_path / name, FILES.items())
    assert (tmp_path / "a.tgz").read_bytes() == (tmp_path / "b.tgz").read_bytes()
    assert sha256(tmp_path / "a.tgz") == PACKED  # by every version of Python and zlib
    pack(tmp_path / "b.tgz", list(FILES.items())[1:])
    assert (tmp_path / "a.tgz").read_bytes() != (tmp_path / "b.tgz").read_bytes()


def test_a_target_with_files_is_refused_and_stays(tmp_path: Path) -> None:
    pack(tmp_path / "a.tgz", [("new.jpg", b"new")])
    (tmp_path / "faces").mkdir()
    extract(tmp_path / "a.tgz", tmp_path / "faces")  # empty: DVC's own, or made for this
    with pytest.raises(InputError, match="faces: not empty, expected an empty or a new folder"):
        extract(tmp_path / "a.tgz", tmp_path / "faces")
    assert files_below(tmp_path).keys() == {"a.tgz", "faces/new.jpg"}


def test_two_extracts_at_once(tmp_path: Path) -> None:
    pack(tmp_path / "a.tgz", [("new.jpg", b"new")])
    with (
        file_lock(tmp_path / ".faces.lock"),
        pytest.raises(TrainingError, match="locked by another process"),
    ):
        extract(tmp_path / "a.tgz", tmp_path / "faces")


def test_a_full_disk_is_not_the_archives_fault(tmp_path: Path) -> None:
    pack(tmp_path / "a.tgz", [("large.jpg", NOISE)])
    # a limit on the size of files fails as a full disk does: while a file is written
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from facealign.data.archive import extract\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "extract(Path('a.tgz'), Path('faces'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.splitlines()[-1].endswith("InputError: faces: File too large")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tgz"]


def bomb(folder: Path) -> Path:
    with tarfile.open(folder / "a.tgz", "w:gz", compresslevel=1) as tar:
        info = member("landmarks_task/a.bmp")
        info.size = 2 * FREE_BYTES
        tar.addfile(info, io.BytesIO(bytes(info.size)))
    return folder / "a.tgz"


def many(folder: Path) -> Path:
    return tar_of(folder / "a.tgz", *(member(f"landmarks_task/{i}") for i in range(300)))


def long_header(folder: Path) -> Path:
    info = member("landmarks_task/a.jpg")
    info.pax_headers = {"comment": "x" * (HEADER_BYTES + 1)}
    return tar_of(folder / "a.tgz", "landmarks_task/0.jpg", info)


def headers_in_a_row(folder: Path) -> Path:
    info = member("x", tarfile.XHDTYPE)
    body = b"20 path=landmarks/x\n"
    info.size = len(body)
    header = info.tobuf(tarfile.USTAR_FORMAT) + body.ljust(512, b"\0")
    (folder / "a.tar").write_bytes(header * 2000)
    return folder / "a.tar"


def cut_between_members(folder: Path) -> Path:
    tar_of(folder / "b.tar", "landmarks_task/a", "landmarks_task/b", mode="w")
    (folder / "a.tar").write_bytes((folder / "b.tar").read_bytes()[:1024])
    return folder / "a.tar"


def broken_xz(folder: Path) -> Path:
    archive = tar_of(folder / "a.txz", "landmarks_task/a", mode="w:xz")
    archive.write_bytes(archive.read_bytes()[:-40] + bytes(40))
    return archive


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (bomb, "unpacks to more than"),
        (many, "files and folders, the most expected in"),
        (long_header, "a header of 10485"),
        (headers_in_a_row, "recursion"),
        (cut_between_members, "cut short at 'landmarks_task/a'"),
        (broken_xz, "broken"),
    ],
)
def test_what_would_fill_the_disk_or_is_cut_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], Path],
    reason: str,
) -> None:
    monkeypatch.setattr(archives, "FREE_MEMBERS", 100)
    assert_refused(make(tmp_path), reason)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["a.jpg", "a.jpg"], "'landmarks_task/a.jpg' is in the archive twice"),
        (["a", "a/b.jpg"], "'landmarks_task/a/b.jpg' is in the archive twice"),
        (["a/b.jpg", "a"], "'landmarks_task/a' is in the archive twice"),
        (["a" * 300], "the name is too long"),
        (["d/" * 1100 + "a.jpg"], "1102 folders below each other, expected at most 32"),
        (["\udcff.jpg"], "'landmarks_task/\\udcff.jpg': a name that is not UTF-8"),
    ],
)
def test_names_that_cannot_be_files_are_refused(
    tmp_path: Path, names: list[str], reason: str
) -> None:
    archive = tar_of(tmp_path / "a.tgz", *(f"landmarks_task/{name}" for name in names))
    assert_refused(archive, reason)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("prefix", ["", "./"])
def test_compressed_or_not_and_with_a_leading_dot_or_not(
    tmp_path: Path, mode: str, prefix: str
) -> None:
    folders = [member(prefix + name, tarfile.DIRTYPE) for name in ("", "landmarks_task")]
    archive = tar_of(
        tmp_path / "a.tar",
        *(folder for folder in folders if folder.name),
        f"{prefix}landmarks_task/300W/train/a.jpg",
        mode=mode,
    )
    assert extract(archive, tmp_path / "faces") == ({"landmarks_task": 1}, {})
    assert files_below(tmp_path / "faces") == {"300W/train/a.jpg": b"x"}


def test_other_top_folders_are_left_out_and_counted(tmp_path: Path) -> None:
    archive = tar_of(
        tmp_path / "a.tgz",
        member("__MACOSX", tarfile.DIRTYPE),
        "__MACOSX/a",
        "__MACOSX/b",
        "landmarks_task/a",
        "readme",
    )
    unpacked, left_out = extract(archive, tmp_path / "faces")
    assert unpacked == {"landmarks_task": 1}
    assert left_out == {"__MACOSX": 2, "readme": 1}
    assert files_below(tmp_path / "faces") == {"a": b"x"}


@pytest.mark.parametrize(
    "name",
    ["landmarks_task/../../escaped", "../escaped", "/escaped", "landmarks_task\\..\\escaped"],
)
def test_a_path_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    archive = tar_of(tmp_path / "a.tgz", "landmarks_task/good.jpg", name)
    assert_refused(archive, f"{name!r} points outside the archive's own folder")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (tarfile.SYMTYPE, "is a link"),
        (tarfile.LNKTYPE, "is a link"),
        (tarfile.FIFOTYPE, "is a device or other special file"),
        (tarfile.CHRTYPE, "is a device or other special file"),
        (tarfile.BLKTYPE, "is a device or other special file"),
    ],
)
def test_links_and_special_files_are_refused(tmp_path: Path, kind: bytes, words: str) -> None:
    special = member("landmarks_task/odd", kind, "landmarks_task/good.jpg")
    archive = tar_of(tmp_path / "a.tgz", "landmarks_task/good.jpg", special)
    assert_refused(archive, f"'landmarks_task/odd' {words}")


def test_a_file_in_the_place_of_the_top_folder_is_refused(tmp_path: Path) -> None:
    assert_refused(tar_of(tmp_path / "a.tgz", "landmarks_task", "../escaped"), "")


def test_a_lone_file_named_as_the_top_folder_does_not_become_the_target(tmp_path: Path) -> None:
    assert_refused(tar_of(tmp_path / "a.tgz", "landmarks_task"), "landmarks_task")


@pytest.mark.parametrize("left", [0.8, 0.5, 0.05])
def test_an_archive_cut_short_is_refused(tmp_path: Path, left: float) -> None:
    archive = tmp_path / "a.tgz"
    pack(archive, FILES.items())
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(left * len(whole))])
    assert_refused(archive, "cut short at 'landmarks_task/300W/train/a.jpg'")


def test_an_archive_without_its_last_bytes_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "a.tgz"
    pack(archive, FILES.items())
    archive.write_bytes(archive.read_bytes()[:-4])
    assert_refused(archive, "cut short")


def test_an_archive_with_one_wrong_bit_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "a.tgz"
    pack(archive, FILES.items())
    spoilt = bytearray(archive.read_bytes())
    spoilt[25_000] ^= 1
    archive.write_bytes(spoilt)
    assert_refused(archive, "broken")


def test_a_plain_tar_cut_within_a_file_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as tar:
        info = member("landmarks_task/a.jpg")
        info.size = len(NOISE)
        tar.addfile(info, io.BytesIO(NOISE))
    archive.write_bytes(archive.read_bytes()[:30_000])
    assert_refused(archive, "")


@pytest.mark.parametrize("contents", [b"no archive at all\n" * 100, b""])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, contents: bytes) -> None:
    archive = tmp_path / "a.tgz"
    archive.write_bytes(contents)
    assert_refused(archive, "not a tar archive (.tgz)")


def test_another_top_folder_is_refused_and_named(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tgz", "faces/300W/train/a.jpg", "notes")
    assert_refused(archive, "or FOLDER/PERSON/PICTURE, found faces, notes")


def test_an_archive_of_nothing_is_refused(tmp_path: Path) -> None:
    assert_refused(tar_of(tmp_path / "a.tgz"), "FOLDER/PERSON/PICTURE, found nothing")


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    assert_refused(tmp_path / "absent.tgz", "no such archive")


def test_a_failed_pack_leaves_no_file(tmp_path: Path) -> None:
    def fails() -> list[tuple[str, bytes]]:
        raise ValueError("no pictures")

    with pytest.raises(ValueError, match="no pictures"):
        pack(tmp_path / "a.tgz", (one for one in [("a", b"")] if fails()))
    assert list(tmp_path.iterdir()) == []
