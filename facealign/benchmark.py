"""How fast landmarks are found on this machine, beside dlib's own predictor.

A step is timed as it is used: once a picture, after the detector has filled the caches with other
things, and with the cutting of the crop. On one and the same face, over and over, dlib's predictor
would seem three times as fast: its trees would always lead to the same leaves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from facealign import detection
from facealign.geometry import Box
from facealign.synthesis.pictures import plan_pictures, render

WIDTH, HEIGHT = 640, 480
Step = Callable[[np.ndarray, Sequence[Box]], object]


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


def milliseconds(step: Step, faces: Sequence[tuple[np.ndarray, Box]], rounds: int = 2) -> float:
    """Of the step on one face, the median."""
    seconds = []
    for image, box in [*faces[:1], *(face for _ in range(rounds) for face in faces)]:
        detection.find_faces(image, 0)
        started = time.perf_counter()
        step(image, [box])
        seconds.append(time.perf_counter() - started)
    return 1000 * float(np.median(seconds[1:]))  # the first one loads what is loaded once


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
