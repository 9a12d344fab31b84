"""Archives of landmark data sets, unpacked completely and safely or not at all."""

import errno
import io
import lzma
import os
import shutil
import struct
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self, cast

from tqdm import tqdm

from facealign.core import images
from facealign.core.errors import ArchiveError, InputError
from facealign.core.files import atomic_write, file_lock, is_utf8
from facealign.data.layouts import course, releases

ROOT = "landmarks_task"
_BLOCK = 127 * 512  # of a gzip file: at most 65,535 bytes, in tar's units

# What an archive may contain, by its own size: images hardly compress, annotations about threefold
FREE_BYTES, RATIO = 64 * 2**20, 100  # unpacked bytes: so many, and so many for each of its own
FREE_MEMBERS, BYTES_A_MEMBER = 10_000, 100  # members: so many, and one for so many of its own bytes
DEPTH = 32  # folders below each other
HEADER_BYTES = 2**20  # of a header that names or describes a member; tarfile reads it into memory

# tarfile raises the last three for headers whose numbers are no numbers, or that follow each other
# by the hundred
_BROKEN = (
    *(tarfile.TarError, EOFError, zlib.error, lzma.LZMAError),
    *(ValueError, OverflowError, RecursionError),
)
# the archive is not to blame for these
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EMFILE}
_HEADERS = {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE}
_HEADERS |= {tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}


def extract(source: Path, target: Path) -> tuple[Counter[str], Counter[str]]:
    """Unpack the data sets of an archive into `target`, as DATASET/SPLIT/FILE or, where the people
    are known, as DATASET/SPLIT/PERSON/FILE.

    Data sets are the folders below ROOT, and top folders in the layout of the course, of a
    published data set, or of people (TOP/PERSON/PICTURE). Returns the number of files by top
    folder: those unpacked, and those left out. `target` must be absent or empty.

    The source may also be a folder with a published data set.
    """
    place = target.resolve()
    part = place.with_name(f".{place.name}.part")
    try:
        if place.exists() and any(place.iterdir()):
            raise InputError(f"{target}: not empty, expected an empty or a new folder")
        with file_lock(place.with_name(f".{place.name}.lock")):
            shutil.rmtree(part, ignore_errors=True)
            try:
                counts = (_read_folder if source.is_dir() else _read_archive)(source, part)
                if place.exists():
                    place.rmdir()  # Windows replaces no folder, not even an empty one
                os.replace(part / ROOT, place)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise InputError(f"{target}: {error.strerror or error}") from error
    return counts


def _read_archive(archive: Path, part: Path) -> tuple[Counter[str], Counter[str]]:
    tops = _unpack(archive, part)
    used = {ROOT, *_gather(archive, part)}
    unpacked = Counter({top: count for top, count in tops.items() if top in used})
    if not unpacked.total():
        found = ", ".join(sorted(tops)[:5]) or "nothing"
        raise ArchiveError(
            f"{archive}: expected files under {ROOT}/, a folder with {course.TABLES['test']}, "
            f"{releases.NAMES} as it is released, or FOLDER/PERSON/PICTURE, found {found}"
        )
    return unpacked, tops - unpacked


def _read_folder(folder: Path, part: Path) -> tuple[Counter[str], Counter[str]]:
    name = releases.unpack(folder, part / ROOT)
    files = sum(path.is_file() for path in (part / ROOT).rglob("*"))
    return Counter({name: files}), Counter()


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
    wrapped: dict[str, set[str]] = {}
    (part / ROOT).mkdir(parents=True, exist_ok=True)
    try:
        wrapped |= _wrap_all(part)
        return _gather_all(part, wrapped)
    except (InputError, OSError) as error:
        if isinstance(error, OSError) and error.errno in _DISK:
            raise
        message = str(error)
        for folder in (*(part / name for name in wrapped), part):  # paths as in the archive
            message = message.replace(f"{folder}/", "")
        raise ArchiveError(f"{archive}: {message}") from None


def _gather_all(part: Path, wrapped: Mapping[str, set[str]]) -> set[str]:
    home = part / ROOT
    gathered: set[str] = set()
    for path in sorted(part.iterdir()):
        if path != home and path.is_dir() and _arrange(path, home / path.name):
            gathered |= wrapped.get(path.name, {path.name})
    return gathered


def _wrap_all(part: Path) -> dict[str, set[str]]:
    """Put a folder around published data sets that have none; returns what is in it now."""
    wrapped = {}
    for release in releases.RELEASES:
        names = {path.name for path in part.iterdir() if release.parts.fullmatch(path.name)}
        if names and release.fits(part):
            folder = part / release.name
            if folder.exists():
                raise ArchiveError(f"{min(names)} and {folder} would be the same data set")
            folder.mkdir()
            for name in names:
                (part / name).rename(folder / name)
            wrapped[release.name] = names
    return wrapped


def _arrange(folder: Path, target: Path) -> bool:
    """Make `folder` the data set `target`, if its layout is known."""
    arrange = next((convert for fits, convert in _LAYOUTS if fits(folder)), None)
    if arrange is None:
        return False
    name = target.name
    if target.exists():
        raise ArchiveError(f"{name}/ and {ROOT}/{name} would be the same data set")
    arrange(folder, target)
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
    *((release.fits, release.arrange) for release in releases.RELEASES),
    (_is_of_people, _arrange_people),
]


class _Member(tarfile.TarInfo):
    """Refuses broken headers, which end an archive for tarfile, and large ones, which it reads into
    memory."""

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tar)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise  # the regular end
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from None

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if self.size < 0 or (self.type in _HEADERS and self.size > HEADER_BYTES):
            raise tarfile.HeaderError(f"a header of {self.size} bytes")
        member: tarfile.TarInfo = super()._proc_member(tar)  # type: ignore[misc]
        return member


def _unpack(archive: Path, target: Path) -> Counter[str]:
    """Write all members, since the table that makes a top folder a data set may be the last one."""
    if not archive.is_file():
        raise ArchiveError(f"{archive}: no such archive")
    tops: Counter[str] = Counter()
    last = None
    size = archive.stat().st_size
    most_bytes = FREE_BYTES + RATIO * size
    most_members = FREE_MEMBERS + size // BYTES_A_MEMBER
    unpacked = 0
    bar = tqdm(
        desc=f"unpack {archive.name}", total=size, unit="B", unit_scale=True, mininterval=0.5
    )
    try:
        with (
            bar,
            archive.open("rb") as raw,
            tarfile.open(fileobj=raw, tarinfo=_Member) as tar,
        ):
            for count, member in enumerate(tar, start=1):
                path = _safe_path(archive, member)
                unpacked += max(member.size, 0)
                if unpacked > most_bytes:
                    raise _too_large(archive, most_bytes)
                if count > most_members:
                    raise ArchiveError(
                        f"{archive}: more than {most_members:,} files and folders, the most "
                        f"expected in {size:,} bytes"
                    )
                if not path.parts:  # "./", the archived folder itself
                    continue
                tops[path.parts[0]] += member.isfile()
                if path.parts == (ROOT,) and member.isfile():
                    raise ArchiveError(f"{archive}: {ROOT} is a file, expected a folder")
                last = member.name
                _write(archive, tar, member, target / path)
                tar.members.clear()  # type: ignore[attr-defined]  # tarfile keeps them all
                bar.update(raw.tell() - bar.n)
            if not _drain(tar, most_bytes):
                raise _too_large(archive, most_bytes)
    except (*_BROKEN, OSError) as error:
        if isinstance(error, OSError) and error.errno in _DISK:
            raise
        where = f"broken or cut short at {last!r}" if last else "not a tar archive (.tgz)"
        reason = str(error).splitlines()[0].rstrip(":") if str(error) else type(error).__name__
        raise ArchiveError(f"{archive}: {where}: {reason}") from error
    return tops


def _too_large(archive: Path, most: int) -> ArchiveError:
    return ArchiveError(
        f"{archive}: unpacks to more than {most:,} bytes, {RATIO} times its size and "
        f"{FREE_BYTES // 2**20} MiB; images do not compress so well"
    )


def _drain(tar: tarfile.TarFile, most: int) -> bool:
    """Read to the end, where gzip has its checksum; False if it is more than `most` bytes away."""
    assert tar.fileobj is not None
    while block := tar.fileobj.read(2**20):
        most -= len(block)
        if most < 0:
            return False
    return True


def _safe_path(archive: Path, member: tarfile.TarInfo) -> PurePosixPath:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name:
        raise ArchiveError(f"{archive}: {member.name!r} points outside the archive's own folder")
    if not (member.isfile() or member.isdir()):
        kind = "a link" if member.issym() or member.islnk() else "a device or other special file"
        raise ArchiveError(f"{archive}: {member.name!r} is {kind}, expected files and folders only")
    if not is_utf8(member.name) or "\0" in member.name:
        raise ArchiveError(f"{archive}: {member.name!r}: a name that is not UTF-8")
    if len(path.parts) > DEPTH:
        raise ArchiveError(
            f"{archive}: {len(path.parts)} folders below each other, expected at most {DEPTH}: "
            f"{member.name[:100]!r}"
        )
    return path


def _write(archive: Path, tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    try:
        if member.isdir():
            path.mkdir(parents=True, exist_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("xb")
    except (FileExistsError, NotADirectoryError):  # maybe by another case of letters
        raise ArchiveError(f"{archive}: {member.name!r} is in the archive twice") from None
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise ArchiveError(f"{archive}: {member.name[:300]!r}: the name is too long") from None
    source = tar.extractfile(member)
    assert source is not None  # it is a regular file
    with source, file:
        shutil.copyfileobj(source, file)
