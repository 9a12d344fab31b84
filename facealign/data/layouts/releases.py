"""The published data sets that are read as they are released."""

from __future__ import annotations

from pathlib import Path

from facealign.core.errors import ArchiveError
from facealign.data.layouts import (
    aflw2000,
    celeba,
    cofw,
    face_synthetics,
    films_300vw,
    ibug,
    infanface,
    lapa,
    wflw,
)
from facealign.data.layouts.release import Release

RELEASES: tuple[Release, ...] = (
    wflw.RELEASE,
    cofw.RELEASE,
    *ibug.RELEASES,
    films_300vw.RELEASE,
    aflw2000.RELEASE,
    lapa.RELEASE,
    face_synthetics.RELEASE,
    infanface.RELEASE,
    celeba.RELEASE,
)
NAMES = ", ".join(release.name for release in RELEASES)


def recognise(folder: Path) -> Release | None:
    return next((release for release in RELEASES if release.fits(folder)), None)


def unpack(folder: Path, target: Path) -> str:
    """Make the data set in `folder` a folder of `target`; returns its name."""
    release = recognise(folder)
    if release is None:
        raise ArchiveError(f"{folder}: the layout of none of {NAMES}")
    release.arrange(folder, target / release.name)
    return release.name
