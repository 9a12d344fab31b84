"""How fast landmarks are found on this machine, beside dlib's own predictor.

A step is timed as it is used: once a picture, after the detector has filled the caches with other
things, and with the cutting of the crop. On one and the same face, over and over, dlib's predictor
would seem three times as fast: its trees would always lead to the same leaves.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from facealign import detection, dlib_baseline, folders, images, landmarks, parallel
from facealign.geometry import Box
from facealign.synthesis.pictures import plan_pictures, render

WIDTH, HEIGHT = 640, 480
Step = Callable[[np.ndarray, Sequence[Box]], object]

_READY = """
import time; begun = time.perf_counter()
import facealign; print(time.perf_counter() - begun)
facealign.Aligner(); print(time.perf_counter() - begun)
"""


class Milliseconds(NamedTuple):
    """Medians: of the detector, of the step behind it, and of both."""

    detector: float
    step: float
    both: float


def bench(
    models: Sequence[str], baseline: Path | None, faces: int, pictures: int
) -> dict[str, Any]:
    """The content of `facealign bench --json`; `baseline` is the file of dlib's predictor."""
    cv2.setNumThreads(1)
    shown = portraits(faces)
    files = {model: landmarks.find_model(model) for model in models}
    steps: dict[str, tuple[Step, Path]] = {
        model: (landmarks.Network(file, threads=1), file) for model, file in files.items()
    }
    if baseline is not None:
        steps["dlib"] = (partial(_by_dlib, baseline), baseline)
    figures = {}
    for name, (step, file) in steps.items():
        taken = measure(step, shown)
        figures[name] = {
            "landmarks_ms": round(taken.step, 2),
            "detector_ms": round(taken.detector, 2),
            "picture_ms": round(taken.both, 2),
            "megabytes": round(file.stat().st_size / 1e6, 1),
        }
    imported, ready = _import_ms()
    return {
        "picture": [WIDTH, HEIGHT],
        "faces": len(shown),
        "steps": figures,
        "import_ms": imported,
        "ready_ms": ready,
        "pictures": pictures,
        "pictures_per_second": _pictures_per_second(models[0], shown, pictures),
    }


def portraits(count: int, seed: int = 640) -> list[tuple[np.ndarray, Box]]:
    """Generated pictures of 640 x 480 with a face that the detector finds, and its rectangle."""
    found: list[tuple[np.ndarray, Box]] = []
    for plan in plan_pictures(max(12, 4 * count), seed):
        if len(found) == count:
            break
        if plan.kind == "plain":
            data, _ = render(plan)
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
            assert picture is not None
            picture = _on_canvas(picture)
            found += [(picture, box) for box in detection.find_faces(picture, 0)[:1]]
    return found


def measure(step: Step, faces: Sequence[tuple[np.ndarray, Box]], rounds: int = 2) -> Milliseconds:
    """Of the step on each face in turn, as dlib's detector finds it."""
    step(*_first(faces))  # loads what is loaded once
    seconds = []
    for image, box in [*faces] * rounds:
        begun = time.perf_counter()
        detection.find_faces(image, 0)
        found = time.perf_counter()
        step(image, [box])
        seconds.append((found - begun, time.perf_counter() - found, time.perf_counter() - begun))
    return Milliseconds(*(1000 * np.median(seconds, axis=0)).tolist())


def _by_dlib(model: Path, image: np.ndarray, boxes: Sequence[Box]) -> object:
    return [dlib_baseline.predict(image, box, model) for box in boxes]


def _import_ms(runs: int = 5) -> tuple[float, float]:
    """Until `import facealign` is done, and until an `Aligner` is ready, in a new process."""
    taken = [
        subprocess.run(
            [sys.executable, "-c", _READY], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(runs)
    ]
    imported, ready = 1000 * np.median(np.array(taken, float), axis=0)
    return round(float(imported), 1), round(float(ready), 1)


def _pictures_per_second(
    model: str, faces: Sequence[tuple[np.ndarray, Box]], count: int
) -> dict[str, float]:
    """By number of processes: of files read, faces found and points predicted, start included."""
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (image, _) in enumerate(islice(cycle(faces), count)):
            images.write(Path(folder) / f"{number}.jpg", image)
        sources = folders.find_pictures([folder])
        for processes in sorted({1, parallel.workers()}):
            begun = time.perf_counter()
            for _ in folders.look_at_all(sources, model, processes=processes):
                pass
            rates[str(processes)] = round(count / (time.perf_counter() - begun), 1)
    return rates


def _first(faces: Sequence[tuple[np.ndarray, Box]]) -> tuple[np.ndarray, list[Box]]:
    image, box = faces[0]
    return image, [box]


def _on_canvas(picture: np.ndarray) -> np.ndarray:
    """As large as it fits, in the middle of its own border's continuation."""
    height, width = picture.shape[:2]
    scale = min(WIDTH / width, HEIGHT / height)
    width, height = round(width * scale), round(height * scale)
    picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    left, top = (WIDTH - width) // 2, (HEIGHT - height) // 2
    return cv2.copyMakeBorder(
        picture, top, HEIGHT - height - top, left, WIDTH - width - left, cv2.BORDER_REPLICATE
    )
