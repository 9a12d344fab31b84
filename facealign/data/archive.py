"""Archives of landmark data sets, unpacked completely and safely or not at all."""

import io
import os
import shutil
import struct
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from tqdm import tqdm

from facealign.core import images
from facealign.core.errors import ArchiveError, InputError
from facealign.core.files import atomic_write
from facealign.data.layouts import celeba, course

ROOT = "landmarks_task"
_BLOCK = 127 * 512  # of a gzip file: at most 65,535 bytes, in tar's units


def extract(archive: Path, target: Path) -> tuple[Counter[str], Counter[str]]:
    """Unpack the data sets into `target`, as DATASET/SPLIT/FILE or, where the people are known, as
    DATASET/SPLIT/PERSON/FILE.

    Data sets are the folders below ROOT, and top folders in the layout of the course, of CelebA, or
    of people (TOP/PERSON/PICTURE). Returns the number of files by top folder: those unpacked, and
    those left out.
    """
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        tops = _unpack(archive, part)
        used = {ROOT, *_gather(archive, part)}
        unpacked = Counter({top: count for top, count in tops.items() if top in used})
        if not unpacked.total():
            found = ", ".join(sorted(tops)[:5]) or "nothing"
            raise ArchiveError(
                f"{archive}: expected files under {ROOT}/, a folder with {course.TABLES['test']}, "
                f"{celeba.PICTURES}/ with its lists, or FOLDER/PERSON/PICTURE, found {found}"
            )
        shutil.rmtree(target, ignore_errors=True)
        os.replace(part / ROOT, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return unpacked, tops - unpacked


def pack(archive: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """A .tgz of the files (path under ROOT, contents); the same files give the same bytes."""
    with atomic_write(archive) as part, part.open("wb") as raw:
        stored = _Stored(raw)
        with tarfile.open(
            fileobj=cast(BinaryIO, stored), mode="w|", format=tarfile.PAX_FORMAT, bufsize=_BLOCK
        ) as tar:
            for name, contents in files:
                member = tarfile.TarInfo(f"{ROOT}/{name}")
                member.size = len(contents)
                tar.addfile(member, io.BytesIO(contents))
        stored.finish()


class _Stored:
    """A gzip file without compression: another zlib would compress to other bytes, and images are
    compressed already. Without a name and a time in its header."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw, self._checksum, self._size = raw, 0, 0
        raw.write(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")

    def write(self, data: bytes) -> int:
        self._checksum = zlib.crc32(data, self._checksum)
        self._size += len(data)
        return self._raw.write(struct.pack("<BHH", 0, len(data), len(data) ^ 0xFFFF) + data)

    def finish(self) -> None:
        end = struct.pack("<BHH", 1, 0, 0xFFFF)  # an empty block
        self._raw.write(end + struct.pack("<II", self._checksum, self._size % 2**32))


def _gather(archive: Path, part: Path) -> set[str]:
    """Move data sets of other layouts into ROOT; returns their top names in the archive."""
    home = part / ROOT
    home.mkdir(parents=True, exist_ok=True)
    gathered = set()
    for path in sorted(part.iterdir()):
        if path != home and path.is_dir() and _arrange(archive, part, path, home / path.name):
            gathered.add(path.name)
    # CelebA without a folder of its own
    names = {path.name for path in part.iterdir() if celeba.PART.fullmatch(path.name)}
    if celeba.is_celeba(part) and _arrange(archive, part, part, home / celeba.NAME):
        gathered |= names
    return gathered


def _arrange(archive: Path, part: Path, folder: Path, target: Path) -> bool:
    """Make `folder` the data set `target`, if its layout is known."""
    arrange = next((convert for fits, convert in _LAYOUTS if fits(folder)), None)
    if arrange is None:
        return False
    name = target.name
    if target.exists():
        raise ArchiveError(f"{archive}: {name}/ and {ROOT}/{name} would be the same data set")
    try:
        arrange(folder, target)
    except (InputError, OSError) as error:
        message = str(error).replace(f"{part}/", "")  # paths as in the archive
        raise ArchiveError(f"{archive}: {message}") from None
    return True


def _is_of_people(folder: Path) -> bool:
    inside = [path for path in folder.iterdir() if path.is_dir()]
    names = {path.name for path in inside}
    # folders of these names are splits whose points are missing, not people
    return not names & {"train", "training", "test", "validation"} and any(
        images.is_picture(file) for path in inside for file in path.iterdir()
    )


def _arrange_people(folder: Path, target: Path) -> None:
    target.mkdir()
    folder.rename(target / "train")


_LAYOUTS: list[tuple[Callable[[Path], bool], Callable[[Path, Path], None]]] = [
    (course.is_course, course.arrange),
    (celeba.is_celeba, celeba.arrange),
    (_is_of_people, _arrange_people),
]


def _unpack(archive: Path, target: Path) -> Counter[str]:
    """Write all members, since the table that makes a top folder a data set may be the last one."""
    if not archive.is_file():
        raise ArchiveError(f"{archive}: no such archive")
    tops: Counter[str] = Counter()
    last = None
    size = archive.stat().st_size
    bar = tqdm(
        desc=f"unpack {archive.name}", total=size, unit="B", unit_scale=True, mininterval=0.5
    )
    try:
        with bar, archive.open("rb") as raw, tarfile.open(fileobj=raw) as tar:
            for member in tar:
                path = _safe_path(archive, member)
                if not path.parts:  # "./", the archived folder itself
                    continue
                tops[path.parts[0]] += member.isfile()
                if path.parts == (ROOT,) and member.isfile():
                    raise ArchiveError(f"{archive}: {ROOT} is a file, expected a folder")
                last = member.name
                _write(tar, member, target / path)
                bar.update(raw.tell() - bar.n)
            _drain(tar)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        where = f"broken or cut short at {last}" if last else "not a tar archive (.tgz)"
        reason = str(error).splitlines()[0].rstrip(":") if str(error) else type(error).__name__
        raise ArchiveError(f"{archive}: {where}: {reason}") from error
    return tops


def _drain(tar: tarfile.TarFile) -> None:
    """Read to the end, where gzip has its checksum."""
    assert tar.fileobj is not None
    while tar.fileobj.read(2**20):
        pass


def _safe_path(archive: Path, member: tarfile.TarInfo) -> PurePosixPath:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name:
        raise ArchiveError(f"{archive}: {member.name!r} points outside the archive's own folder")
    if not (member.isfile() or member.isdir()):
        kind = "a link" if member.issym() or member.islnk() else "a device or other special file"
        raise ArchiveError(f"{archive}: {member.name!r} is {kind}, expected files and folders only")
    return path


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    assert source is not None  # it is a regular file
    with source, path.open("wb") as file:
        shutil.copyfileobj(source, file)
