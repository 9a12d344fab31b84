"""Measure the data stages and an epoch of training on many faces, which are a few faces repeated:
`python -m facealign.experiments.scale FIGURE WORK FACES [FACES ...]` needs 60 KB a face in WORK."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from facealign.core.command import run
from facealign.core.errors import ConfigError
from facealign.core.faces import Faces
from facealign.core.files import atomic_write, read_json
from facealign.experiments.stage_benchmark import Measured, measure
from facealign.reports import figures, markdown

REPEATED = 2_000  # faces, each under as many names as needed, by hard links
MOST_DETECTED = 100_000  # beyond it boxes are repeated, too: a million would take an hour
CHANGES: dict[str, dict[str, Any]] = {
    "data": {"datasets": ["300W", "Menpo"], "test_only": [], "points": 68, "patches": []},
    "demo": {"pictures": 2_500, "people": 0},  # enough, without the profiles
    "detect": {"detector": "fast", "undetected": "truth"},
    "label": {"datasets": []},
    "crop": {"size": 48},
    "train": {"arch": "onet", "epochs": 1, "validation": 0.05},
}
TEACHER = Path("facealign/weights/small.onnx")  # labels nothing here
BASE = {  # stage -> its arguments; these give what is repeated, and are not measured
    "demo": "demo.tgz",
    "extract": "demo.tgz faces",
    "filter": "faces schemes patches index.csv dropped.csv scheme.json data.json",
    "detect": "faces index.csv scheme.json boxes.csv undetected.csv",
    "label": f"faces {TEACHER.resolve()} scheme.json labels.csv unlabelled.csv labels.json",
}
MEASURED = {  # stage -> its arguments, what it makes
    "filter": (BASE["filter"], "index.csv"),
    "detect": (BASE["detect"], "boxes.csv"),
    "crop": ("faces index.csv scheme.json boxes.csv labels.csv crops", "crops"),
    "train": ("crops scheme.json model.pt training.csv speed.json", "model.pt"),
}


def main(figure: Path, work: Path, *faces: Path) -> None:
    counts = [_count(str(one)) for one in faces]
    if not counts:
        raise ConfigError("expected numbers of faces, such as 10000 100000 1000000")
    base = _prepared(work / "base")
    for stage, arguments in BASE.items():
        _run(stage, arguments, base)
    rows = [["faces", "stage", "seconds", "a second", "memory, MB", "output, MB"]]
    found: dict[str, dict[int, Measured]] = {stage: {} for stage in MEASURED}
    for count in counts:
        folder = _prepared(work / str(count))
        _repeat(base, folder, count)
        for stage, (arguments, made) in MEASURED.items():
            if stage == "detect" and count > MOST_DETECTED:
                _repeat_boxes(base, folder, count)
                continue
            taken = found[stage][count] = _run(stage, arguments, folder)
            rate = f"{count / taken.seconds:,.0f}"
            size = f"{_size(folder / made) / 1e6:,.1f}"
            rows.append(
                [f"{count:,}", stage, f"{taken.seconds:,.0f}", rate, f"{taken.peak_mb:,.0f}", size]
            )
            print(" ".join(rows[-1]), flush=True)
        speed = read_json(folder / "speed.json")["train"]
        print(f"of train: {speed}", flush=True)
        shutil.rmtree(folder)
    print(markdown.table(rows, names=2))
    _draw(found, figure)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text) or int(text) % REPEATED:
        raise ConfigError(f"{text[:20]}: expected a multiple of {REPEATED}")
    return int(text)


def _prepared(folder: Path) -> Path:
    for name in ("schemes", "patches"):
        (folder / name).mkdir(parents=True)
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    for section, values in CHANGES.items():
        params[section] |= values
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    return folder


def _run(stage: str, arguments: str, folder: Path) -> Measured:
    return measure(f"python -m stages.{stage} {arguments}", folder, Path.cwd())


def _repeat(base: Path, folder: Path, count: int) -> None:
    for image in Faces.read(base / "index.csv").images[:REPEATED]:
        file = base / "faces" / image
        place = folder / "faces" / image
        place.parent.mkdir(parents=True, exist_ok=True)
        for one in (file, file.with_suffix(".pts")):
            for copy in range(count // REPEATED):
                os.link(one, place.with_name(_name(copy, one.name)))
    shutil.copy(base / "labels.csv", folder)


def _repeat_boxes(base: Path, folder: Path, count: int) -> None:
    faces = Faces.read(base / "index.csv").subset(slice(REPEATED))
    found, columns = Faces.read(base / "boxes.csv", "roll"), ("box", "roll", "source")
    found = found.subset(np.isin(found["image"], faces["image"]))
    copies = range(count // REPEATED)
    names = [
        str(place.with_name(_name(copy, place.name)))
        for copy in copies
        for place in map(Path, found.images)
    ]
    every = {column: np.concatenate([found[column] for _ in copies]) for column in columns}
    Faces.of(names, **every).write(folder / "boxes.csv", *columns)


def _name(copy: int, name: str) -> str:
    return f"{copy:04d}-{name}"


def _size(path: Path) -> int:
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


def _draw(found: Mapping[str, Mapping[int, Measured]], target: Path) -> None:
    figure, (seconds, memory) = figures.side_by_side(2, 3.5)
    for stage, measured in found.items():
        counts = list(measured)
        seconds.plot(counts, [one.seconds for one in measured.values()], marker="o", label=stage)
        memory.plot(counts, [one.peak_mb for one in measured.values()], marker="o")
    for axes, title in ((seconds, "seconds"), (memory, "memory, MB")):
        axes.set(xscale="log", yscale="log", xlabel="faces", title=title)
    seconds.legend()
    with atomic_write(target) as part:
        part.write_bytes(figures.png(figure))


if __name__ == "__main__":
    run(main)
