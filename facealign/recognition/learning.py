"""A recogniser's training: a ResNet-18 whose embedding says who is to be seen.

The weights after the last epoch are kept: an epoch chosen by validation would flatter the figures
that validation gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from tqdm import tqdm

from facealign.core.config import Count, Range, Seed, Share
from facealign.core.errors import FacealignError
from facealign.export import onnx_files
from facealign.faces.cropping import Stats
from facealign.models.parts.layers import ResNet18
from facealign.recognition.aligned_faces import Aligned
from facealign.recognition.recipe import TRAIN, VALIDATE
from facealign.training.augment import Draw, Strength
from facealign.training.batches import Batches
from facealign.training.device import BATCH, choose_device, make_repeatable
from facealign.training.inputs import plain_input
from facealign.training.optimiser import adamw, set_rate
from facealign.training.recipe import STRONGEST_BLUR
from facealign.training.schedule import learning_rate


@dataclass(frozen=True)
class Recognize:
    """The section `recognition.recognize` of params.yaml."""

    embedding: Annotated[int, Range(8, 4096)]
    arc_margin: Annotated[float, Range(0, 1.5)]
    arc_scale: Annotated[float, Range(1)]
    epochs: Count
    batch: Annotated[int, Range(2)]
    learning_rate: Annotated[float, Range(0)]
    warmup: Share
    weight_decay: Annotated[float, Range(0)]
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
    """What the network says of a validation picture."""

    image: str
    person: str
    guess: str
    score: float  # of the guess: its cosine, or its logit


@dataclass(frozen=True)
class Learnt:
    embedder: Embedder
    guesses: list[Guess]
    curve: list[Epoch]


class Embedder(nn.Module):
    """Faces (N, 3, size, size) -> embeddings (N, dimensions), whose direction says who it is."""

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
    """The usual classifier on top of the embedding."""

    def __init__(self, dimensions: int, people: int, config: Recognize) -> None:
        super().__init__()
        self.classes = nn.Linear(dimensions, people)

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classes(embeddings)
        return logits

    def loss(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(self(embeddings), labels)


class ArcFace(nn.Module):
    """Deng et al. 2019: the angle to the own person's direction must be smaller by a margin."""

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
        # beyond a half turn less the margin the cosine would rise again: go on straight down
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
    run = _Training(faces, loss, config)
    curve: list[Epoch] = []
    guesses: list[Guess] = []
    with tqdm(
        total=config.epochs, desc=f"recognize, {loss}", unit=" epochs", mininterval=0.5
    ) as bar:
        for number in range(1, config.epochs + 1):
            mean = run.learn(number - 1)
            if not math.isfinite(mean):
                raise FacealignError(
                    f"the loss is {mean} in epoch {number}; lower "
                    f"recognition.recognize.learning_rate ({config.learning_rate:g})"
                )
            guesses = run.guess()
            right = sum(one.guess == one.person for one in guesses) / len(guesses)
            curve.append(Epoch(number, mean, right))
            bar.set_postfix_str(f"loss {mean:.3f}, validation {right:.1%}", refresh=False)
            bar.update()
    return Learnt(run.embedder, guesses, curve)


class _Training:
    """A network that learns, and what it learns from."""

    def __init__(self, faces: Aligned, loss: str, config: Recognize) -> None:
        self.faces, self.config = faces, config
        learnt = faces.rows(TRAIN)
        self.names = sorted(set(faces.people[learnt]))
        numbers = {name: number for number, name in enumerate(self.names)}
        labels = np.array([numbers.get(name, -1) for name in faces.people])
        self.device = choose_device()
        make_repeatable(self.device, config.seed)
        self.embedder = Embedder(config.embedding).to(self.device)
        self.embedder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.head = HEADS[loss](config.embedding, len(self.names), config).to(self.device)
        self.optimiser = adamw(
            [*self.embedder.parameters(), *self.head.parameters()], config.weight_decay
        )

        def targets(rows: np.ndarray, chosen: Draw) -> torch.Tensor:
            return torch.from_numpy(labels[rows])

        self.batches = Batches(
            faces.pixels,
            faces.stats,
            learnt,
            targets,
            Strength.of(config),
            config.batch,
            config.seed,
            self.device,
        )

    def learn(self, epoch: int) -> float:
        """One epoch; the mean loss."""
        config = self.config
        steps = self.batches.count * config.epochs
        self.embedder.train()
        total, count = 0.0, 0
        for step, (inputs, own) in enumerate(self.batches.epoch(epoch), epoch * self.batches.count):
            warmup = round(config.warmup * steps)
            set_rate(self.optimiser, learning_rate(step, steps, warmup, config.learning_rate))
            with torch.autocast(
                self.device.type, torch.bfloat16, enabled=config.precision == "bfloat16"
            ):
                embeddings = self.embedder(inputs)
            loss = self.head.loss(embeddings.float(), own)
            self.optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
            total += loss.item() * len(own)
            count += len(own)
        return total / count

    @torch.inference_mode()
    def guess(self) -> list[Guess]:
        """Who is on the validation pictures."""
        faces, rows = self.faces, self.faces.rows(VALIDATE)
        self.embedder.eval()
        found = []
        for start in range(0, len(rows), BATCH):
            chunk = rows[start : start + BATCH]
            inputs = plain_input(faces.pixels[chunk], faces.stats, self.device)
            best = self.head(self.embedder(inputs)).max(1)
            for row, number, value in zip(
                chunk, best.indices.tolist(), best.values.tolist(), strict=True
            ):
                found.append(Guess(faces.images[row], faces.people[row], self.names[number], value))
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
    """As ONNX, with what `embedding.Recogniser` must know to cut the crops."""
    module = _FromCrops(embedder.to("cpu", memory_format=torch.contiguous_format), stats)  # type: ignore[call-overload]
    facts = {"points": points, "rim": str(stats.border)}
    onnx_files.write(module, stats.size, ["embeddings"], facts, path)
