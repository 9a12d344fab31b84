"""The training loop: any network of the zoo, any loss, the best epoch by validation error."""

from __future__ import annotations

import copy
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from facealign import models
from facealign.core.config import unknown_name
from facealign.core.errors import FacealignError
from facealign.core.files import atomic_write, in_fold
from facealign.core.points import select
from facealign.core.tables import dataset_and_split
from facealign.evaluation import metrics
from facealign.faces.cropping import Crops
from facealign.models.parts.codecs import check_loss, make_codec, total_loss
from facealign.models.parts.layers import Shape
from facealign.training import augment, checkpoint
from facealign.training.batches import Batches, Targets
from facealign.training.checkpoint import Checkpoint
from facealign.training.device import choose_device, make_repeatable
from facealign.training.losses import make_loss
from facealign.training.optimiser import adamw, set_rate
from facealign.training.prediction import crop_points
from facealign.training.recipe import Train
from facealign.training.schedule import ema_decay, learning_rate


@dataclass(frozen=True)
class Epoch:
    """A line of the learning curve."""

    epoch: int
    learning_rate: float  # of its last step
    train_loss: float
    validation_nme: float
    validation_auc_08: float


@dataclass
class Speed:
    """Of the epochs that this process trained, validation left out."""

    faces: int = 0
    seconds: float = 0.0
    waited: float = 0.0  # seconds of these in which no batch was ready

    def figures(self) -> dict[str, float]:
        """Nothing for a training that was found finished."""
        if not self.faces:
            return {}
        return {
            "faces_per_second": round(self.faces / self.seconds, 1),
            "waiting_share": round(self.waited / self.seconds, 4),
        }


@dataclass(frozen=True)
class Trained:
    best: Checkpoint
    curve: list[Epoch]
    speed: Speed


def split_rows(crops: Crops, config: Train) -> tuple[np.ndarray, np.ndarray]:
    """Rows to learn from, and rows to choose the epoch by; both of the train split."""
    share, fold = config.validation, config.fold
    if (fold + 1) * share > 1 + 1e-9:
        raise FacealignError(
            f"train.fold is {fold}: with train.validation {share} the last fold is "
            f"{int((1 + 1e-9) / share) - 1}"
        )
    rows = crops.rows("train")
    images = [crops.images[row] for row in rows]
    sets = [dataset_and_split(image)[0] for image in images]
    for name in config.extra:
        if name not in sets:
            raise FacealignError(
                f"train.extra: {unknown_name('data set', name, sorted(set(sets)))}"
            )
    held = np.array(
        [
            dataset not in config.extra and in_fold(image, share, fold)
            for dataset, image in zip(sets, images, strict=True)
        ],
        dtype=bool,
    )
    if held.all() or not held.any():
        raise FacealignError(
            f"train.validation is {share}: of {len(rows)} train faces {held.sum()} are for "
            f"validation and {(~held).sum()} to learn from, expected some of both"
        )
    return rows[~held], rows[held]


def point_targets(crops: Crops, count: int) -> Targets:
    """What batches give to learn: `count` points of each face, moved with it."""

    def moved(rows: np.ndarray, chosen: augment.Draw) -> torch.Tensor:
        points = augment.move_points(crops.points[rows], chosen)
        return torch.tensor(select(points, count), dtype=torch.float32)

    return moved


def train(crops: Crops, config: Train, scratch: Path | None = None) -> Trained:
    """The same arguments give the same weights, bit for bit, on one machine.

    With a folder `scratch` the training can be killed at any moment: the same call goes on after
    the last finished epoch. What it keeps there is removed by `forget`.
    """
    run = _Training(crops, config)
    kept = scratch and _kept_file(scratch, crops, config)
    if kept and kept.is_file():
        run.restore(kept)
    with tqdm(
        total=config.epochs,
        initial=len(run.curve),
        desc=f"train {config.arch}",
        unit=" epochs",
        mininterval=0.5,
    ) as bar:
        for epoch in run.epochs():
            if kept:
                run.keep(kept)
            bar.set_postfix_str(
                f"loss {epoch.train_loss:.5f}, validation NME {epoch.validation_nme:.4f}, "
                f"{run.speed.faces / run.speed.seconds:.0f} faces/s",
                refresh=False,
            )
            bar.update()
    assert run.best is not None  # there is at least one epoch
    return Trained(run.best, run.curve, run.speed)


def forget(scratch: Path, crops: Crops, config: Train) -> None:
    """Remove what a finished training left for the case that it were killed."""
    _kept_file(scratch, crops, config).unlink(missing_ok=True)


class _Training:
    """All that the next epoch depends on."""

    def __init__(self, crops: Crops, config: Train) -> None:
        self.crops, self.config = crops, config
        self.loss_of = make_loss(config)
        learn, self.held = split_rows(crops, config)
        self.learn = learn
        self.device = choose_device()
        make_repeatable(self.device, config.seed)
        if crops.points.shape[1] < config.points:
            raise FacealignError(
                f"train.points is {config.points}, but the faces have {crops.points.shape[1]} "
                "points (data.points)"
            )
        truth = select(crops.points, config.points)
        self.truth = truth[self.held]
        self.mean_face = torch.tensor(truth[learn].mean(axis=0), dtype=torch.float32)
        size = crops.stats.size
        shape = Shape(
            size, self.mean_face, config.stacks, config.width, config.trunk, config.dropout
        )
        self.network, codec = models.build(config.arch, shape)
        check_loss(codec, config.loss)
        self.codec = make_codec(codec, size, self.mean_face.to(self.device))
        checkpoint.initialise(self.network, config)
        self.network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # what is validated and kept: the weights' moving average, which varies less than they do
        self.average = copy.deepcopy(self.network) if config.ema else self.network
        self.optimiser = adamw(self.network.parameters(), config.weight_decay)
        self.batches = Batches(
            crops.pixels,
            crops.stats,
            learn,
            point_targets(crops, config.points),
            augment.Strength.of(config),
            config.batch,
            config.seed,
            self.device,
        )
        self.steps = self.batches.count * config.epochs
        self.curve: list[Epoch] = []
        self.best: Checkpoint | None = None
        self.speed = Speed()

    def epochs(self) -> Iterator[Epoch]:
        """Train what is left of them; state is whole after each."""
        while len(self.curve) < self.config.epochs and not self._stale():
            rate, loss = self._learn(len(self.curve))
            epoch = Epoch(len(self.curve) + 1, rate, loss, *self._validate())
            if not np.isfinite(loss):
                raise FacealignError(
                    f"the loss is {loss} in epoch {epoch.epoch}; "
                    f"lower train.learning_rate ({self.config.learning_rate:g})"
                )
            self.curve.append(epoch)
            if self.best is None or epoch.validation_nme < self.best.validation_nme:
                self.best = self._checkpoint(epoch)
            yield epoch

    def _stale(self) -> bool:
        patience = self.config.patience
        best = self.best.epoch if self.best else 0
        return bool(patience) and len(self.curve) - best >= patience

    def _learn(self, epoch: int) -> tuple[float, float]:
        """One epoch; its last learning rate and its mean loss."""
        config = self.config
        torch.manual_seed(config.seed + epoch)  # dropout: the same whether resumed or not
        self.network.train()
        started, waited = time.perf_counter(), self.batches.waited
        step, rate = epoch * self.batches.count, 0.0
        losses = []
        for inputs, points in self.batches.epoch(epoch):
            rate = learning_rate(
                step, self.steps, round(config.warmup * self.steps), config.learning_rate
            )
            set_rate(self.optimiser, rate)
            with torch.autocast(
                self.device.type, torch.bfloat16, enabled=config.precision == "bfloat16"
            ):
                outputs = self.network(inputs)
            loss = total_loss(self.codec, outputs, points, self.loss_of)
            self.optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            if config.clip:
                nn.utils.clip_grad_norm_(self.network.parameters(), config.clip)
            self.optimiser.step()
            if self.average is not self.network:
                _follow(self.average, self.network, ema_decay(step, config.ema))
            # not yet a number: to ask for it would make a GPU wait for each step's end
            losses.append(loss.detach().double() * len(points))
            step += 1
        total = float(torch.stack(losses).sum())
        self.speed.faces += len(self.learn)
        self.speed.seconds += time.perf_counter() - started
        self.speed.waited += self.batches.waited - waited
        return rate, total / len(self.learn)

    def _validate(self) -> tuple[float, float]:
        """NME and AUC@0.08."""
        self.average.eval()
        points = crop_points(self.average, self.codec, self.crops, self.held, self.device)
        errors = metrics.mean_distances(points, self.truth) / self.crops.normalisers[self.held]
        return float(errors.mean()), metrics.auc(errors, metrics.LIMIT)

    def _checkpoint(self, epoch: Epoch) -> Checkpoint:
        return Checkpoint(
            self.config.arch,
            self.crops.stats,
            self.mean_face,
            asdict(self.config),
            epoch.epoch,
            epoch.validation_nme,
            {name: _plain(value) for name, value in self.average.state_dict().items()},
        )

    def keep(self, path: Path) -> None:
        assert self.best is not None
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "curve": [astuple(epoch) for epoch in self.curve],
            "best": checkpoint.to_dict(self.best),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as part:
            torch.save(state, part)

    def restore(self, path: Path) -> None:
        state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.curve = [Epoch(*values) for values in state["curve"]]
        self.best = checkpoint.from_dict(state["best"])
        print(f"resumed after epoch {len(self.curve)}", file=sys.stderr)


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    for kept, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(new, 1 - decay)
        else:  # a count of batches
            kept.copy_(new)


def _kept_file(scratch: Path, crops: Crops, config: Train) -> Path:
    """Named by all that decides the outcome, so that no other training goes on from it."""
    digest = hashlib.sha256()
    digest.update(json.dumps([asdict(config), asdict(crops.stats), crops.images]).encode())
    for array in (crops.pixels, crops.points, crops.normalisers):
        digest.update(np.ascontiguousarray(array).data)
    for name, module in sorted(sys.modules.items()):  # the code; all of it is imported by now
        if name.split(".")[0] == "facealign" and module.__file__:
            digest.update(Path(module.__file__).read_bytes())
    digest.update(f"{torch.__version__} {choose_device().type}".encode())
    return scratch / f"{digest.hexdigest()[:16]}.pt"


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    """A copy that the next step does not change, in the layout that saves the same everywhere."""
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
