"""A trained network in one file, with everything needed to rebuild and use it."""

from __future__ import annotations

import io
import sys
import zipfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from facealign import models
from facealign.core import config as params
from facealign.core.config import unknown_name
from facealign.core.errors import ConfigError, ModelError
from facealign.core.files import atomic_write, sha256
from facealign.core.points import is_known, source_of
from facealign.core.schemes import files as schemes
from facealign.faces.cropping import Stats
from facealign.models.parts.codecs import Codec, make_codec
from facealign.models.parts.layers import Shape
from facealign.training.recipe import Train

RELEASED = Path(__file__).parents[1] / "weights"
SCHEME = "scheme"  # of a user, in the file of their network
OLD_NAMES = {
    "stacks": ("networks", "hourglass", "stacks"),
    "width": ("networks", "cascade", "width"),
    "trunk": ("networks", "cascade", "trunk"),
    "dropout": ("networks", "cascade", "dropout"),
    "wing_width": ("losses", "wing", "width"),
    "wing_curvature": ("losses", "wing", "curvature"),
}


@dataclass(frozen=True, eq=False)
class Checkpoint:
    arch: str
    stats: Stats  # of the crops it was trained on
    mean_face: torch.Tensor  # (K, 2), input pixels
    recipe: dict[str, Any]  # `Train.used` of its training
    epoch: int  # the best one, counted from 1
    validation_nme: float
    weights: dict[str, torch.Tensor]


def options(checkpoint: Checkpoint) -> Any:
    """Of its network; None if that has none."""
    kind = models.options().get(checkpoint.arch)
    values = checkpoint.recipe["networks"].get(checkpoint.arch, {})
    try:
        return kind and kind(**values)
    except TypeError:
        raise ModelError(
            f"a checkpoint of another version: {checkpoint.arch} has the options {values}"
        ) from None


def build(checkpoint: Checkpoint, device: torch.device) -> tuple[nn.Module, Codec]:
    """The network with its weights, ready to predict."""
    shape = Shape(checkpoint.stats.size, checkpoint.mean_face)
    network, codec = models.build(checkpoint.arch, shape, options(checkpoint))
    network.load_state_dict(checkpoint.weights)
    network.to(device).eval()
    return network, make_codec(codec, checkpoint.stats.size, checkpoint.mean_face.to(device))


def initialise(network: nn.Module, config: Train) -> None:
    """Load the weights that `train.init` names into an untrained network."""
    if config.init in ("none", "imagenet") and config.init_sha256:
        raise ConfigError(f"train.init_sha256 is set, but train.init is {config.init}")
    if config.init == "none":
        return
    if config.init == "imagenet":
        models.load_imagenet(config.arch, network)
        return
    path = _released(config.init_sha256) if config.init == "released" else Path(config.init)
    if not path.is_file():
        raise ConfigError(
            f"train.init: {config.init!r} is neither none, imagenet, released nor a file; "
            "DVC removes data/model.pt before it trains: copy it first to start from it"
        )
    if (digest := sha256(path)) != config.init_sha256:
        # with the name alone, DVC would not notice other weights
        wanted = repr(config.init_sha256) if config.init_sha256 else "it to be set"
        raise ConfigError(f"train.init_sha256: {path} has {digest}, expected {wanted}")
    _transfer(network, load(path), path)


def _released(digest: str) -> Path:
    files = {sha256(file): file for file in sorted(RELEASED.glob("*.pt"))}
    if digest not in files:
        there = "; ".join(f"{file.name} has {own}" for own, file in files.items())
        raise ConfigError(f"train.init_sha256: {digest!r}: no released weights have it: {there}")
    return files[digest]


def _transfer(network: nn.Module, source: Checkpoint, path: Path) -> None:
    """All weights of the same name and shape: 68 points can start from a network of 5."""
    own = network.state_dict()
    fitting = {
        name: value
        for name, value in source.weights.items()
        if name in own and own[name].shape == value.shape
    }
    if len(fitting) < len(own) / 2:
        raise ConfigError(
            f"train.init: {len(fitting)} of {len(own)} weights of {path} ({source.arch}) fit this "
            "network, expected at least half: same train.arch, crop.size and train.networks?"
        )
    network.load_state_dict(own | fitting)
    if len(fitting) < len(own):
        print(f"{path}: {len(fitting)} of {len(own)} weights loaded", file=sys.stderr)


def halved(checkpoint: Checkpoint) -> Checkpoint:
    """With float16 weights, which load into a float32 network: half the file."""
    return replace(
        checkpoint,
        weights={
            name: value.half() if value.is_floating_point() else value
            for name, value in checkpoint.weights.items()
        },
    )


def to_dict(checkpoint: Checkpoint) -> dict[str, Any]:
    values = vars(checkpoint) | {"stats": asdict(checkpoint.stats)}
    if own := source_of(len(checkpoint.mean_face)):
        values[SCHEME] = own
    interned: dict[str, Any] = _interned(values)
    return interned


def _interned(value: Any) -> Any:
    """With one object for equal strings: pickle writes an object that it has met in another way
    than an equal one, so a resumed training would not save the bytes of an uninterrupted one."""
    if isinstance(value, str):
        return sys.intern(value)
    if isinstance(value, dict):
        return {_interned(key): _interned(item) for key, item in value.items()}
    return [_interned(item) for item in value] if isinstance(value, list) else value


def from_dict(values: dict[str, Any], path: Path) -> Checkpoint:
    """`path` is the file that has these values; this process then knows its scheme."""
    if SCHEME in values:
        schemes.of(values.pop(SCHEME), path)
    stats, recipe = Stats(**values["stats"]), translated(values["recipe"])
    return Checkpoint(**values | {"stats": stats, "recipe": recipe})


def translated(recipe: dict[str, Any]) -> dict[str, Any]:
    """A recipe as it is now. Old ones have the options of all networks and losses side by side."""
    if "networks" in recipe:
        return recipe
    current = {"networks": {}, "losses": {}} | recipe
    for name, (kind, owner, option) in OLD_NAMES.items():
        if name in recipe:
            value = current.pop(name)
            if owner in (recipe["arch"], recipe["loss"]):
                current[kind].setdefault(owner, {})[option] = value
    return current


def save(checkpoint: Checkpoint, path: Path) -> None:
    # through memory: torch writes the file's name into a file, and the bytes must not depend on it
    buffer = io.BytesIO()
    torch.save(to_dict(checkpoint), buffer)
    with atomic_write(path) as part:
        part.write_bytes(buffer.getvalue())


def read(path: Path, device: torch.device) -> Any:
    """The plain values in a file of torch, which does not compare the checksums that it writes."""
    with zipfile.ZipFile(path) as parts:
        # torch compresses nothing, and a few bytes may stand for gigabytes
        if any(part.compress_type for part in parts.infolist()) or parts.testzip():
            raise ValueError("damaged")
    return torch.load(path, map_location=device, weights_only=True)


def load(path: Path) -> Checkpoint:
    """A file from anyone: no code in it is run, and what it says of the network is checked."""
    try:
        found = from_dict(read(path, torch.device("cpu")), path)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from None
    except ConfigError as error:  # of its scheme
        raise ModelError(str(error)) from None
    except Exception:
        # torch raises many kinds of error; its messages advise to unpickle the file unsafely
        raise ModelError(f"{path}: not a checkpoint of facealign, or damaged") from None
    try:
        _check(found, path)
    except ConfigError as error:
        message = str(error).removeprefix(f"{path}: ")
        raise ModelError(f"{path}: a checkpoint of another network: {message}") from None
    return found


def _check(found: Checkpoint, path: Path) -> None:
    """Build its network without memory for weights, and compare their names and shapes."""
    if not isinstance(found.arch, str) or found.arch not in models.names():
        raise ModelError(f"{path}: {unknown_name('network', str(found.arch), models.names())}")
    stats = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(found.stats).items()
    }
    Stats.of(stats, path)
    face = found.mean_face
    if not _is_finite(face) or face.ndim != 2 or face.shape[1] != 2 or not is_known(len(face)):
        raise ModelError(f"{path}: mean_face: expected the points of a scheme, such as 68")
    networks = found.recipe.get("networks")
    if not isinstance(networks, dict) or not isinstance(networks.get(found.arch, {}), dict):
        raise ModelError(f"{path}: a recipe without the options of its network")
    if (chosen := options(found)) is not None:
        params.convert(asdict(chosen), type(chosen), f"networks.{found.arch}", path)
    with torch.device("meta"):
        network, codec = models.build(found.arch, Shape(found.stats.size, face), chosen)
    make_codec(codec, found.stats.size, face)
    expected = {name: value.shape for name, value in network.state_dict().items()}
    if not isinstance(found.weights, dict) or found.weights.keys() != expected.keys():
        raise ModelError(f"{path}: its weights are not those of {found.arch}")
    for name, value in found.weights.items():
        if not _is_finite(value) or value.shape != expected[name]:
            raise ModelError(
                f"{path}: weights {name}: expected {tuple(expected[name])} finite numbers, as "
                f"{found.arch} has them"
            )


def _is_finite(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and bool(value.isfinite().all())
