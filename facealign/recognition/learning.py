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

from facealign import onnx_files
from facealign.augment import Draw, Strength
from facealign.batches import Batches
from facealign.config import Count, Range, Seed, Share
from facealign.cropping import Stats
from facealign.crops import plain_input
from facealign.device import BATCH, choose_device
from facealign.errors import FacealignError
from facealign.layers import ResNet18
from facealign.recipe import STRONGEST_BLUR
from facealign.recognition import TRAIN, VALIDATE
from facealign.recognition.crops import Aligned
from facealign.schedule import learning_rate

NETWORK, GUESSES, CURVE = "recogniser.onnx", "validated.csv", "training.csv"  # files of a training

Loss = Literal["ce", "arcface"]


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
    learn, held = faces.rows(TRAIN), faces.rows(VALIDATE)
    names = sorted(set(faces.people[learn]))
    labels = np.full(len(faces.people), -1)
    for number, name in enumerate(names):
        labels[faces.people == name] = number
    device = choose_device()
    torch.use_deterministic_algorithms(True, warn_only=device.type != "cpu")
    torch.manual_seed(config.seed)
    embedder = Embedder(config.embedding).to(device)
    embedder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    head = HEADS[loss](config.embedding, len(names), config).to(device)
    parameters = [*embedder.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(
        [
            {
                "params": [p for p in parameters if p.ndim > 1],
                "weight_decay": config.weight_decay,
            },
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ],
        fused=True,
    )

    def targets(rows: np.ndarray, chosen: Draw) -> torch.Tensor:
        return torch.from_numpy(labels[rows])

    strength = Strength.of(config)
    batches = Batches(
        faces.pixels, faces.stats, learn, targets, strength, config.batch, config.seed, device
    )
    steps = batches.count * config.epochs
    curve: list[Epoch] = []
    guesses: list[Guess] = []
    with tqdm(
        total=config.epochs, desc=f"recognize, {loss}", unit=" epochs", mininterval=0.5
    ) as bar:
        for epoch in range(config.epochs):
            embedder.train()
            step, total = epoch * batches.count, 0.0
            for inputs, own in batches.epoch(epoch):
                rate = learning_rate(
                    step, steps, round(config.warmup * steps), config.learning_rate
                )
                for group in optimiser.param_groups:
                    group["lr"] = rate
                with torch.autocast(
                    device.type, torch.bfloat16, enabled=config.precision == "bfloat16"
                ):
                    embeddings = embedder(inputs)
                value = head.loss(embeddings.float(), own)
                optimiser.zero_grad()
                value.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                total += float(value.detach()) * len(own)
                step += 1
            if not math.isfinite(total):
                raise FacealignError(
                    f"the loss is {total} in epoch {epoch + 1}; lower "
                    f"recognition.recognize.learning_rate ({config.learning_rate:g})"
                )
            guesses = _guess(embedder, head, faces, held, names, device)
            right = sum(one.guess == one.person for one in guesses) / len(guesses)
            curve.append(Epoch(epoch + 1, total / len(learn), right))
            bar.set_postfix_str(
                f"loss {total / len(learn):.3f}, validation {right:.1%}", refresh=False
            )
            bar.update()
    return Learnt(embedder, guesses, curve)


@torch.inference_mode()
def _guess(
    embedder: Embedder,
    head: nn.Module,
    faces: Aligned,
    rows: np.ndarray,
    names: list[str],
    device: torch.device,
) -> list[Guess]:
    embedder.eval()
    found = []
    for start in range(0, len(rows), BATCH):
        chunk = rows[start : start + BATCH]
        values = head(embedder(plain_input(faces.pixels[chunk], faces.stats, device)))
        best = values.max(1)
        for row, number, value in zip(
            chunk, best.indices.tolist(), best.values.tolist(), strict=True
        ):
            found.append(Guess(faces.images[row], faces.people[row], names[number], value))
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
