import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from facealign.core.errors import ArchiveError
from facealign.core.files import sha256
from facealign.data.archive import extract, pack

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
    """The error names archive and reason; the earlier target is as it was, and nothing else is."""
    target = archive.parent / "work" / "faces"
    target.mkdir(parents=True)
    (target / "earlier.jpg").write_bytes(b"earlier")
    outside = sorted(archive.parent.iterdir())
    with pytest.raises(ArchiveError) as error:
        extract(archive, target)
    assert str(error.value).startswith(f"{archive}: ")
    assert reason in str(error.value)
    assert files_below(target.parent) == {"faces/earlier.jpg": b"earlier"}
    assert list(target.parent.iterdir()) == [target]
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


def test_extracting_replaces_what_an_earlier_archive_left(tmp_path: Path) -> None:
    pack(tmp_path / "a.tgz", [("old.jpg", b"old")])
    extract(tmp_path / "a.tgz", tmp_path / "faces")
    pack(tmp_path / "a.tgz", [("new.jpg", b"new")])
    extract(tmp_path / "a.tgz", tmp_path / "faces")
    assert files_below(tmp_path / "faces") == {"new.jpg": b"new"}


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
    assert_refused(archive, "cut short at landmarks_task/300W/train/a.jpg")


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
