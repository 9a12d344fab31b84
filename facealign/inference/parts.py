"""Landmarks of any number of pictures, in numbered files that are whole or absent.

`manifest.jsonl` beside them begins with how they were made, has a line for each file, and ends with
the sums. A file that has no line there was not finished.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from facealign import __version__
from facealign.core.errors import ConfigError, DependencyError, ImageError, InputError
from facealign.core.files import atomic_write, file_lock, sha256
from facealign.core.parallel import map_in_order
from facealign.inference import folders
from facealign.inference.aligner import Aligner
from facealign.inference.folders import Result
from facealign.inference.listing import Listed, list_pictures

MANIFEST = "manifest.jsonl"
_COUNTS = ("images", "faces", "without_face", "failed")
_Line = dict[str, Any]


def predict(
    paths: Sequence[str],
    lists: Sequence[Path],
    form: str,
    out: Path,
    size: int,
    resume: bool,
    aligner: Aligner,
    made_with: _Line,
) -> int:
    """Run `facealign predict --parts SIZE`; the exit status. `made_with` are the options that
    decide the results."""
    if form not in _WRITERS:
        raise ConfigError(f"--parts: format {form}, expected one of {', '.join(_WRITERS)}")
    if not paths and not lists:
        raise ConfigError("expected a path, or a list of paths with --list")
    head = {"facealign": __version__, "format": form, "parts": size} | made_with
    out.mkdir(parents=True, exist_ok=True)
    with file_lock(out / ".lock"):
        return _continue(list_pictures(paths, lists), form, out, head, resume, aligner)


def _continue(
    pictures: Iterator[Listed], form: str, out: Path, head: _Line, resume: bool, aligner: Aligner
) -> int:
    manifest, size = out / MANIFEST, int(head["parts"])
    done = _finished(manifest, head, resume)
    sums = {name: sum(line[name] for line in done if "part" in line) for name in _COUNTS}
    if not done or "complete" not in done[-1]:
        for line in done:
            _skip(pictures, line, out)
        number = len(done)
        results = map_in_order(partial(_examine, aligner), pictures, "faces")
        while part := list(islice(results, size)):
            file = out / f"landmarks-{number:06}{_SUFFIXES[form]}"
            with atomic_write(file) as unfinished:
                _WRITERS[form](unfinished, [result for result in part if not result.error])
            line = _described(file, part)
            _append(manifest, line)
            sums = {name: sums[name] + line[name] for name in _COUNTS}
            number += 1
        _append(manifest, {"complete": True, "files": number} | sums)
    print(
        f"{sums['images']} images, {sums['faces']} faces, {sums['without_face']} images without a "
        f"face, {sums['failed']} failed: {manifest}",
        file=sys.stderr,
    )
    return 1 if sums["failed"] else 0


def _finished(manifest: Path, head: _Line, resume: bool) -> list[_Line]:
    """The lines of the manifest after its first one, which is written if there is none."""
    if not manifest.exists():
        _append(manifest, head)
        return []
    if not resume:
        raise ConfigError(f"{manifest} is there already: add --resume, or name another --out")
    data = manifest.read_bytes()
    if torn := len(data) - (data.rfind(b"\n") + 1):  # a line that was not finished
        os.truncate(manifest, len(data) - torn)
    try:
        lines = [json.loads(line) for line in data[: len(data) - torn].splitlines()]
    except ValueError:
        raise InputError(f"{manifest}: not a manifest of `facealign predict --parts`") from None
    if not lines:
        _append(manifest, head)
        return []
    for name in head.keys() | lines[0].keys():
        if lines[0].get(name) != head.get(name):
            raise ConfigError(
                f"{manifest}: its {name} is {lines[0].get(name)!r}, not {head.get(name)!r}: to "
                "resume, use the same options, or name another --out"
            )
    return lines[1:]


def _skip(pictures: Iterator[Listed], line: _Line, out: Path) -> None:
    """Leave out the pictures of a finished file, which must be the same ones."""
    names = [picture.name for picture in islice(pictures, line["images"])]
    if _digest(names) != line["names_sha256"]:
        raise InputError(
            f"{out / line['part']}: the images are not those of the earlier run, which began with "
            f"{line['first']!r}: to resume, name the same ones, or name another --out"
        )


def _examine(aligner: Aligner, picture: Listed) -> Result:
    """One picture, in a worker process."""
    try:
        if picture.error:
            raise ImageError(picture.error)
        image = picture.read()
    except ImageError as error:
        return Result(picture.name, error=str(error))
    return Result(picture.name, image.shape[1], image.shape[0], tuple(aligner.predict(image)))


def _described(file: Path, part: Sequence[Result]) -> _Line:
    names = [str(result.path) for result in part]
    failed = {str(result.path): result.error for result in part if result.error}
    return {
        "part": file.name,
        "images": len(part),
        "faces": sum(len(result.faces) for result in part),
        "without_face": sum(not result.faces and not result.error for result in part),
        "failed": len(failed),
        "first": names[0],
        "last": names[-1],
        "names_sha256": _digest(names),
        "sha256": sha256(file),
        "errors": failed,
    }


def _digest(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(names).encode("utf-8", "surrogateescape")).hexdigest()


def _append(manifest: Path, line: _Line) -> None:
    with manifest.open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(line)}\n")
        file.flush()
        os.fsync(file.fileno())


def _write_json(path: Path, results: Sequence[Result]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(result.as_dict())}\n" for result in results)


def _write_csv(path: Path, results: Sequence[Result]) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        table = folders.begin_table(file)
        for result in results:
            table.writerows(folders.rows(result))


def _write_parquet(path: Path, results: Sequence[Result]) -> None:
    """The columns of the CSV; what a face lacks is null."""
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        raise DependencyError("--format parquet: pip install '.[cluster]' in a clone") from None
    rows = [row for result in results for row in folders.rows(result)]
    columns = list(zip(*rows, strict=True)) or [()] * len(folders.COLUMNS)
    texts = [str(name).encode(errors="backslashreplace").decode() for name in columns[0]]
    arrays = [arrow.array(texts, arrow.string()), arrow.array(columns[1], arrow.int32())]
    for column in columns[2:]:
        values = [None if value == "" else float(value) for value in column]
        arrays.append(arrow.array(values, arrow.float64()))
    parquet.write_table(arrow.table(arrays, names=list(folders.COLUMNS)), path)


_WRITERS: dict[str, Callable[[Path, Sequence[Result]], None]] = {
    "json": _write_json,
    "csv": _write_csv,
    "parquet": _write_parquet,
}
_SUFFIXES = {"json": ".jsonl", "csv": ".csv", "parquet": ".parquet"}
