"""Train a recogniser: a ResNet-18 whose embeddings tell people apart.

The weights after the last epoch are kept: choosing an epoch by validation would bias the validation
figures, which are reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from tqdm import tqdm

from facealign.core.config import Count, Range, Seed, Share
from facealign.core.errors import TrainingError
from facealign.export import onnx_files
from facealign.faces.cropping import Stats
from facealign.models.parts.layers import ResNet18
from facealign.recognition.aligned_faces import Aligned
from facealign.recognition.recipe import TRAIN, VALIDATE
from facealign.training.augment import STRONGEST_BLUR, Strength
from facealign.training.batches import Batches
from facealign.training.device import BATCH, autocast, choose_device, make_repeatable
from facealign.training.inputs import plain_input
from facealign.training.optimiser import adamw, descend
from facealign.training.schedule import learning_rate


@dataclass(frozen=True)
class Recognize:
    """The section `recognition.recognize` of params.yaml."""

    embedding: Annotated[int, Range(8, 4096)]
    arc_margin: Annotated[float, Range(0, 1.5)]
    arc_scale: Annotated[float, Range(1, 1000)]
    epochs: Count
    batch: Annotated[int, Range(2, 100_000)]
    learning_rate: Annotated[float, Range(0, 100)]
    warmup: Share
    weight_decay: Annotated[float, Range(0, 100)]
    precision: Literal["float32", "bfloat16"]
    seed: Seed
    flip: Share
    rotation: Annotated[float, Range(0, 180)]
    scale: Annotated[float, Range(0, 0.9)]
    shift: Annotated[float, Range(0, 0.5)]
    colour: Share
    grey: Share
    blur: Annotated[float, Range(0, STRONGEST_BLUR)]
    cover: Share


@dataclass(frozen=True)
class Epoch:
    """A line of the learning curve."""

    epoch: int
    train_loss: float
    validation_top1: float


@dataclass(frozen=True)
class Guess:
    """The prediction for a validation image."""

    image: str
    person: str
    guess: str
    score: float  # of the guess: its cosine, or its logit


@dataclass(frozen=True, eq=False)
class Learnt:
    embedder: Embedder
    guesses: list[Guess]
    curve: list[Epoch]


class Embedder(nn.Module):
    """Faces (N, 3, size, size) -> embeddings (N, dimensions), compared by their direction."""

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.trunk = ResNet18()
        self.head = nn.Linear(ResNet18.WIDTHS[-1], dimensions, bias=False)
        self.norm = nn.BatchNorm1d(dimensions)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        # a mean, and not AdaptiveAvgPool2d, whose gradient is not deterministic on a GPU
        embeddings: torch.Tensor = self.norm(self.head(self.trunk(faces)[-1].mean((2, 3))))
        return embeddings


class CrossEntropy(nn.Module):
    """A linear classifier on top of the embedding."""

    def __init__(self, dimensions: int, people: int, config: Recognize) -> None:
        super().__init__()
        self.classes = nn.Linear(dimensions, people)

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classes(embeddings)
        return logits

    def loss(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(self(embeddings), labels)


class ArcFace(nn.Module):
    """Deng et al. 2019: a margin is added to the angle to the true person's direction."""

    def __init__(self, dimensions: int, people: int, config: Recognize) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(people, dimensions))
        self.margin, self.scale = config.arc_margin, config.arc_scale

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        return F.linear(F.normalize(embeddings), F.normalize(self.directions))

    def loss(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        cosines = self(embeddings)
        own = cosines.gather(1, labels[:, None])
        sines = (1 - own.square()).clamp(min=1e-9).sqrt()
        turned = own * math.cos(self.margin) - sines * math.sin(self.margin)
        # beyond pi - margin the cosine would rise again: continue linearly
        limit = math.cos(math.pi - self.margin)
        straight = own - self.margin * math.sin(self.margin)
        harder = torch.where(own > limit, turned, straight)
        return F.cross_entropy(self.scale * cosines.scatter(1, labels[:, None], harder), labels)


HEADS: dict[str, Callable[[int, int, Recognize], CrossEntropy | ArcFace]] = {
    "ce": CrossEntropy,
    "arcface": ArcFace,
}


def train(faces: Aligned, loss: str, config: Recognize) -> Learnt:
    """The same arguments give the same weights, bit for bit, on one machine."""
    rows = faces.rows(TRAIN)
    names = sorted(set(faces.people[rows]))
    numbers = {name: number for number, name in enumerate(names)}
    labels = np.array([numbers.get(name, -1) for name in faces.people])
    device = choose_device()
    make_repeatable(device, config.seed)
    embedder = Embedder(config.embedding).to(device)
    embedder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    head = HEADS[loss](config.embedding, len(names), config).to(device)
    parameters = [*embedder.parameters(), *head.parameters()]
    optimiser = adamw(parameters, config.weight_decay)
    batches = Batches(
        faces.pixels,
        faces.stats,
        rows,
        lambda chosen, _: torch.from_numpy(labels[chosen]),
        Strength.of(config),
        config.batch,
        config.seed,
        device,
    )
    steps = batches.count * config.epochs
    warmup = round(config.warmup * steps)

    curve: list[Epoch] = []
    guesses: list[Guess] = []
    with tqdm(
        total=config.epochs, desc=f"recognize, {loss}", unit=" epochs", mininterval=0.5
    ) as bar:
        for epoch in range(config.epochs):
            embedder.train()
            total = 0.0
            for step, (inputs, own, _) in enumerate(batches.epoch(epoch), epoch * batches.count):
                rate = learning_rate(step, steps, warmup, config.learning_rate)
                with autocast(device, config.precision):
                    embeddings = embedder(inputs)
                cost = head.loss(embeddings.float(), own)
                descend(cost, parameters, optimiser, rate)
                total += cost.item() * len(own)
            mean_loss = total / len(rows)
            if not math.isfinite(mean_loss):
                raise TrainingError(
                    f"the loss is {mean_loss} in epoch {epoch + 1}; lower "
                    f"recognition.recognize.learning_rate ({config.learning_rate:g})"
                )
            guesses = guess(embedder, head, names, faces, device)
            top1 = sum(one.guess == one.person for one in guesses) / len(guesses)
            curve.append(Epoch(epoch + 1, mean_loss, top1))
            bar.set_postfix_str(f"loss {mean_loss:.3f}, validation {top1:.1%}", refresh=False)
            bar.update()
    return Learnt(embedder, guesses, curve)


@torch.inference_mode()
def guess(
    embedder: Embedder,
    head: CrossEntropy | ArcFace,
    names: Sequence[str],
    faces: Aligned,
    device: torch.device,
) -> list[Guess]:
    """The most likely of `names` for each validation image."""
    rows = faces.rows(VALIDATE)
    embedder.eval()
    found = []
    for start in range(0, len(rows), BATCH):
        chunk = rows[start : start + BATCH]
        best = head(embedder(plain_input(faces.pixels[chunk], faces.stats, device))).max(1)
        for row, number, score in zip(
            chunk, best.indices.tolist(), best.values.tolist(), strict=True
        ):
            found.append(Guess(faces.images[row], faces.people[row], names[number], score))
    return found


class _FromCrops(nn.Module):
    """(N, size, size, 3) uint8 RGB crops -> embeddings (N, dimensions) of length 1."""

    def __init__(self, embedder: Embedder, stats: Stats) -> None:
        super().__init__()
        self.inputs = onnx_files.Normalised(stats)
        self.embedder = embedder
        self.eval()

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return F.normalize(self.embedder(self.inputs(crops)))


def save(embedder: Embedder, stats: Stats, points: str, path: Path) -> None:
    """Write an ONNX file, with the metadata that `recogniser.Recogniser` cuts crops with."""
    module = _FromCrops(embedder.to("cpu", memory_format=torch.contiguous_format), stats)  # type: ignore[call-overload]
    metadata = {"points": points, "rim": str(stats.border)}
    onnx_files.write(module, stats.size, ["embeddings"], metadata, path)
