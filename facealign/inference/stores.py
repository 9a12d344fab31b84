"""Object stores and other remote file systems, which fsspec opens by their URLs."""

from __future__ import annotations

import glob
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from facealign.core import images
from facealign.core.errors import DependencyError, FacealignError, InputError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

AHEAD = 4_000_000  # bytes of an open file that are fetched at a time


def is_url(text: str) -> bool:
    return "://" in text


def open_store(url: str) -> tuple[AbstractFileSystem, str]:
    """The store of a URL, which fsspec keeps open, and the path in it."""
    with errors(url):
        try:
            import fsspec

            store, path = fsspec.core.url_to_fs(url)
        except ImportError as error:  # fsspec itself, or the store's own package
            raise DependencyError(
                f"{url}: {error}: pip install '.[cluster]' in a clone, and the package of the store"
            ) from None
        return store, str(path)


@contextmanager
def errors(url: str) -> Iterator[None]:
    """A missing file is a FileNotFoundError, one that is refused a PermissionError: it is forbidden
    or archived, or the credentials are wrong. What stores say of lost connections, each in its own
    way, ends the command."""
    try:
        yield
    except (FileNotFoundError, tarfile.TarError, FacealignError):
        raise
    except Exception as error:
        if isinstance(error, PermissionError) or str(error).startswith("Forbidden: "):  # gcsfs's
            raise PermissionError(f"{url}: {error}") from None
        raise InputError(f"{url}: {error}") from None


def read(url: str, start: int | None = None, end: int | None = None) -> bytes:
    """The bytes of a file, or those from `start` to before `end`."""
    store, path = open_store(url)
    with errors(url):
        return bytes(store.cat_file(path, start=start, end=end))


def write(url: str, data: bytes) -> None:
    """Object stores show a file when all of it has arrived."""
    store, path = open_store(url)
    try:
        with errors(url):
            store.pipe_file(path, data)
    except FileNotFoundError as error:  # such as a missing bucket
        raise InputError(f"{url}: {error}") from None
    except PermissionError as error:
        raise InputError(str(error)) from None


@contextmanager
def open_file(url: str) -> Iterator[IO[bytes]]:
    store, path = open_store(url)
    with errors(url), store.open(path, "rb", block_size=AHEAD) as file:
        yield file


def find(url: str, keep: Callable[[Path], bool]) -> Iterator[tuple[str, str]]:
    """The URLs of a file, of what is kept below a folder, or of all that match a pattern, in an
    order that stays the same. Folders are listed as they are needed; a missing one has none, and
    one below that cannot be listed comes with the error."""
    store, path = open_store(url)
    pattern = glob.has_magic(path)
    if not pattern and (images.is_picture(Path(path)) or path.endswith(".tar")):
        yield url, ""  # to ask for each of a long list would take longer than to read it
        return
    with errors(url):
        try:
            found = store.glob(path, detail=True) if pattern else {path: store.info(path)}
        except FileNotFoundError:
            return
        walk = _walk_s3 if "s3" in store.protocol else _walk
        for name, entry in sorted(found.items()):
            if entry["type"] != "directory":
                yield store.unstrip_protocol(name), ""
            elif "**" not in path:  # which matches what is below the folder, too
                for below, error in walk(store, name, keep):
                    yield store.unstrip_protocol(below), error


def _walk(
    store: AbstractFileSystem, folder: str, keep: Callable[[Path], bool]
) -> Iterator[tuple[str, str]]:
    """As `listing.walk`; stores have no order of their own."""
    try:
        with errors(folder):
            entries = sorted(store.ls(folder, detail=True), key=lambda entry: str(entry["name"]))
    except PermissionError as error:
        yield folder, str(error)
        return
    store.invalidate_cache(folder)  # it would keep them all
    for entry in entries:
        name = str(entry["name"])
        if entry["type"] == "directory":
            yield from _walk(store, name, keep)
        elif keep(Path(name)):
            yield name, ""


def _walk_s3(store: Any, folder: str, keep: Callable[[Path], bool]) -> Iterator[tuple[str, str]]:
    """S3 lists a thousand names at a time, sorted; `ls` would wait for all of them."""
    bucket, key, _ = store.split_path(folder)
    page: dict[str, Any] = {}
    while page.get("IsTruncated", True):
        following = {"ContinuationToken": page["NextContinuationToken"]} if page else {}
        page = store.call_s3(
            "list_objects_v2",
            Bucket=bucket,
            Prefix=f"{key}/" if key else "",
            **following,
            **store.req_kw,
        )
        for entry in page.get("Contents", []):
            if keep(Path(entry["Key"])):
                yield f"{bucket}/{entry['Key']}", ""
