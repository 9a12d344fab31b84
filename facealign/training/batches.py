"""The batches of an epoch, each ready when the step before it ends."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import cv2
import numpy as np
import torch

from facealign.faces.cropping import Stats
from facealign.training import augment
from facealign.training.augment import Draw, Strength
from facealign.training.inputs import augmented_input, augmented_on_device

AHEAD = 3  # batches in the making: the length of a step varies by less

Batch = tuple[torch.Tensor, torch.Tensor]  # inputs (N, 3, size, size), and what to learn of them
Targets = Callable[[np.ndarray, Draw], torch.Tensor]  # of the stored crops of these rows, so drawn


class Batches:
    """Augmented faces and their targets, in an order that seed and epoch decide.

    On a CPU a thread beside the network's own makes them. On a GPU all crops live in its memory,
    and a batch is made from them there.
    """

    def __init__(
        self,
        pixels: np.ndarray,
        stats: Stats,
        rows: np.ndarray,
        targets: Targets,
        strength: Strength,
        batch: int,
        seed: int,
        device: torch.device,
    ) -> None:
        self.count = -(-len(rows) // batch)
        self.waited = 0.0  # seconds in which the network had nothing to do
        self._pixels, self._stats, self._rows, self._targets = pixels, stats, rows, targets
        self._strength, self._seed, self._device = strength, seed, device
        self._resident: torch.Tensor | None = None
        if device.type != "cpu":
            self._resident = torch.from_numpy(np.array(pixels)).to(device)

    def epoch(self, number: int) -> Iterator[Batch]:
        rng = np.random.default_rng([self._seed, number])
        coming: deque[Future[Batch]] = deque()
        with ThreadPoolExecutor(1, initializer=cv2.setNumThreads, initargs=(1,)) as maker:
            for chunk in np.array_split(rng.permutation(self._rows), self.count):
                chosen = augment.draw(rng, len(chunk), self._stats.size, self._strength)
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

    def _make(self, rows: np.ndarray, chosen: Draw) -> Batch:
        targets = self._targets(rows, chosen)
        if self._resident is None:
            return augmented_input(self._pixels[rows], chosen, self._stats), targets
        crops = self._resident[torch.from_numpy(rows).to(self._device)]
        return augmented_on_device(crops, chosen, self._stats), targets.to(self._device)
