"""The batches of an epoch, prefetched while the network trains."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np
import torch

from facealign.core.parallel import workers
from facealign.faces.cropping import Stats
from facealign.training import augment
from facealign.training.augment import Draw, Strength
from facealign.training.device import has_room
from facealign.training.inputs import augmented_input, augmented_on_device

PREFETCH = 3  # batches for each thread that makes them, to cover the variation of a step's time
MOST_MAKERS = 8  # threads: each makes about two thousand faces a second

Targets = Callable[[np.ndarray, Draw], torch.Tensor]  # of these rows, under this augmentation


class Batch(NamedTuple):
    inputs: torch.Tensor  # (N, 3, size, size)
    targets: torch.Tensor
    share: float  # of the faces of this step, which several processes may share


class Batches:
    """Augmented faces and their targets, in an order that seed and epoch decide.

    On a CPU a thread prepares them beside torch's own. A GPU keeps all crops in its memory and
    augments them there; if they need more than half of it, threads of the CPU prepare the batches.
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
        shares: np.ndarray | None = None,
        part: slice = slice(None),
    ) -> None:
        """With `shares`, an epoch has each row so many times, on average. With `part`, batches have
        these faces only of those that they would have."""
        self._ends = np.cumsum(np.ones(len(rows)) if shares is None else shares)
        self.faces = max(1, round(self._ends[-1]))  # in each epoch
        self.count = -(-self.faces // batch)
        self.waited = 0.0  # seconds in which no batch was ready
        self._pixels, self._stats, self._rows, self._targets = pixels, stats, rows, targets
        self._strength, self._seed, self._device = strength, seed, device
        self._part = part
        self._resident: torch.Tensor | None = None
        self._makers = 1
        if has_room(device, pixels.nbytes):
            self._resident = torch.from_numpy(np.array(pixels)).to(device)
        elif device.type != "cpu":  # its own threads leave the cores idle
            self._makers = min(workers(), MOST_MAKERS)

    def epoch(self, number: int) -> Iterator[Batch]:
        rng = np.random.default_rng([self._seed, number])
        coming: deque[Future[Batch]] = deque()
        with ThreadPoolExecutor(self._makers, "batches", cv2.setNumThreads, (1,)) as makers:
            for chunk in np.array_split(rng.permutation(self._picked(rng)), self.count):
                chosen = augment.draw(rng, len(chunk), self._stats.size, self._strength)
                # sorted, to read the memory-mapped file in order
                coming.append(makers.submit(self._make, np.sort(chunk), chosen))
                if len(coming) > PREFETCH * self._makers:
                    yield self._next(coming)
            while coming:
                yield self._next(coming)

    def _picked(self, rng: np.random.Generator) -> np.ndarray:
        """The rows of an epoch, by systematic sampling: a share of 1.5 is once or twice."""
        places = (np.arange(self.faces) + rng.uniform()) / self.faces * self._ends[-1]
        found = np.searchsorted(self._ends, places, side="right")
        return np.asarray(self._rows[np.minimum(found, len(self._rows) - 1)])

    def _next(self, coming: deque[Future[Batch]]) -> Batch:
        started = time.perf_counter()
        batch = coming.popleft().result()
        self.waited += time.perf_counter() - started
        return batch

    def _make(self, every: np.ndarray, drawn: Draw) -> Batch:
        rows, chosen = every[self._part], drawn.part(self._part)
        targets, share = self._targets(rows, chosen), len(rows) / len(every)
        if self._resident is None:
            inputs = augmented_input(self._pixels[rows], chosen, self._stats)
            return Batch(inputs.to(self._device), targets.to(self._device), share)
        crops = self._resident[torch.from_numpy(rows).to(self._device)]
        inputs = augmented_on_device(crops, chosen, self._stats)
        return Batch(inputs, targets.to(self._device), share)
