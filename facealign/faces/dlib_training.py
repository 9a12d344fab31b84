"""dlib's own training of a predictor: the baseline on the same faces as the network."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import dlib
import numpy as np

from facealign.core import images
from facealign.core.errors import InputError
from facealign.core.faces import Faces
from facealign.core.files import atomic_write
from facealign.core.geometry import Box
from facealign.core.parallel import map_in_order
from facealign.faces.dlib_predictor import Dlib, whole_pixels

_OPTIONS = (
    *("cascade_depth", "num_trees_per_cascade_level", "tree_depth", "nu"),
    "oversampling_amount",
)
# The same on every machine: each thread adds up its share of the faces, so that another number of
# threads changes the last bits.
_THREADS = 4
# What a crop has around box and points, as a share of the box. dlib compares pixels among the
# points of faces in other poses, too; beyond the crop it would see black.
_RIM = 0.5


def train(root: Path, faces: Faces, config: Dlib, target: Path) -> None:
    """Write a predictor that has learnt from all `faces`, at least one, with `box` and `points`."""
    rows = zip(faces.images, map(faces.box, range(len(faces))), faces.points, strict=True)
    cut = list(map_in_order(partial(_cut, root), list(rows), "dlib_train"))
    pictures = [picture for picture, _, _ in cut]
    with _ended_by_signals():
        trained = dlib.train_shape_predictor(
            pictures, [[_shape(corners, points)] for _, corners, points in cut], _options(config)
        )
    with atomic_write(target) as part:
        try:
            trained.save(str(part))
        except RuntimeError:  # dlib says only which of its objects it was writing
            raise InputError(f"{target}: cannot be written, the disk may be full") from None


def _cut(root: Path, face: tuple[str, Box, np.ndarray]) -> tuple[np.ndarray, ...]:
    """The picture around a face, as grey as dlib sees it; corners and points in its pixels.

    All faces are in memory while dlib trains; cut like this they take a fraction of that of whole
    pictures, and the predictor is the same.
    """
    name, box, points = face
    picture = images.read(root / name)
    height, width = picture.shape[:2]
    around = Box.around(np.vstack([points, np.reshape(box.corners, (2, 2))]))
    rim = _RIM * max(box.width, box.height)
    left, right = _span(around.left - rim, around.right + rim, width)
    top, bottom = _span(around.top - rim, around.bottom + rim, height)
    grey = picture[top:bottom, left:right].sum(axis=2, dtype=np.uint16) // 3
    corners = whole_pixels(box) - (left, top, left, top)
    return grey.astype(np.uint8), corners, np.rint(points).astype(np.int64) - (left, top)


def _span(low: float, high: float, length: int) -> tuple[int, int]:
    """The pixels of the picture from `low` to `high`: at least one."""
    first = min(max(math.floor(low), 0), length - 1)
    return first, max(min(math.ceil(high) + 1, length), first + 1)


def _shape(corners: np.ndarray, points: np.ndarray) -> Any:
    parts = [dlib.point(x, y) for x, y in points.tolist()]
    return dlib.full_object_detection(dlib.rectangle(*corners.tolist()), parts)


def _options(config: Dlib) -> Any:
    options = dlib.shape_predictor_training_options()
    for name in _OPTIONS:
        setattr(options, name, getattr(config, name))
    options.random_seed = str(config.seed)
    options.num_threads = _THREADS
    options.be_verbose = True  # it prints the time that is left
    return options


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Python would handle Ctrl-C and SIGTERM only after the training, which may take hours. Nothing
    is written meanwhile, so they may end the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ending = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(one, signal.SIG_DFL) for one in ending]
    try:
        yield
    finally:
        for one, handler in zip(ending, before, strict=True):
            signal.signal(one, handler)
