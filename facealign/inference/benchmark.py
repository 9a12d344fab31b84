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
from tqdm import tqdm

from facealign.core import images, parallel
from facealign.core.faces import Face
from facealign.core.geometry import Box, box_sizes
from facealign.evaluation import metrics
from facealign.faces import detection, dlib_predictor
from facealign.inference import folders
from facealign.inference.aligner import Aligner, Network, find_model
from facealign.inference.tracker import Tracker
from facealign.synthesis.film import film, still, swaying
from facealign.synthesis.pictures import plan_pictures, render

WIDTH, HEIGHT = 640, 480
FPS, FRAMES = 30.0, 90  # of the films: three seconds
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
    short = [Path(model).stem for model in models]
    names = short if len(set(short)) == len(models) else models
    files = {name: find_model(model) for name, model in zip(names, models, strict=True)}
    steps: dict[str, tuple[Step, Path]] = {
        model: (Network(file, threads=1), file) for model, file in files.items()
    }
    if baseline is not None:
        steps["dlib"] = (partial(_by_dlib, baseline), baseline)
    medians = measure([step for step, _ in steps.values()], shown, title="bench")
    figures = {
        name: {
            "landmarks_ms": round(taken.step, 2),
            "detector_ms": round(taken.detector, 2),
            "picture_ms": round(taken.both, 2),
            "megabytes": round(file.stat().st_size / 1e6, 1),
        }
        for (name, (_, file)), taken in zip(steps.items(), medians, strict=True)
    }
    imported, ready = _import_ms()
    return {
        "picture": [WIDTH, HEIGHT],
        "faces": len(shown),
        "steps": figures,
        "import_ms": imported,
        "ready_ms": ready,
        "video": steadiness(models[0], baseline, frames=FRAMES, seed=30),
        "pictures": pictures,
        "pictures_per_second": _pictures_per_second(models[0], shown, pictures),
    }


def steadiness(model: str, baseline: Path | None, frames: int, seed: int) -> dict[str, Any]:
    """How still points are on a still face, and how late on a moving one, by method.

    On generated films; with `each_frame` the detector runs on every frame, as people use dlib.
    `jitter`: mean way of a point from frame to frame, % of the face's size; `lag_ms`: by how much
    the truth must be delayed to fit best; `error`: mean distance on the moving face, %.
    """
    aligner = Aligner(model, upsample=(0,), threads=1)
    films = {motion.__name__: list(film(motion, frames, seed)) for motion in (still, swaying)}
    methods: dict[str, Callable[[], Callable[[np.ndarray, float], np.ndarray | None]]] = {
        f"{model}, each_frame": lambda: lambda image, _: _points(aligner.predict(image)),
        f"{model}, followed": lambda: _follow(Tracker(aligner, smooth=False)),
        f"{model}, smoothed": lambda: _follow(Tracker(aligner)),
    }
    if baseline is not None:
        methods["dlib, each_frame"] = lambda: partial(_each_by_dlib, baseline)
    figures = {}
    for name, make in methods.items():
        found = {}
        for motion, shots in films.items():
            method = make()
            found[motion] = _filled([method(shots[i][0], i / FPS) for i in range(frames)])
        truth = np.array([points for _, points in films["swaying"]])
        size = float(box_sizes(_around(truth[0])[None])[0])
        steps = np.linalg.norm(np.diff(found["still"], axis=0), axis=2)
        figures[name] = {
            "jitter": round(100 * float(steps.mean()) / size, 3),
            "lag_ms": round(lag(found["swaying"], truth, FPS), 1),
            "error": round(
                100 * float(metrics.mean_distances(found["swaying"], truth).mean()) / size, 2
            ),
        }
    return figures


def lag(points: np.ndarray, truth: np.ndarray, fps: float) -> float:
    """Milliseconds by which points (frames, K, 2) are behind; what is always off counts as none."""
    points = points - (points - truth).mean(axis=0)
    times = np.arange(len(truth)) / fps
    edge = round(0.2 * fps)  # where the delayed truth is not known
    flat = truth.reshape(len(truth), -1)

    def mismatch(delay: float) -> float:
        late = np.array([np.interp(times - delay, times, column) for column in flat.T]).T
        return float(np.abs(late - points.reshape(flat.shape))[edge:-edge].mean())

    return 1000 * min(np.arange(-0.05, 0.1501, 0.001).tolist(), key=mismatch)


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


def measure(
    steps: Sequence[Step],
    faces: Sequence[tuple[np.ndarray, Box]],
    rounds: int = 2,
    title: str | None = None,
) -> list[Milliseconds]:
    """Of each step on each face in turn, as dlib's detector finds it. By turns, so that a machine's
    busy minute is one for all. `title`: of a progress bar."""
    for step in steps:
        step(*_first(faces))  # loads what is loaded once
    seconds = []
    for image, box in tqdm([*faces] * rounds, title, unit=" pictures", disable=title is None):
        for step in steps:
            begun = time.perf_counter()
            detection.find_faces(image, 0)
            found = time.perf_counter()
            step(image, [box])
            ended = time.perf_counter()
            seconds.append((found - begun, ended - found, ended - begun))
    medians = np.median(np.reshape(seconds, (-1, len(steps), 3)), axis=0)
    return [Milliseconds(*(1000 * its).tolist()) for its in medians]


def _by_dlib(model: Path, image: np.ndarray, boxes: Sequence[Box]) -> object:
    return [dlib_predictor.predict(image, box, model) for box in boxes]


def _follow(tracker: Tracker) -> Callable[[np.ndarray, float], np.ndarray | None]:
    return lambda image, seconds: _points([one.face for one in tracker(image, seconds)])


def _points(faces: Sequence[Face]) -> np.ndarray | None:
    return faces[0].points if faces else None


def _each_by_dlib(model: Path, image: np.ndarray, seconds: float) -> np.ndarray | None:
    boxes = detection.find_faces(image, 0)
    return dlib_predictor.predict(image, boxes[0], model) if boxes else None


def _filled(points: Sequence[np.ndarray | None]) -> np.ndarray:
    """A frame without a face shows what the one before did."""
    last = next(one for one in points if one is not None)
    filled = []
    for one in points:
        last = last if one is None else one
        filled.append(last)
    return np.array(filled)


def _around(points: np.ndarray) -> np.ndarray:
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


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
