"""The state of a training after each epoch, kept in a file so that a killed one can resume."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from facealign.core.files import atomic_write
from facealign.faces.cropping import Crops
from facealign.training import checkpoint
from facealign.training.checkpoint import Checkpoint
from facealign.training.device import choose_device, threads
from facealign.training.recipe import Train

PACKAGES = ("core", "evaluation", "faces", "models", "training")  # the code of a training


@dataclass(frozen=True)
class Epoch:
    """A line of the learning curve."""

    epoch: int
    learning_rate: float  # of its last step
    train_loss: float
    validation_nme: float
    validation_auc_08: float


@dataclass
class State:
    """All that the next epoch depends on."""

    network: nn.Module
    average: nn.Module  # of its weights: what is validated and kept
    optimiser: torch.optim.Optimizer
    curve: list[Epoch] = field(default_factory=list)
    best: Checkpoint | None = None

    def save(self, path: Path) -> None:
        assert self.best is not None
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "curve": [astuple(epoch) for epoch in self.curve],
            "best": checkpoint.to_dict(self.best),
        }
        with atomic_write(path) as part:
            torch.save(state, part)

    def restore(self, path: Path, device: torch.device) -> None:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.curve = [Epoch(*values) for values in state["curve"]]
        self.best = checkpoint.from_dict(state["best"])
        print(f"resumed after epoch {len(self.curve)}", file=sys.stderr)

    def stale(self, patience: int) -> bool:
        """Whether the last `patience` epochs brought nothing better; never if that is 0."""
        best = self.best.epoch if self.best else 0
        return bool(patience) and len(self.curve) - best >= patience


def file_of(scratch: Path, crops: Crops, config: Train) -> Path:
    """The state's file. Its name is a hash of everything that decides the outcome, so that a
    training never resumes from another one's state."""
    digest = hashlib.sha256()
    facts = [config.used(), asdict(crops.stats), crops.images, torch.__version__]
    digest.update(json.dumps([*facts, choose_device().type, threads()]).encode())
    for array in (crops.pixels, crops.points, crops.normalisers):
        digest.update(np.ascontiguousarray(array).data)
    for file in code():
        digest.update(file.read_bytes())
    return scratch / f"{digest.hexdigest()[:16]}.pt"


def code() -> list[Path]:
    """The source files of a training."""
    top = Path(__file__).parents[1]
    return [file for name in PACKAGES for file in sorted((top / name).rglob("*.py"))]
