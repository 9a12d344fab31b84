"""Pictures of folders, lists, tar files and object stores, listed only as they are needed."""

from __future__ import annotations

import glob
import os
import sys
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from facealign.core import images
from facealign.core.errors import DependencyError, ImageError, InputError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_COMPRESSED = (".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")


@dataclass(frozen=True)
class Listed:
    """A picture that `read` reads, or the error of a path that leads to none."""

    name: str  # for results and errors; of a picture in a tar file TAR/MEMBER
    place: str  # a path, or a URL such as s3://bucket/picture.jpg
    start: int = 0  # of the picture's bytes in a tar file
    size: int | None = None  # there
    error: str = ""

    def read(self) -> np.ndarray:
        if self.size is None and not _is_url(self.place):
            return images.read(Path(self.place))
        if (self.size or 0) > images.MAX_BYTES:
            raise ImageError(f"{self.name}: too large for a picture")
        return images.decode(self._bytes(), Path(self.name))

    def _bytes(self) -> bytes:
        try:
            if _is_url(self.place):
                store, path = _store(self.place)
                end = None if self.size is None else self.start + self.size
                return bytes(store.cat_file(path, self.start, end))
            with Path(self.place).open("rb") as file:
                file.seek(self.start)
                return file.read(self.size)
        except OSError as error:
            raise ImageError(f"{self.name}: {error.strerror or error}") from None


def list_pictures(paths: Sequence[str], lists: Sequence[Path] = ()) -> Iterator[Listed]:
    """The pictures of `paths` (files, folders, glob patterns, tar files, URLs of these), then those
    of text files with such a path in each line; `-` is the standard input.

    The order is the same in each run, as long as folders and lists are.
    """
    for text in paths:
        yield from _listed(text)
    for path in lists:
        yield from _in_list(path)


def _in_list(path: Path) -> Iterator[Listed]:
    if not path.is_file() and str(path) != "-":
        raise InputError(f"{path}: no such file, expected a list with a path in each line")
    with (
        nullcontext(sys.stdin)
        if str(path) == "-"
        else path.open(encoding="utf-8", errors="surrogateescape")
    ) as lines:
        for line in lines:
            if text := line.rstrip("\r\n"):
                yield from _listed(text)


def _listed(text: str) -> Iterator[Listed]:
    if text.lower().endswith(_COMPRESSED):
        yield Listed(text, text, error=f"{text}: a compressed archive, expected a plain .tar")
    elif _is_url(text):
        yield from _in_store(text)
    elif (path := Path(text)).is_dir():
        found = False
        for found_path in images.walk(path):
            found = True
            yield Listed(str(found_path), str(found_path))
        if not found:
            yield _nothing_in(text)
    elif os.path.lexists(path):
        yield from _in_tar(text) if path.suffix == ".tar" else [Listed(text, text)]
    else:
        matches = sorted(glob.glob(text, recursive=True))  # noqa: PTH207  # it may be absolute
        for match in matches:
            yield from _listed(match)
        if not matches:
            yield Listed(text, text, error=f"{text}: no such file or folder")


def _in_store(url: str) -> Iterator[Listed]:
    store, path = _store(url)
    try:
        if glob.has_magic(path):
            found = iter(sorted(store.glob(path)))
        elif store.isdir(path):
            found = _below(store, path)
        else:
            found = iter([path] if store.exists(path) else [])
        empty = True
        for each in found:
            empty = False
            name = store.unstrip_protocol(each)
            yield from _in_tar(name) if name.endswith(".tar") else [Listed(name, name)]
    except (OSError, ValueError) as error:
        yield Listed(url, url, error=f"{url}: {error}")
        return
    if empty:
        yield Listed(url, url, error=f"{url}: no such file, and no folder with images")


def _below(store: AbstractFileSystem, folder: str) -> Iterator[str]:
    """As `images.walk`; object stores have no order of their own."""
    entries = sorted(store.ls(folder, detail=True), key=lambda entry: str(entry["name"]))
    for entry in entries:
        name = str(entry["name"])
        if entry["type"] == "directory":
            yield from _below(store, name)
        elif images.is_picture(Path(name)):
            yield name


def _in_tar(place: str) -> Iterator[Listed]:
    """The pictures in a tar file, such as a shard in WebDataset's layout."""
    empty = True
    try:
        with _open(place) as file, tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                tar.members = []  # type: ignore[attr-defined]  # it would keep them all
                if member.isreg() and images.is_picture(Path(PurePosixPath(member.name).name)):
                    empty = False
                    name = f"{place}/{member.name}"
                    yield Listed(name, place, member.offset_data, member.size)
    except (OSError, tarfile.TarError) as error:
        yield Listed(place, place, error=f"{place}: {error}")
        return
    if empty:
        yield _nothing_in(place)


def _open(place: str) -> IO[bytes]:
    if not _is_url(place):
        return Path(place).open("rb")
    store, path = _store(place)
    opened: IO[bytes] = store.open(path, "rb")
    return opened


def _nothing_in(place: str) -> Listed:
    suffixes = ", ".join(sorted(images.SUFFIXES))
    return Listed(place, place, error=f"{place}: no image in it ({suffixes})")


def _is_url(text: str) -> bool:
    return "://" in text


def _store(url: str) -> tuple[Any, str]:
    """The store of a URL, which fsspec keeps open, and the path in it."""
    try:
        import fsspec

        store, path = fsspec.core.url_to_fs(url)
    except ImportError as error:  # fsspec itself, or the store's own package
        raise DependencyError(
            f"{url}: {error}: pip install '.[cluster]' in a clone, and the package of the store"
        ) from None
    except ValueError as error:
        raise InputError(f"{url}: {error}") from None
    return store, str(path)
