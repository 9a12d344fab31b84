"""The state of a training after each epoch, kept in a file so that a killed one can resume."""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from facealign.core.errors import TrainingError
from facealign.core.files import atomic_write
from facealign.core.points import source_of
from facealign.faces.cropping import Crops
from facealign.training import checkpoint
from facealign.training.checkpoint import Checkpoint
from facealign.training.device import choose_device, threads
from facealign.training.recipe import Train

PACKAGES = ("core", "evaluation", "faces", "models", "training")  # the code of a training
# States of other trainings, finished or killed, that one leaves in place. A state is about five
# times as large as its model, so a folder of all that were ever trained would fill a disk.
OTHERS = 3
LOCK = "lock"  # of the folder of states


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
    """Of all epochs, those before a resumption included."""

    faces: int = 0
    seconds: float = 0.0  # without validation
    waited: float = 0.0  # seconds of these in which no batch was ready
    total: float = 0.0  # seconds with validation

    def figures(self) -> dict[str, float]:
        return {
            "faces_per_second": round(self.faces / self.seconds, 1),
            "waiting_share": round(self.waited / self.seconds, 4),
            "seconds": round(self.total, 1),
        }


@dataclass
class State:
    """All that the next epoch depends on, and the speed of those before."""

    network: nn.Module
    average: nn.Module  # of its weights: what is validated and kept
    optimiser: torch.optim.Optimizer
    curve: list[Epoch] = field(default_factory=list)
    best: Checkpoint | None = None
    speed: Speed = field(default_factory=Speed)

    def save(self, path: Path) -> None:
        assert self.best is not None
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "curve": [astuple(epoch) for epoch in self.curve],
            "best": checkpoint.to_dict(self.best),
            "speed": asdict(self.speed),
        }
        # through memory: torch hides the reason if it cannot write a file
        buffer = io.BytesIO()
        torch.save(state, buffer)
        try:
            with atomic_write(path) as part:
                part.write_bytes(buffer.getbuffer())
        except OSError as error:
            raise TrainingError(f"{path}: {error.strerror}") from None

    def restore(self, path: Path, device: torch.device) -> None:
        try:
            state: dict[str, Any] = checkpoint.read(path, device)
        except Exception:  # torch raises many kinds of error
            raise TrainingError(f"{path}: damaged; remove it to train from the start") from None
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.curve = [Epoch(*values) for values in state["curve"]]
        self.best = checkpoint.from_dict(state["best"], path)
        self.speed = Speed(**state["speed"])
        done = len(self.curve)
        print(
            f"resumed after epoch {done}; to train again from the start, remove {path}",
            file=sys.stderr,
        )

    def stale(self, patience: int) -> bool:
        """Whether the last `patience` epochs brought nothing better; never if that is 0."""
        best = self.best.epoch if self.best else 0
        return bool(patience) and len(self.curve) - best >= patience


def file_of(scratch: Path, crops: Crops, config: Train) -> Path:
    """The state's file. Its name is a hash of everything that decides the outcome, so that a
    training never resumes from another one's state."""
    digest = hashlib.sha256()
    facts = [config.used(), asdict(crops.stats), crops.images, crops.sources, torch.__version__]
    facts.append(source_of(config.point_count))
    digest.update(json.dumps([*facts, choose_device().type, threads()]).encode())
    for array in (crops.pixels, crops.points, crops.normalisers, crops.weights):
        digest.update(np.ascontiguousarray(array).data)
    for file in code():
        digest.update(file.read_bytes())
    return scratch / f"{digest.hexdigest()[:16]}.pt"


def remove_old(kept: Path) -> None:
    """Remove what killed trainings have left half written beside the state `kept`, and all states
    but that and the newest `OTHERS`."""
    states = []
    for file in kept.parent.glob("*"):
        if re.fullmatch(r"[0-9a-f]{16}\.pt", file.name):
            states.append(file)
        elif file.name.startswith("."):  # as atomic_write names them
            file.unlink()
    others = sorted(
        (file for file in states if file != kept), key=lambda file: file.stat().st_mtime
    )
    for file in others[:-OTHERS]:
        file.unlink()


def code() -> list[Path]:
    """The source files of a training."""
    top = Path(__file__).parents[1]
    return [file for name in PACKAGES for file in sorted((top / name).rglob("*.py"))]
