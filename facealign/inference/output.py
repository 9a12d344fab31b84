"""The folder of a long run's results, on this machine or in an object store.

Its files are whole or absent. `manifest.jsonl` begins with how they were made, and has a line for
each that is finished.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from facealign import __version__
from facealign.core.errors import ConfigError, InputError
from facealign.core.files import atomic_write, file_lock
from facealign.inference import stores

MANIFEST = "manifest.jsonl"
Line = dict[str, Any]


class Folder:
    def __init__(self, place: Path) -> None:
        self.place = place

    def lock(self) -> AbstractContextManager[None]:
        """Against another run that writes to the same folder."""
        return file_lock(self.place / ".lock")

    def read(self, name: str) -> bytes:
        """Nothing if there is no such file."""
        try:
            return (self.place / name).read_bytes()
        except FileNotFoundError:
            return b""

    def write(self, name: str, data: bytes) -> None:
        with atomic_write(self.place / name) as part:
            part.write_bytes(data)

    def append(self, name: str, line: bytes) -> None:
        with (self.place / name).open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def path(self, name: str) -> str:
        return str(self.place / name)


class StoreFolder:
    """The same; a store appends to no file and has no locks."""

    def __init__(self, place: str) -> None:
        self.place = place.rstrip("/")

    def lock(self) -> AbstractContextManager[None]:
        return nullcontext()

    def read(self, name: str) -> bytes:
        try:
            return stores.read(self.path(name))
        except FileNotFoundError:
            return b""
        except PermissionError as error:
            raise InputError(str(error)) from None

    def write(self, name: str, data: bytes) -> None:
        stores.write(self.path(name), data)

    def append(self, name: str, line: bytes) -> None:
        self.write(name, self.read(name) + line)

    def path(self, name: str) -> str:
        return f"{self.place}/{name}"


Output = Folder | StoreFolder


def open_folder(place: str) -> Output:
    local = place.removeprefix("file://")
    return StoreFolder(local) if stores.is_url(local) else Folder(Path(local))


def begin(out: Output, made_with: Line, resume: bool) -> list[Line]:
    """The lines of the manifest after its first one, which is written if there is none."""
    manifest, data = out.path(MANIFEST), out.read(MANIFEST)
    if data and not resume:
        raise ConfigError(f"{manifest} is there already: add --resume, or name another folder")
    whole = data[: data.rfind(b"\n") + 1]  # without a line that was not finished
    if whole != data:
        out.write(MANIFEST, whole)
    try:
        lines = [json.loads(line) for line in whole.splitlines()]
    except ValueError:
        raise InputError(f"{manifest}: not a manifest of this command") from None
    head = {"facealign": __version__} | made_with
    if not lines:
        note(out, head)
        return []
    for name in head.keys() | lines[0].keys():
        if lines[0].get(name) != head.get(name):
            raise ConfigError(
                f"{manifest}: its {name} is {lines[0].get(name)!r}, not {head.get(name)!r}: to "
                "resume, use the same options, or name another folder"
            )
    return lines[1:]


def note(out: Output, line: Line) -> None:
    out.append(MANIFEST, _encoded(line))


def keep(out: Output, lines: Sequence[Line]) -> None:
    """Drop all other lines of the manifest after its first one."""
    head, *_ = out.read(MANIFEST).splitlines(keepends=True)
    out.write(MANIFEST, head + b"".join(map(_encoded, lines)))


def _encoded(line: Line) -> bytes:
    return f"{json.dumps(line)}\n".encode()
