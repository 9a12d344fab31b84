"""Landmarks of any number of pictures, in numbered files that are whole or absent.

`manifest.jsonl` beside them begins with how they were made, has a line for each file, and ends with
the sums. A file that has no line there was not finished.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from facealign import __version__
from facealign.core.errors import ConfigError, DependencyError, ImageError, InputError
from facealign.core.parallel import map_in_order
from facealign.inference import folders
from facealign.inference.aligner import Aligner
from facealign.inference.folders import Result
from facealign.inference.listing import Listed, list_pictures
from facealign.inference.output import Folder, StoreFolder, open_folder

MANIFEST = "manifest.jsonl"
_COUNTS = ("images", "faces", "without_face", "failed")
_Line = dict[str, Any]


def predict(
    paths: Sequence[str],
    lists: Sequence[Path],
    form: str,
    out: str,
    size: int,
    resume: bool,
    aligner: Aligner,
    made_with: _Line,
) -> int:
    """Run `facealign predict --parts SIZE`; the exit status. `out` is a folder or the URL of one,
    `made_with` are the options that decide the results."""
    if form not in _FORMATS:
        raise ConfigError(f"--parts: format {form}, expected one of {', '.join(_FORMATS)}")
    if not paths and not lists:
        raise ConfigError("expected a path, or a list of paths with --list")
    head = {"facealign": __version__, "format": form, "parts": size} | made_with
    folder = open_folder(out)
    with folder.lock():
        return _continue(list_pictures(paths, lists), form, folder, head, resume, aligner)


def _continue(
    pictures: Iterator[Listed],
    form: str,
    out: Folder | StoreFolder,
    head: _Line,
    resume: bool,
    aligner: Aligner,
) -> int:
    size = int(head["parts"])
    done = _finished(out, head, resume)
    sums = {name: sum(line[name] for line in done if "part" in line) for name in _COUNTS}
    if not done or "complete" not in done[-1]:
        for line in done:
            _skip(pictures, line, out)
        number = len(done)
        results = map_in_order(partial(_examine, aligner), pictures, "faces")
        while part := list(islice(results, size)):
            name = f"landmarks-{number:06}{_SUFFIXES[form]}"
            data = _FORMATS[form]([result for result in part if not result.error])
            out.write(name, data)
            line = _described(name, data, part)
            _append(out, line)
            sums = {name: sums[name] + line[name] for name in _COUNTS}
            number += 1
        _append(out, {"complete": True, "files": number} | sums)
    print(
        f"{sums['images']} images, {sums['faces']} faces, {sums['without_face']} images without a "
        f"face, {sums['failed']} failed: {out.path(MANIFEST)}",
        file=sys.stderr,
    )
    return 1 if sums["failed"] else 0


def _finished(out: Folder | StoreFolder, head: _Line, resume: bool) -> list[_Line]:
    """The lines of the manifest after its first one, which is written if there is none."""
    manifest, data = out.path(MANIFEST), out.read(MANIFEST)
    if data and not resume:
        raise ConfigError(f"{manifest} is there already: add --resume, or name another --out")
    whole = data[: data.rfind(b"\n") + 1]  # without a line that was not finished
    if whole != data:
        out.write(MANIFEST, whole)
    try:
        lines = [json.loads(line) for line in whole.splitlines()]
    except ValueError:
        raise InputError(f"{manifest}: not a manifest of `facealign predict --parts`") from None
    if not lines:
        _append(out, head)
        return []
    for name in head.keys() | lines[0].keys():
        if lines[0].get(name) != head.get(name):
            raise ConfigError(
                f"{manifest}: its {name} is {lines[0].get(name)!r}, not {head.get(name)!r}: to "
                "resume, use the same options, or name another --out"
            )
    return lines[1:]


def _skip(pictures: Iterator[Listed], line: _Line, out: Folder | StoreFolder) -> None:
    """Leave out the pictures of a finished file, which must be the same ones."""
    names = [picture.name for picture in islice(pictures, line["images"])]
    if _digest(names) != line["names_sha256"]:
        raise InputError(
            f"{out.path(line['part'])}: the images are not those of the earlier run, which began "
            f"with {line['first']!r}: to resume, name the same ones, or name another --out"
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


def _described(name: str, data: bytes, part: Sequence[Result]) -> _Line:
    names = [str(result.path) for result in part]
    failed = {str(result.path): result.error for result in part if result.error}
    return {
        "part": name,
        "images": len(part),
        "faces": sum(len(result.faces) for result in part),
        "without_face": sum(not result.faces and not result.error for result in part),
        "failed": len(failed),
        "first": names[0],
        "last": names[-1],
        "names_sha256": _digest(names),
        "sha256": hashlib.sha256(data).hexdigest(),
        "errors": failed,
    }


def _digest(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(names).encode("utf-8", "surrogateescape")).hexdigest()


def _append(out: Folder | StoreFolder, line: _Line) -> None:
    out.append(MANIFEST, f"{json.dumps(line)}\n".encode())


def _as_json(results: Sequence[Result]) -> bytes:
    return "".join(f"{json.dumps(result.as_dict())}\n" for result in results).encode()


def _as_csv(results: Sequence[Result]) -> bytes:
    text = io.StringIO(newline="")
    table = folders.begin_table(text)
    for result in results:
        table.writerows(folders.rows(result))
    return text.getvalue().encode(errors="backslashreplace")


def _as_parquet(results: Sequence[Result]) -> bytes:
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
    data = io.BytesIO()
    parquet.write_table(arrow.table(arrays, names=list(folders.COLUMNS)), data)
    return data.getvalue()


_FORMATS: dict[str, Callable[[Sequence[Result]], bytes]] = {
    "json": _as_json,
    "csv": _as_csv,
    "parquet": _as_parquet,
}
_SUFFIXES = {"json": ".jsonl", "csv": ".csv", "parquet": ".parquet"}
