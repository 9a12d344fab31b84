"""The folder that results go to, on this machine or in an object store: files whole or absent."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from facealign.core.files import atomic_write, file_lock
from facealign.inference import stores


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

    def write(self, name: str, data: bytes) -> None:
        stores.write(self.path(name), data)

    def append(self, name: str, line: bytes) -> None:
        self.write(name, self.read(name) + line)

    def path(self, name: str) -> str:
        return f"{self.place}/{name}"


def open_folder(place: str) -> Folder | StoreFolder:
    local = place.removeprefix("file://")
    return StoreFolder(local) if stores.is_url(local) else Folder(Path(local))
