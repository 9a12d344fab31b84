"""A user's scheme in a YAML file, and the scheme of a data set as stages hand it on."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from facealign.core import config
from facealign.core.errors import ConfigError, ModelError
from facealign.core.files import read_json, write_json
from facealign.core.points import use
from facealign.core.schemes.published import SCHEMES
from facealign.core.schemes.scheme import Row, Scheme, mirrored

MOST = 999  # points, so that names of columns are short
KEY = "scheme"  # what errors call the whole file
_NAME = re.compile(r"\w[\w .-]{0,63}")


@dataclass(frozen=True)
class _File:
    """What a file says; docs/how-to/schemes.md explains it. Points are called by their names."""

    name: str
    points: tuple[str, ...]  # in the order of the annotations
    mirror: list[tuple[str, ...]]  # pairs; a point in none lies on the axis of the face
    regions: dict[str, tuple[str, ...]]
    eyes: tuple[tuple[str, ...], ...]
    five: list[tuple[str, ...]]
    lines: list[tuple[str, ...]]


def find(wanted: int | str, folder: Path) -> Scheme:
    """The scheme that `data.points` names: by its number of points, or as a YAML file in `folder`,
    which stages depend on."""
    if isinstance(wanted, int):
        if wanted not in SCHEMES:
            raise ConfigError(
                f"params.yaml: data.points is {wanted}, expected one of "
                f"{', '.join(map(str, sorted(SCHEMES)))}, or a YAML file in {folder}/"
            )
        return SCHEMES[wanted]
    path = config.file_in(folder, wanted, "data.points")
    return of(config.load_yaml(path), path, wanted)


def of(values: Any, path: Path, file: str = "") -> Scheme:
    """A user's scheme from the values of a file, which are checked; this process knows it now,
    and that params.yaml calls it `file`."""
    said = config.convert(values, _File, KEY, path)
    scheme = replace(_Checked(said, path).scheme(values), file=file)
    try:
        use(scheme)
    except ConfigError as error:
        raise ConfigError(f"{path}: {KEY}.points: {error}") from None
    return scheme


def write(scheme: Scheme, path: Path) -> None:
    """For the stages that follow: a number of points, or the user's scheme as a whole."""
    own = {"file": scheme.file, **scheme.source} if scheme.source else None
    write_json(path, own or {"points": scheme.count})


def adopt(path: Path) -> Scheme:
    """The scheme that was written there; this process knows it now."""
    values = read_json(path)
    if not isinstance(values, dict):
        return of(values, path)
    count, file = values.get("points"), str(values.pop("file", ""))
    return SCHEMES[count] if isinstance(count, int) and count in SCHEMES else of(values, path, file)


def of_text(text: str, path: Path) -> Scheme:
    """From the metadata of a network's file, which anyone may have written."""
    try:
        return of(json.loads(text), path)
    except (ValueError, RecursionError, ConfigError) as error:
        raise ModelError(f"{path}: its scheme: {error}") from None


class _Checked:
    """A file's names as numbers; errors name the file and the key."""

    def __init__(self, said: _File, path: Path) -> None:
        self._said, self._path = said, path
        if not 2 <= len(said.points) <= MOST:
            raise self._error("points", f"{len(said.points)} names, expected 2 to {MOST}")
        named = {"name": [said.name], "points": said.points, "regions": said.regions}
        for key, name in ((key, name) for key, names in named.items() for name in names):
            if not _NAME.fullmatch(name):
                raise self._error(
                    key, f"{name[:100]!r}, expected up to 64 letters, digits, blanks, _, - and ."
                )
        self._once("points", said.points)
        self._places = {name: place for place, name in enumerate(said.points)}

    def scheme(self, source: Mapping[str, Any]) -> Scheme:
        said = self._said
        pairs = [self._row(f"mirror[{i}]", pair, 2) for i, pair in enumerate(said.mirror)]
        self._once("mirror", [name for pair in said.mirror for name in pair])
        mirror = mirrored(len(said.points), [((left,), (right,)) for left, right in pairs])
        regions = {name: self._row(f"regions.{name}", its) for name, its in said.regions.items()}
        self._once("regions", [name for its in said.regions.values() for name in its])
        left, right = self._rows("eyes", said.eyes, 2)
        self._paired("eyes", mirror, [(left, right)])
        maps = {}
        if said.five:
            five = self._rows("five", said.five, 5)
            eyes, nose, mouth = five[:2], (five[2], five[2]), five[3:]
            self._paired("five", mirror, [(eyes[0], eyes[1]), nose, (mouth[0], mouth[1])])
            maps = {5: five}
        return Scheme(
            said.name,
            mirror,
            regions,
            (left, right),
            self._rows("lines", said.lines),
            maps,
            dict(source),
        )

    def _rows(
        self, key: str, rows: Sequence[Iterable[str]], count: int | None = None
    ) -> tuple[Row, ...]:
        if count is not None and len(rows) != count:
            raise self._error(key, f"{len(rows)} lists, expected {count}")
        return tuple(self._row(f"{key}[{i}]", row) for i, row in enumerate(rows))

    def _row(self, key: str, names: Iterable[str], count: int | None = None) -> Row:
        for name in (listed := list(names)):
            if name not in self._places:
                raise self._error(key, config.unknown_name("point", name, self._said.points))
        if count is not None and len(listed) != count:
            raise self._error(key, f"{len(listed)} points, expected {count}")
        return tuple(self._places[name] for name in listed)

    def _once(self, key: str, names: Iterable[str]) -> None:
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise self._error(key, f"{twice[0]!r} is there twice")

    def _paired(self, key: str, mirror: Row, pairs: Iterable[tuple[Row, Row]]) -> None:
        for left, right in pairs:
            if {mirror[point] for point in left} != set(right):
                names = [", ".join(self._said.points[i] for i in row) for row in (left, right)]
                raise self._error(key, f"{names[0]} and {names[1]} are no mirror images")

    def _error(self, key: str, reason: str) -> ConfigError:
        return ConfigError(f"{self._path}: {KEY}.{key}: {reason}")
