"""A video of one generated person, with the true points of each frame."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from facealign.synthesis import exact
from facealign.synthesis.backdrop import background
from facealign.synthesis.light import random_lighting
from facealign.synthesis.person import Pose, draw, random_person
from facealign.synthesis.render import Camera, Canvas

WIDTH, HEIGHT, FACE = 640, 480, 180  # pixels; FACE is the width of the head
_NOISE = 4.0  # standard deviation, of 255, as of an ordinary webcam indoors


class Place(NamedTuple):
    """Position and rotation of the head."""

    x: float  # in head widths from the centre of the picture
    y: float
    yaw: float  # degrees
    roll: float


Motion = Callable[[float], Place]  # the place at a time in seconds


def still(seconds: float) -> Place:
    return Place(0.0, 0.0, 8.0, -3.0)


def swaying(seconds: float) -> Place:
    """Side to side twice in three seconds, as in lively talk, and slightly up and down."""
    phase = 2 * np.pi * seconds / 1.5
    return Place(
        x=0.4 * float(exact.sin(phase)),
        y=0.08 * float(exact.sin(2.3 * phase)),
        yaw=12 * float(exact.sin(phase)),
        roll=5 * float(exact.cos(phase)),
    )


def film(
    motion: Motion, frames: int, seed: int, fps: float = 30.0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """RGB frames and points (68, 2); where nothing moves, only sensor noise changes."""
    rng = np.random.default_rng(seed)
    person = random_person(rng, Pose(0, 0, 0), "")
    lighting = random_lighting(rng)
    behind = background(rng, WIDTH, HEIGHT)
    middle = np.array([WIDTH, HEIGHT]) / 2
    exposure: float | None = None
    for frame in range(frames):
        place = motion(frame / fps)
        turned = dataclasses.replace(person, pose=Pose(place.yaw, 3.0, place.roll))
        x, y = middle + FACE * np.array([place.x, place.y])
        camera = Camera(FACE / 146, (float(x), float(y)), 900.0)
        canvas = Canvas(behind.copy())
        draw(turned, canvas, camera, lighting)
        points = turned.landmarks(camera)
        if exposure is None:  # the light does not change, so neither does the exposure
            left, top = points.min(axis=0).astype(int)
            right, bottom = points.max(axis=0).astype(int)
            exposure = 0.3 / max(float(canvas.colour[top:bottom, left:right].mean()), 0.01)
        picture = np.sqrt(np.maximum(canvas.colour * np.float32(exposure), 0)) * 255
        picture += exact.normal(rng, 0, _NOISE, picture.shape[:2])[..., None]
        yield np.clip(picture, 0, 255).astype(np.uint8), points
