"""Landmarks of any number of pictures, in numbered files. The manifest ends with the sums."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

from facealign.core.errors import ConfigError, DependencyError, ImageError, InputError
from facealign.core.parallel import map_in_order
from facealign.inference import folders, stores
from facealign.inference.aligner import Aligner
from facealign.inference.folders import Result
from facealign.inference.listing import Keep, Listed, list_pictures
from facealign.inference.output import MANIFEST, Line, Output, begin, note, open_folder

_COUNTS = ("images", "faces", "without_face", "failed")


def predict(
    paths: Sequence[str],
    lists: Sequence[Path],
    form: str,
    out: str,
    size: int,
    resume: bool,
    aligner: Aligner,
    made_with: Line,
) -> int:
    """Run `facealign predict --parts SIZE`; the exit status. `out` is a folder or the URL of one,
    `made_with` are the options that decide the results."""
    if form not in _FORMATS:
        raise ConfigError(f"--parts: format {form}, expected one of {', '.join(_FORMATS)}")
    if not paths and not lists:
        raise ConfigError("expected a path, or a list of paths with --list")
    folder, keep = open_folder(out), Keep()
    with folder.lock():
        done = begin(folder, {"format": form, "parts": size} | made_with, resume)
        pictures = list_pictures(paths, lists, keep)
        status = _continue(pictures, form, folder, size, done, aligner)
    keep.report()
    return status


def _continue(
    pictures: Iterator[Listed],
    form: str,
    out: Output,
    size: int,
    done: Sequence[Line],
    aligner: Aligner,
) -> int:
    sums = {name: sum(line[name] for line in done if "part" in line) for name in _COUNTS}
    if not done or "complete" not in done[-1]:
        readable: Listed | None = None  # of a store, the last picture that was read
        for line in done:
            readable = _skip(pictures, line, out) or readable
        number = len(done)
        results = map_in_order(partial(_examine, aligner), pictures, "faces")
        while examined := list(islice(results, size)):
            readable = _require_access(examined, readable)
            part = [result for _, result in examined]
            for picture, result in examined:
                if picture.unlisted:
                    print(f"error: {result.error}", file=sys.stderr)
            name = f"landmarks-{number:06}{_SUFFIXES[form]}"
            read = [result for result in part if not result.error]
            data = _FORMATS[form](read, aligner.network.count)
            out.write(name, data)
            line = _described(name, data, part)
            note(out, line)
            sums = {name: sums[name] + line[name] for name in _COUNTS}
            number += 1
        note(out, {"complete": True, "files": number} | sums)
    print(
        f"{sums['images']} images, {sums['faces']} faces, {sums['without_face']} images without a "
        f"face, {sums['failed']} failed: {out.path(MANIFEST)}",
        file=sys.stderr,
    )
    return 1 if sums["failed"] else 0


def _skip(pictures: Iterator[Listed], line: Line, out: Output) -> Listed | None:
    """Leave out the pictures of a finished file, which must be the same ones. Returns the last one
    of a store that was read."""
    skipped = list(islice(pictures, line["images"]))
    if _digest(picture.name for picture in skipped) != line["names_sha256"]:
        raise InputError(
            f"{out.path(line['part'])}: the images are not those of the earlier run, which began "
            f"with {line['first']!r}: to resume, name the same ones, or name another --out"
        )
    return _last_of_store(picture for picture in skipped if picture.name not in line["errors"])


def _last_of_store(pictures: Iterable[Listed]) -> Listed | None:
    return next((each for each in reversed([*pictures]) if stores.is_url(each.place)), None)


def _require_access(
    examined: Sequence[tuple[Listed, Result]], readable: Listed | None
) -> Listed | None:
    """Stores refuse forbidden and archived pictures, which must not end the run, in the same words
    as all pictures if the credentials are wrong or have expired, which must.

    So if some were refused, the last one that was read is read again. It is returned.
    """
    readable = _last_of_store(each for each, result in examined if not result.error) or readable
    errors = [result.error for picture, result in examined if picture.refused]
    if not errors:
        return readable
    if readable is None:
        raise InputError(f"{errors[0]}; no image could be read before: check the credentials")
    try:
        readable.read()
    except PermissionError:
        raise InputError(
            f"{errors[0]}; {readable.name}, which was read before, is refused now, too: check the "
            "credentials, then add --resume"
        ) from None
    except ImageError:  # removed since
        pass
    return readable


def _examine(aligner: Aligner, picture: Listed) -> tuple[Listed, Result]:
    """One picture, in a worker process."""
    try:
        if picture.error:
            raise ImageError(picture.error)
        image = picture.read()
    except PermissionError as error:
        return replace(picture, refused=True), Result(picture.name, error=str(error))
    except ImageError as error:
        return picture, Result(picture.name, error=str(error))
    faces = tuple(aligner.predict(image))
    return picture, Result(picture.name, image.shape[1], image.shape[0], faces)


def _described(name: str, data: bytes, part: Sequence[Result]) -> Line:
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


def _as_json(results: Sequence[Result], count: int) -> bytes:
    return "".join(f"{json.dumps(result.as_dict())}\n" for result in results).encode()


def _as_csv(results: Sequence[Result], count: int) -> bytes:
    text = io.StringIO(newline="")
    table = folders.begin_table(text, count)
    for result in results:
        table.writerows(folders.rows(result, count))
    return text.getvalue().encode(errors="backslashreplace")


def _as_parquet(results: Sequence[Result], count: int) -> bytes:
    """The columns of the CSV; what a face lacks is null."""
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        raise DependencyError("--format parquet: pip install '.[cluster]' in a clone") from None
    names = list(folders.columns(count))
    rows = [row for result in results for row in folders.rows(result, count)]
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    texts = [str(name).encode(errors="backslashreplace").decode() for name in columns[0]]
    arrays = [arrow.array(texts, arrow.string()), arrow.array(columns[1], arrow.int32())]
    for column in columns[2:]:
        values = [None if value == "" else float(value) for value in column]
        arrays.append(arrow.array(values, arrow.float64()))
    data = io.BytesIO()
    parquet.write_table(arrow.table(arrays, names=names), data)
    return data.getvalue()


_FORMATS: dict[str, Callable[[Sequence[Result], int], bytes]] = {
    "json": _as_json,
    "csv": _as_csv,
    "parquet": _as_parquet,
}
_SUFFIXES = {"json": ".jsonl", "csv": ".csv", "parquet": ".parquet"}
