"""The inference benchmark: speed on this machine, beside dlib's own predictor.

A step is timed as it is used: once a picture, after the detector has filled the caches with other
data, cropping included. Repeated on one face, dlib's predictor would seem three times as fast: its
trees would always lead to the same leaves.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from facealign.core import images, parallel
from facealign.core.faces import Face
from facealign.core.geometry import Box
from facealign.detectors import Detector, hog
from facealign.evaluation import metrics
from facealign.faces import dlib_predictor
from facealign.inference import folders, listing
from facealign.inference.aligner import Aligner
from facealign.inference.tracker import Tracker
from facealign.synthesis.film import film, still, swaying
from facealign.synthesis.pictures import plan_pictures, render

WIDTH, HEIGHT = 640, 480
FPS, FRAMES = 30.0, 90  # of the films: three seconds
Step = Callable[[np.ndarray, Sequence[Box]], object]

_STARTUP = """
import time; started = time.perf_counter()
import facealign; print(time.perf_counter() - started)
facealign.Aligner(); print(time.perf_counter() - started)
"""


class Milliseconds(NamedTuple):
    """Medians: of the detector, of the step after it, and of both."""

    detector: float
    step: float
    both: float


def bench(
    aligners: Mapping[str, Aligner], baseline: Path | None, faces: int, pictures: int
) -> dict[str, Any]:
    """The content of `facealign bench --json`. `baseline` is the file of dlib's predictor."""
    cv2.setNumThreads(1)
    shown = portraits(faces)
    stems = [Path(name).stem for name in aligners]
    names = stems if len(set(stems)) == len(stems) else list(aligners)
    networks = [aligner.network for aligner in aligners.values()]
    name, aligner = names[0], next(iter(aligners.values()))
    steps: dict[str, tuple[Step, Path]] = {
        name: (network, network.path) for name, network in zip(names, networks, strict=True)
    }
    detects: list[Detector] = [one.detect for one in aligners.values()]
    if baseline is not None:
        steps["dlib"] = (partial(_dlib_step, baseline), baseline)
        detects.append(dlib_boxes)
    medians = measure([step for step, _ in steps.values()], shown, title="bench", detects=detects)
    figures = {
        name: {
            "landmarks_ms": round(taken.step, 2),
            "detector_ms": round(taken.detector, 2),
            "picture_ms": round(taken.both, 2),
            "megabytes": round(file.stat().st_size / 1e6, 1),
        }
        for (name, (_, file)), taken in zip(steps.items(), medians, strict=True)
    }
    import_ms, ready_ms = _startup_ms()
    return {
        "picture": [WIDTH, HEIGHT],
        "faces": len(shown),
        "steps": figures,
        "import_ms": import_ms,
        "ready_ms": ready_ms,
        "video": steadiness(name, aligner, baseline, frames=FRAMES, seed=30),
        "pictures": pictures,
        "pictures_per_second": _pictures_per_second(aligner, shown, pictures),
    }


def steadiness(
    name: str, aligner: Aligner, baseline: Path | None, frames: int, seed: int
) -> dict[str, Any]:
    """Jitter on a still face and lag on a moving one, by method, on generated films.

    With `each_frame` the detector runs on every frame, as dlib is commonly used. `jitter`: mean
    distance of a point from its place in the previous frame, % of the face's size; `lag_ms`: the
    delay of the truth that fits best; `error`: mean distance on the moving face, %.
    """
    films = {motion.__name__: list(film(motion, frames, seed)) for motion in (still, swaying)}
    methods: dict[str, Callable[[], Callable[[np.ndarray, float], np.ndarray | None]]] = {
        f"{name}, each_frame": lambda: lambda image, _: _first_points(aligner.predict(image)),
        f"{name}, followed": lambda: _track(Tracker(aligner, smooth=False)),
        f"{name}, smoothed": lambda: _track(Tracker(aligner)),
    }
    if baseline is not None:
        methods["dlib, each_frame"] = lambda: partial(_dlib_each_frame, baseline)
    figures = {}
    for method_name, make in methods.items():
        found = {}
        for motion, shots in films.items():
            method = make()
            found[motion] = _filled([method(shots[i][0], i / FPS) for i in range(frames)])
        truth = np.array([points for _, points in films["swaying"]])
        face = Box.around(truth[0])
        size = math.sqrt(face.width * face.height)
        steps = np.linalg.norm(np.diff(found["still"], axis=0), axis=2)
        figures[method_name] = {
            "jitter": round(100 * float(steps.mean()) / size, 3),
            "lag_ms": round(lag(found["swaying"], truth, FPS), 1),
            "error": round(
                100 * float(metrics.mean_distances(found["swaying"], truth).mean()) / size, 2
            ),
        }
    return figures


def lag(points: np.ndarray, truth: np.ndarray, fps: float) -> float:
    """Milliseconds by which points (frames, K, 2) are late; a constant offset has no effect."""
    points = points - (points - truth).mean(axis=0)
    times = np.arange(len(truth)) / fps
    edge = round(0.2 * fps)  # frames at both ends, for which the delayed truth is unknown
    flat = truth.reshape(len(truth), -1)

    def mismatch(delay: float) -> float:
        late = np.array([np.interp(times - delay, times, column) for column in flat.T]).T
        return float(np.abs(late - points.reshape(flat.shape))[edge:-edge].mean())

    return 1000 * min(np.arange(-0.05, 0.1501, 0.001).tolist(), key=mismatch)


def portraits(count: int, seed: int = 640) -> list[tuple[np.ndarray, Box]]:
    """Generated pictures of 640 x 480 with a face that dlib's detector finds, and its box."""
    found: list[tuple[np.ndarray, Box]] = []
    for plan in plan_pictures(max(12, 6 * count), seed, odd=0):
        if len(found) == count:
            break
        if plan.kind == "plain":
            data, _ = render(plan)
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
            assert picture is not None
            picture = _on_canvas(picture)
            found += [(picture, box) for box in dlib_boxes(picture)[:1]]
    return found


def dlib_boxes(image: np.ndarray) -> list[Box]:
    return [one.box for one in hog.find_faces(image, 0)]


def measure(
    steps: Sequence[Step],
    faces: Sequence[tuple[np.ndarray, Box]],
    rounds: int = 2,
    title: str | None = None,
    detects: Sequence[Detector] | None = None,
) -> list[Milliseconds]:
    """Times of each step on each face after its detector, which is dlib's by default. Interleaved,
    so load affects all equally. `title` is that of a progress bar."""
    each = list(zip(steps, detects or [dlib_boxes] * len(steps), strict=True))
    for step in steps:
        step(faces[0][0], [faces[0][1]])  # loads what is loaded once
    seconds = []
    for image, box in tqdm([*faces] * rounds, title, unit=" pictures", disable=title is None):
        for step, detect in each:
            started = time.perf_counter()
            detect(image)
            detected = time.perf_counter()
            step(image, [box])
            ended = time.perf_counter()
            seconds.append((detected - started, ended - detected, ended - started))
    medians = np.median(np.reshape(seconds, (-1, len(steps), 3)), axis=0)
    return [Milliseconds(*(1000 * its).tolist()) for its in medians]


def _dlib_step(model: Path, image: np.ndarray, boxes: Sequence[Box]) -> object:
    return [dlib_predictor.predict(image, box, model) for box in boxes]


def _track(tracker: Tracker) -> Callable[[np.ndarray, float], np.ndarray | None]:
    return lambda image, seconds: _first_points([one.face for one in tracker(image, seconds)])


def _first_points(faces: Sequence[Face]) -> np.ndarray | None:
    return faces[0].points if faces else None


def _dlib_each_frame(model: Path, image: np.ndarray, seconds: float) -> np.ndarray | None:
    boxes = dlib_boxes(image)
    return dlib_predictor.predict(image, boxes[0], model) if boxes else None


def _filled(points: Sequence[np.ndarray | None]) -> np.ndarray:
    """A frame without a face gets the points of the previous one."""
    last = next(one for one in points if one is not None)
    filled = []
    for one in points:
        last = last if one is None else one
        filled.append(last)
    return np.array(filled)


def _startup_ms(runs: int = 5) -> tuple[float, float]:
    """Until `import facealign` is done, and until an `Aligner` is ready, in a new process."""
    taken = [
        subprocess.run(
            [sys.executable, "-c", _STARTUP], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(runs)
    ]
    import_ms, ready_ms = 1000 * np.median(np.array(taken, float), axis=0)
    return round(float(import_ms), 1), round(float(ready_ms), 1)


def _pictures_per_second(
    aligner: Aligner, faces: Sequence[tuple[np.ndarray, Box]], count: int
) -> dict[str, float]:
    """By number of processes: reading, detection and landmarks, startup included."""
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (image, _) in enumerate(islice(cycle(faces), count)):
            images.write(Path(folder) / f"{number}.jpg", image)
        sources = listing.find_pictures([folder])
        for processes in sorted({1, parallel.workers()}):
            started = time.perf_counter()
            for _ in folders.predict_all(sources, aligner, processes=processes):
                pass
            rates[str(processes)] = round(count / (time.perf_counter() - started), 1)
    return rates


def _on_canvas(picture: np.ndarray) -> np.ndarray:
    """Scaled to fit, centred, with its border pixels repeated around it."""
    height, width = picture.shape[:2]
    scale = min(WIDTH / width, HEIGHT / height)
    width, height = round(width * scale), round(height * scale)
    picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    left, top = (WIDTH - width) // 2, (HEIGHT - height) // 2
    return cv2.copyMakeBorder(
        picture, top, HEIGHT - height - top, left, WIDTH - width - left, cv2.BORDER_REPLICATE
    )
