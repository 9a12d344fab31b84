"""The training loop: any network of the zoo, any loss, the best epoch by validation error."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from facealign import augment, metrics, models
from facealign.checkpoint import Checkpoint
from facealign.codecs import Codec, check_loss, make_codec, total_loss
from facealign.cropping import Crops
from facealign.crops import augmented_input
from facealign.errors import FacealignError
from facealign.layers import Shape
from facealign.losses import make_loss
from facealign.prediction import choose_device, crop_points
from facealign.recipe import Train
from facealign.schedule import learning_rate


@dataclass(frozen=True)
class Epoch:
    """A line of the learning curve."""

    epoch: int
    learning_rate: float  # of its last step
    train_loss: float
    validation_nme: float


def is_validation(image: str, share: float) -> bool:
    """Decided by the name alone: a picture keeps its side when others come or go."""
    digest = hashlib.sha256(image.encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def split_rows(crops: Crops, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows to learn from, and rows to choose the epoch by; both of the train split."""
    rows = crops.rows("train")
    held = np.array([is_validation(crops.images[row], share) for row in rows], dtype=bool)
    if held.all() or not held.any():
        raise FacealignError(
            f"train.validation is {share}: of {len(rows)} train faces {held.sum()} are for "
            f"validation and {(~held).sum()} to learn from, expected some of both"
        )
    return rows[~held], rows[held]


def train(crops: Crops, config: Train) -> tuple[Checkpoint, list[Epoch]]:
    """Train from scratch; the same arguments give the same weights, bit for bit, on one machine."""
    loss_of = make_loss(config)
    learn, held = split_rows(crops, config.validation)
    torch.manual_seed(config.seed)
    torch.use_deterministic_algorithms(True)
    device = choose_device()
    mean_face = torch.tensor(crops.points[learn].mean(axis=0), dtype=torch.float32)
    network, codec_name = models.build(config.arch, Shape(crops.stats.size, mean_face))
    check_loss(codec_name, config.loss)
    network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    codec = make_codec(codec_name, crops.stats.size, mean_face.to(device))
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=config.weight_decay)
    batches = -(-len(learn) // config.batch)
    steps = batches * config.epochs
    warmup = round(config.warmup * steps)
    best: Checkpoint | None = None
    curve: list[Epoch] = []
    bar = tqdm(range(config.epochs), desc=f"train {config.arch}", unit=" epochs", mininterval=0.5)
    for epoch in bar:
        rng = np.random.default_rng([config.seed, epoch])
        network.train()
        losses, rate = [], 0.0
        for number, chosen in enumerate(np.array_split(rng.permutation(learn), batches)):
            rate = learning_rate(epoch * batches + number, steps, warmup, config.learning_rate)
            for group in optimiser.param_groups:
                group["lr"] = rate
            inputs, points = _batch(crops, np.sort(chosen), config, rng, device)
            loss = total_loss(codec, network(inputs), points, loss_of)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(loss.item() * len(chosen))
        line = Epoch(
            epoch + 1,
            rate,
            sum(losses) / len(learn),
            _validate(network, codec, crops, held, device),
        )
        if not np.isfinite(line.train_loss):
            raise FacealignError(
                f"the loss is {line.train_loss} in epoch {line.epoch}; "
                f"lower train.learning_rate ({config.learning_rate:g})"
            )
        curve.append(line)
        if best is None or line.validation_nme < best.validation_nme:
            weights = {name: _plain(value) for name, value in network.state_dict().items()}
            best = Checkpoint(
                config.arch,
                crops.stats,
                mean_face,
                asdict(config),
                line.epoch,
                line.validation_nme,
                weights,
            )
        bar.set_postfix_str(f"loss {line.train_loss:.5f}, validation NME {line.validation_nme:.4f}")
    assert best is not None  # there is at least one epoch
    return best, curve


def _batch(
    crops: Crops,
    rows: np.ndarray,
    config: Train,
    rng: np.random.Generator,
    device: torch.device,
) -> tuple[torch.Tensor, torch.Tensor]:
    strength = augment.Strength(
        config.flip, config.rotation, config.scale, config.shift, config.colour
    )
    chosen = augment.draw(rng, len(rows), crops.stats.size, strength)
    inputs = augmented_input(crops.pixels[rows], chosen, crops.stats, device)
    points = augment.move_points(crops.points[rows], chosen)
    return inputs, torch.as_tensor(points, dtype=torch.float32, device=device)


def _validate(
    network: nn.Module, codec: Codec, crops: Crops, rows: np.ndarray, device: torch.device
) -> float:
    network.eval()
    points = crop_points(network, codec, crops, rows, device)
    distances = metrics.mean_distances(points, crops.points[rows])
    return float((distances / crops.normalisers[rows]).mean())


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    """A copy that the next step does not change, in the layout that saves the same everywhere."""
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
