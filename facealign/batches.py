"""The batches of an epoch, each ready when the step before it ends."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import cv2
import numpy as np
import torch

from facealign import augment
from facealign.cropping import Crops
from facealign.crops import augmented_input, augmented_on_device
from facealign.points import select
from facealign.recipe import Train

AHEAD = 3  # batches in the making: the length of a step varies by less

Batch = tuple[torch.Tensor, torch.Tensor]  # inputs (N, 3, size, size), points (N, K, 2) in them


class Batches:
    """Augmented faces and their points, in an order that seed and epoch decide.

    On a CPU a thread beside the network's own makes them. On a GPU all crops live in its memory,
    and a batch is made from them there.
    """

    def __init__(self, crops: Crops, rows: np.ndarray, config: Train, device: torch.device) -> None:
        self.count = -(-len(rows) // config.batch)
        self.waited = 0.0  # seconds in which the network had nothing to do
        self._crops, self._rows, self._config, self._device = crops, rows, config, device
        self._resident: torch.Tensor | None = None
        if device.type != "cpu":
            self._resident = torch.from_numpy(np.array(crops.pixels)).to(device)
        self._strength = augment.Strength(
            config.flip,
            config.rotation,
            config.scale,
            config.shift,
            config.colour,
            config.grey,
            config.blur,
            config.cover,
        )

    def epoch(self, number: int) -> Iterator[Batch]:
        rng = np.random.default_rng([self._config.seed, number])
        coming: deque[Future[Batch]] = deque()
        with ThreadPoolExecutor(1, initializer=cv2.setNumThreads, initargs=(1,)) as maker:
            for chunk in np.array_split(rng.permutation(self._rows), self.count):
                chosen = augment.draw(rng, len(chunk), self._crops.stats.size, self._strength)
                # sorted: the stored crops are read in the order in which they lie in the file
                coming.append(maker.submit(self._make, np.sort(chunk), chosen))
                if len(coming) > AHEAD:
                    yield self._next(coming)
            while coming:
                yield self._next(coming)

    def _next(self, coming: deque[Future[Batch]]) -> Batch:
        started = time.perf_counter()
        batch = coming.popleft().result()
        self.waited += time.perf_counter() - started
        return batch

    def _make(self, rows: np.ndarray, chosen: augment.Draw) -> Batch:
        moved = augment.move_points(self._crops.points[rows], chosen)
        points = torch.tensor(select(moved, self._config.points), dtype=torch.float32)
        stats = self._crops.stats
        if self._resident is None:
            return augmented_input(self._crops.pixels[rows], chosen, stats), points
        crops = self._resident[torch.from_numpy(rows).to(self._device)]
        return augmented_on_device(crops, chosen, stats), points.to(self._device)
