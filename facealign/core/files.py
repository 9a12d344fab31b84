"""Atomic writes, a lock between processes, and hashes."""

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO, Any

from facealign.core.errors import InputError, TrainingError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # the system names no file with these


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, with its suffix; the file written there replaces it on
    success.

    Another process or thread that writes the same file gets another name. A file that a killed
    process left is used again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part, lock = _claim_part(path)
    try:
        yield part
        if os.name == "nt":
            lock.close()  # Windows renames no open file
        os.replace(part, path)
    except OSError as error:
        if error.filename == str(part) or (error.filename is None and error.errno in _FULL):
            raise type(error)(error.errno, error.strerror, str(path)) from None
        raise
    finally:
        part.unlink(missing_ok=True)
        lock.close()


def _claim_part(path: Path) -> tuple[Path, IO[bytes]]:
    """A short name, because that of `path` may be as long as names can be, and its locked file."""
    digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]
    suffix = path.suffix if len(path.suffix) <= 8 else ""
    for number in count(1):
        part = path.with_name(f".{digest}.{number}.part{suffix}")
        if lock := _open_locked(part):
            lock.truncate(0)
            return part, lock
    raise AssertionError


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Lock `path`, or fail at once; the file that a killed process leaves locks nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = _open_locked(path)
    if file is None:
        raise TrainingError(f"{path}: locked by another process")
    with file:
        try:
            yield
        finally:
            if os.name != "nt":  # Windows removes no open file
                path.unlink(missing_ok=True)


def _open_locked(path: Path) -> IO[bytes] | None:
    """The file, created if need be and locked until it is closed; None if another has the lock."""
    while True:
        file = path.open("ab")
        try:
            _lock(file)
            # its last holder may have removed or renamed it since it was opened
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        except FileNotFoundError:
            pass
        except BlockingIOError:
            file.close()
            return None
        file.close()


def _lock(file: IO[bytes]) -> None:
    """Held until the file is closed; BlockingIOError if another process holds it."""
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        import msvcrt

        file.seek(2**30)  # other handles cannot write bytes that are locked
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError as error:
            raise BlockingIOError from error
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def in_fold(name: str, share: float, fold: int = 0) -> bool:
    """Whether the hash of `name` falls into this fold, so that adding names moves no other one.

    Folds of one `share` do not overlap; `fold` may be any below 1 / share.
    """
    digest = hashlib.sha256(name.encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    return fold * share <= place < (fold + 1) * share


def is_utf8(name: str) -> bool:
    """Whether the name of a file can be written into tables and reports."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def require_new(path: Path) -> None:
    """Before a file that a person may have made would be written over."""
    if path.exists():
        raise InputError(f"{path} is there already; remove it or write to another place")


def write_text(path: Path, text: str) -> None:
    with atomic_write(path) as part:
        # a file name that is not UTF-8 holds surrogates; in JSON `\udcff` is the escape for one
        part.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def write_json(path: Path, value: Any) -> None:
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise InputError(f"{path}: not written: a figure would be infinite or no number") from None
    write_text(path, text + "\n")


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # not UTF-8, or not JSON
        raise InputError(f"{path}: not JSON: {error}") from None
