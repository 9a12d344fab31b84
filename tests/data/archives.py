"""Archives for the tests of the layouts."""

import io
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign.core.errors import FacealignError
from facealign.data.archive import extract

PICTURE = bytes(cv2.imencode(".jpg", np.zeros((200, 300, 3), np.uint8))[1])


def tgz(path: Path, files: dict[str, bytes], prefix: str = "") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, contents in files.items():
            info = tarfile.TarInfo(prefix + name)
            info.size = len(contents)
            tar.addfile(info, io.BytesIO(contents))
    return path


def names_below(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def refusal(archive: Path) -> str:
    """What the error says after the archive's name; the target stays empty, and nothing is left."""
    target = archive.parent / "work" / "faces"
    target.mkdir(parents=True)
    with pytest.raises(FacealignError) as error:
        extract(archive, target)
    assert list(target.parent.rglob("*")) == [target]
    where, said = str(error.value).split(": ", maxsplit=1)
    assert where == str(archive)
    assert str(archive.parent) not in said
    return said
