"""Pictures and videos of folders, patterns and lists; of tar files and object stores, too."""

from __future__ import annotations

import glob
import os
import sys
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np

from facealign.core import images
from facealign.core.errors import ImageError, InputError
from facealign.inference import stores

VIDEOS = frozenset(  # that `video` can read, of containers in common use
    {".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"}
    | {".mts", ".ogv", ".ts", ".vob", ".webm", ".wmv"}
)
_COMPRESSED = (".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")
_UNSUPPORTED = {".heic", ".heif", ".avif", ".gif", ".jxl", ".jp2", ".psd"} | {
    *(".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".raf", ".rw2")  # of cameras
}


class Keep:
    """`images.is_picture`, and how many pictures of other formats it was asked about."""

    def __init__(self, suffixes: frozenset[str] = images.SUFFIXES) -> None:
        self.suffixes = suffixes
        self._others: Counter[str] = Counter()

    def __call__(self, path: Path) -> bool:
        suffix = path.suffix.lower()
        if suffix in _UNSUPPORTED and not path.name.startswith("."):
            self._others[suffix] += 1
        return images.is_picture(path, self.suffixes)

    def report(self) -> None:
        if self._others:
            counts = (f"{count} {suffix}" for suffix, count in self._others.most_common())
            print(f"skipped: {', '.join(counts)}", file=sys.stderr)


@dataclass(frozen=True)
class Source:
    """A picture or video file, or the error of a path that leads to none."""

    path: Path
    name: Path  # of its results: the path below the folder that was given
    error: str = ""
    taken: frozenset[int] = frozenset()  # N of each other picture that is called NAME_N


def find_pictures(paths: Iterable[str], out: Path | None = None) -> list[Source]:
    """The pictures of files, folders (recursively) and glob patterns.

    What an earlier call wrote to `out`, a folder below one of these, is not among them.
    """
    keep = Keep()
    found = _find(paths, keep, "image", out)
    keep.report()
    return found


def find_videos(paths: Sequence[str], lists: Sequence[Path] = ()) -> list[Source]:
    """The same of videos, and those of text files with such a path in each line."""
    return _find([*paths, *_in_lists(lists)], Keep(VIDEOS), "video", None)


def _find(paths: Iterable[str], keep: Keep, kind: str, out: Path | None) -> list[Source]:
    found: dict[Path, Source] = {}
    for text in paths:
        matches = [text] if os.path.lexists(text) else _matches(text)
        if not matches:
            found[Path(text)] = Source(
                Path(text), Path(text), error=f"{text}: no such file or folder"
            )
        for path in map(Path, matches):
            inside = [Source(path, Path(path.name))]
            if path.is_dir():
                inside = _without_results(_below(path, keep), path, out)
            if not inside:
                expected = ", ".join(sorted(keep.suffixes))
                error = f"{path}: no {kind} in this folder ({expected})"
                found[path] = Source(path, path, error)
            for source in inside:
                found.setdefault(source.path, source)
    return list(found.values())


def _below(folder: Path, keep: Keep) -> list[Source]:
    return [Source(path, path.relative_to(folder), error) for path, error in walk(folder, keep)]


def _without_results(sources: list[Source], folder: Path, out: Path | None) -> list[Source]:
    if out is None or folder.resolve() not in out.resolve().parents:
        return sources
    results = out.resolve().relative_to(folder.resolve())
    return [source for source in sources if not source.name.is_relative_to(results)]


def _matches(pattern: str) -> list[str]:
    return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  # it may be absolute


@dataclass(frozen=True)
class Listed:
    """A picture that `read` reads, or the error of a path that leads to none."""

    name: str  # for results and errors; of a picture in a tar file TAR/MEMBER
    place: str  # a path, or a URL such as s3://bucket/picture.jpg
    start: int = 0  # of the picture's bytes in a tar file
    size: int | None = None  # there
    error: str = ""
    unlisted: bool = False  # it stands for pictures that are unknown: of a folder or a tar file
    refused: bool = False  # by a store

    def read(self) -> np.ndarray:
        """PermissionError if a store refuses it."""
        if self.size is None and not stores.is_url(self.place):
            return images.read(Path(self.place))
        if (self.size or 0) > images.MAX_BYTES:
            raise ImageError(f"{self.name}: too large for a picture")
        path = Path(self.name)
        try:
            return images.decode(self._bytes(), path)
        except ImageError as error:  # a path has fewer slashes than a URL
            raise ImageError(str(error).replace(str(path), self.name, 1)) from None

    def _bytes(self) -> bytes:
        try:
            if stores.is_url(self.place):
                end = None if self.size is None else self.start + self.size
                return stores.read(self.place, self.start, end)
            with Path(self.place).open("rb") as file:
                file.seek(self.start)
                return file.read(self.size)
        except OSError as error:
            if isinstance(error, PermissionError) and stores.is_url(self.place):
                raise
            raise ImageError(f"{self.name}: {error.strerror or error}") from None


def walk(folder: Path, keep: Keep) -> Iterator[tuple[Path, str]]:
    """As `images.walk`, but a folder that cannot be read comes with the error, and ends nothing."""
    try:
        with os.scandir(folder) as entries:
            inside = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield folder, f"{folder}: {error.strerror}"
        return
    for entry in inside:
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from walk(path, keep)
        # os.path's, because that of the entry raises errors
        elif keep(path) and not (entry.is_symlink() and os.path.isdir(path)):  # noqa: PTH112
            yield path, ""


def list_pictures(
    paths: Sequence[str], lists: Sequence[Path] = (), keep: Keep | None = None
) -> Iterator[Listed]:
    """The pictures of `paths` (files, folders, glob patterns, tar files, URLs of these), then those
    of text files with such a path in each line; `-` is the standard input.

    They are listed only as they are needed. The order is the same in each run, as long as folders
    and lists are.
    """
    keep = keep or Keep()
    for text in chain(paths, _in_lists(lists)):
        yield from _listed(text, keep)


def _in_lists(lists: Iterable[Path]) -> Iterator[str]:
    for path in lists:
        if not path.is_file() and str(path) != "-":
            raise InputError(f"{path}: no such file, expected a list with a path in each line")
        with (
            nullcontext(sys.stdin)
            if str(path) == "-"
            else path.open(encoding="utf-8", errors="surrogateescape")
        ) as lines:
            for line in lines:
                if text := line.rstrip("\r\n"):
                    yield text


def _listed(text: str, keep: Keep) -> Iterator[Listed]:
    if text.lower().endswith(_COMPRESSED):
        yield Listed(text, text, error=f"{text}: a compressed archive, expected a plain .tar")
    elif stores.is_url(text):
        yield from _in_store(text, keep)
    elif os.path.isdir(path := Path(text)):  # noqa: PTH112  # Path.is_dir raises errors
        found = False
        for found_path, error in walk(path, keep):
            found = True
            name = str(found_path)
            yield Listed(name, name, error=error, unlisted=bool(error))
        if not found:
            yield _nothing_in(text)
    elif os.path.lexists(path):
        yield from _in_tar(text, keep) if path.suffix == ".tar" else [Listed(text, text)]
    else:
        matches = _matches(text)
        for match in matches:
            if "**" not in text or not Path(match).is_dir():  # what is below it matches, too
                yield from _listed(match, keep)
        if not matches:
            yield Listed(text, text, error=f"{text}: no such file or folder")


def _in_store(url: str, keep: Keep) -> Iterator[Listed]:
    empty = True
    try:
        for each, error in stores.find(url, keep):
            empty = False
            if error:
                yield Listed(each, each, error=error, unlisted=True, refused=True)
            else:
                yield from _in_tar(each, keep) if each.endswith(".tar") else [Listed(each, each)]
    except PermissionError as error:
        yield Listed(url, url, error=str(error), unlisted=True, refused=True)
        return
    if empty:
        yield Listed(url, url, error=f"{url}: no such file, and no folder with images")


def _in_tar(place: str, keep: Keep) -> Iterator[Listed]:
    """The pictures in a tar file, such as a shard in WebDataset's layout."""
    empty = True
    try:
        with _open(place) as file, tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                tar.members = []  # type: ignore[attr-defined]  # it would keep them all
                if member.isreg() and keep(Path(PurePosixPath(member.name).name)):
                    empty = False
                    name = f"{place}/{member.name}"
                    yield Listed(name, place, member.offset_data, member.size)
    except (OSError, tarfile.TarError) as error:
        refused = stores.is_url(place) and isinstance(error, PermissionError)
        said = str(error) if refused else f"{place}: {error}"
        yield Listed(place, place, error=said, unlisted=True, refused=refused)
        return
    if empty:
        yield _nothing_in(place)


def _open(place: str) -> AbstractContextManager[IO[bytes]]:
    return stores.open_file(place) if stores.is_url(place) else Path(place).open("rb")


def _nothing_in(place: str) -> Listed:
    suffixes = ", ".join(sorted(images.SUFFIXES))
    return Listed(place, place, error=f"{place}: no image in it ({suffixes})")
