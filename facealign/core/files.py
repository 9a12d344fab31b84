"""Atomic writes, a lock between processes, and hashes."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from facealign.core.errors import InputError, TrainingError


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`; the file written there replaces it on success."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Lock `path`, or fail at once; the file that a killed process leaves locks nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            _lock(file)
        except OSError:
            raise TrainingError(f"{path}: locked by another process") from None
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _lock(file: IO[str]) -> None:
    """Held until the file is closed; OSError if another process holds it."""
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
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


def write_text(path: Path, text: str) -> None:
    with atomic_write(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # not UTF-8, or not JSON
        raise InputError(f"{path}: not JSON: {error}") from None
