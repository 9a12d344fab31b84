"""The training loop: any network, any loss, the best epoch by validation error."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from facealign import models
from facealign.core.errors import ConfigError, TrainingError
from facealign.core.points import can_become, scheme_of, select
from facealign.evaluation import metrics
from facealign.faces.cropping import Crops
from facealign.models.parts.codecs import make_codec, total_loss
from facealign.models.parts.layers import Shape
from facealign.training import augment, checkpoint, processes, state
from facealign.training.batches import Batches, Targets
from facealign.training.checkpoint import Checkpoint
from facealign.training.device import autocast, choose_device, make_repeatable
from facealign.training.losses import make_loss
from facealign.training.optimiser import adamw, descend, follow
from facealign.training.prediction import crop_points
from facealign.training.recipe import Train
from facealign.training.schedule import ema_decay, learning_rate
from facealign.training.split import shares, split_rows
from facealign.training.state import Epoch, Speed, State


@dataclass(frozen=True)
class Trained:
    best: Checkpoint
    curve: list[Epoch]
    speed: Speed


def train(crops: Crops, config: Train, scratch: Path | None = None) -> Trained:
    """The same arguments give the same weights, bit for bit, on one machine.

    With a folder `scratch` the training can be killed at any moment: the same call resumes after
    the last finished epoch. A finished training is kept there, too, so that it is not lost if DVC
    cannot record its outputs; the same call then trains no epoch.
    """
    train_rows, validation_rows = split_rows(crops, config)
    device = choose_device()
    make_repeatable(device, config.seed)
    truth = true_points(crops, config.point_count)
    mean_face = torch.tensor(truth[train_rows].mean(axis=0), dtype=torch.float32)
    shape = Shape(crops.stats.size, mean_face)
    network, codec_name = models.build(config.arch, shape, config.networks.get(config.arch))
    codec = make_codec(codec_name, shape.size, mean_face.to(device))
    loss_of = make_loss(config.loss, codec, config.losses.get(config.loss))
    checkpoint.initialise(network, config)
    network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(network) if config.ema else network
    sharing = processes.sharing(network, device)
    optimiser = adamw(network.parameters(), config.weight_decay)
    batches = Batches(
        crops.pixels,
        crops.stats,
        train_rows,
        point_targets(crops, config.point_count),
        augment.Strength.of(config),
        config.batch,
        config.seed,
        device,
        shares(crops, train_rows, config),
        processes.share(),
    )
    least = min(batches.faces // batches.count, len(validation_rows))
    if least < processes.count():
        raise ConfigError(
            f"{processes.count()} processes for {least} faces, expected at least one for each in "
            "every batch (train.batch) and for validation (train.validation)"
        )
    steps = batches.count * config.epochs
    warmup = round(config.warmup * steps)

    now = State(network, average, optimiser)
    kept = scratch and state.file_of(scratch, crops, config)
    if kept:
        if processes.is_first():
            state.remove_old(kept)
        if kept.is_file():
            now.restore(kept, device)
    with tqdm(
        total=config.epochs,
        initial=len(now.curve),
        desc=f"train {config.arch}",
        unit=" epochs",
        mininterval=0.5,
    ) as bar:
        while len(now.curve) < config.epochs and not now.stale(config.patience):
            epoch = len(now.curve)
            # dropout: the same whether resumed or not, another one in each process
            torch.manual_seed(config.seed + epoch + (processes.rank() << 32))
            network.train()
            started, waited = time.perf_counter(), batches.waited
            rate, losses = 0.0, []
            for step, batch in enumerate(batches.epoch(epoch), epoch * batches.count):
                rate = learning_rate(step, steps, warmup, config.learning_rate)
                with autocast(device, config.precision):
                    outputs = sharing(batch.inputs)
                loss = total_loss(codec, outputs, batch.targets, loss_of)
                # the gradients' mean over the processes is that over all faces of the step
                weighted = loss * (batch.share * processes.count())
                descend(weighted, network.parameters(), optimiser, rate, config.clip)
                if config.ema:
                    follow(average, network, ema_decay(step, config.ema))
                # kept as a tensor: reading its number would make a GPU wait in every step
                losses.append(loss.detach().double() * len(batch.targets))
            mean_loss = float(processes.total(torch.stack(losses).sum())) / batches.faces
            now.speed.faces += batches.faces
            now.speed.seconds += time.perf_counter() - started
            now.speed.waited += batches.waited - waited
            if not np.isfinite(mean_loss):
                raise TrainingError(
                    f"the loss is {mean_loss} in epoch {epoch + 1}; "
                    f"lower train.learning_rate ({config.learning_rate:g})"
                )

            average.eval()
            processes.copy_statistics(average)
            own_rows = validation_rows[processes.share()]
            found = processes.gathered(crop_points(average, codec, crops, own_rows, device))
            distances = metrics.mean_distances(found, truth[validation_rows])
            errors = distances / crops.normalisers[validation_rows]
            nme, auc = float(errors.mean()), metrics.auc(errors, metrics.LIMIT)
            now.curve.append(Epoch(epoch + 1, rate, mean_loss, nme, auc))
            if now.best is None or nme < now.best.validation_nme:
                now.best = Checkpoint(
                    config.arch,
                    crops.stats,
                    mean_face,
                    config.used(),
                    epoch + 1,
                    nme,
                    _copied(average),
                )
            now.speed.total += time.perf_counter() - started
            if kept and processes.is_first():
                now.save(kept)
            bar.set_postfix_str(
                f"loss {mean_loss:.5f}, validation NME {nme:.4f}, "
                f"{now.speed.faces / now.speed.seconds:.0f} faces/s",
                refresh=False,
            )
            bar.update()
    assert now.best is not None  # there is at least one epoch
    return Trained(now.best, now.curve, now.speed)


def true_points(crops: Crops, count: int) -> np.ndarray:
    """(N, count, 2), input pixels."""
    own = crops.points.shape[1]
    if not can_become(own, count):
        valid = ", ".join(map(str, sorted({own, *scheme_of(own).maps})))
        raise ConfigError(
            f"train.points is {count}, but the faces have {own} points (data.points): expected one "
            f"of {valid}"
        )
    return select(crops.points, count)


def point_targets(crops: Crops, count: int) -> Targets:
    """The targets of batches: `count` points of each face, moved by its augmentation."""

    def moved(rows: np.ndarray, drawn: augment.Draw) -> torch.Tensor:
        points = augment.move_points(crops.points[rows], drawn)
        return torch.tensor(select(points, count), dtype=torch.float32)

    return moved


def _copied(network: nn.Module) -> dict[str, torch.Tensor]:
    """Its weights as they are now, in the layout that saves the same bytes on every device."""
    return {
        name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, value in network.state_dict().items()
    }
