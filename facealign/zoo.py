"""Finished experiments side by side: their results, held against each other."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from facealign import benchmark, checkpoint, cost, export, landmarks, tables
from facealign.errors import FacealignError
from facealign.experiments import Experiment
from facealign.geometry import Box
from facealign.plotting import Curve

MODEL, CED, CURVES = "data/model.pt", "metrics/ced.json", "plots/ced"

# the same pictures on the same rectangles give dlib the same figures; another machine's last bits
# may differ
TOLERANCE = 1e-6

Faces = Sequence[tuple[np.ndarray, Box]]
Ced = Mapping[str, Mapping[str, Mapping[str, Any]]]  # data set -> method -> figures


@dataclass(frozen=True)
class Network:
    """One experiment's results."""

    name: str
    commit: str
    input: int  # side, pixels
    parameters: int | None
    megabytes: float  # of the model's file, millions of bytes
    cpu_ms: float | None  # for one face
    ced: Ced  # metrics/ced.json
    curves: Mapping[str, Mapping[str, Curve]]  # data set -> method; none where nothing was found


def read(experiment: Experiment, faces: Faces) -> Network:
    """One experiment's results, and what its network costs on this machine, with these faces."""
    params = yaml.safe_load(experiment.read("params.yaml"))
    lock = yaml.safe_load(experiment.read("dvc.lock"))
    [model] = [out for out in lock["stages"]["train"]["outs"] if out["path"] == MODEL]
    ced = json.loads(experiment.read(CED))
    with tempfile.TemporaryDirectory() as folder:
        curves = _curves(experiment, ced, Path(folder))
        parameters, cpu_ms = _cost(experiment, Path(folder), faces)
        return Network(
            name=experiment.name,
            commit=experiment.commit,
            input=params["crop"]["size"],
            parameters=parameters,
            megabytes=model["size"] / 1e6,
            cpu_ms=cpu_ms,
            ced=ced,
            curves=curves,
        )


def _curves(experiment: Experiment, ced: Ced, folder: Path) -> dict[str, dict[str, Curve]]:
    curves: dict[str, dict[str, Curve]] = {}
    for dataset, methods in ced.items():
        for method, figures in methods.items():
            name = f"{dataset}_{method}.csv"
            if figures["images"]:
                (folder / name).write_bytes(experiment.read(f"{CURVES}/{name}"))
                error, share = tables.read(folder / name).numbers("error", "share").T
                curves.setdefault(dataset, {})[method] = Curve(error, share, figures["auc_08"])
    return curves


def _cost(experiment: Experiment, folder: Path, faces: Faces) -> tuple[int | None, float | None]:
    """Parameters, and milliseconds a face on one core.

    Neither for a model that is out of reach, or that the code has left behind: a table of old
    results lacks two cells then.
    """
    file = folder / Path(MODEL).name
    try:
        file.write_bytes(experiment.fetch(MODEL))
        trained = checkpoint.load(file)
        network, codec = checkpoint.build(trained, torch.device("cpu"))
    except (FacealignError, KeyError, RuntimeError) as error:
        print(f"warning: {experiment.name}: no usable {MODEL}: {error}", file=sys.stderr)
        return None, None
    export.to_onnx(network, codec, trained.stats, folder / "model.onnx")
    step = landmarks.Network(folder / "model.onnx", threads=1)
    return cost.parameters(network), benchmark.measure(step, faces).step


def require_same_dlib(networks: Sequence[Network]) -> None:
    """Only networks measured on the same rectangles can be compared; dlib's figures show it."""
    first, *others = networks
    for other in others:
        if first.ced.keys() != other.ced.keys():
            raise FacealignError(
                f"{first.name} was measured on {', '.join(first.ced)}, "
                f"{other.name} on {', '.join(other.ced)}: they cannot be compared"
            )
        for dataset in first.ced:
            one, two = (network.ced[dataset]["dlib"] for network in (first, other))
            for key in one:
                if not _close(one[key], two.get(key)):
                    raise FacealignError(
                        f"dlib's {key} on {dataset} is {one[key]} in {first.name} and "
                        f"{two.get(key)} in {other.name}: they were not measured on the same "
                        "rectangles and cannot be compared"
                    )


def summarise(networks: Sequence[Network], dlib: Mapping[str, float]) -> dict[str, Any]:
    """The content of metrics/zoo.json; `dlib` has what its model costs, as `Network` names it."""
    return {
        "networks": {
            network.name: {
                "commit": network.commit,
                "input": network.input,
                "parameters": network.parameters,
                "megabytes": network.megabytes,
                "cpu_ms": network.cpu_ms,
                "figures": {dataset: both["model"] for dataset, both in network.ced.items()},
            }
            for network in networks
        },
        "dlib": {
            **dlib,
            "figures": {dataset: both["dlib"] for dataset, both in networks[0].ced.items()},
        },
    }


def _close(one: Any, two: Any) -> bool:
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(_close, one, two))
    if isinstance(one, float) and isinstance(two, float):
        return abs(one - two) <= TOLERANCE
    return bool(one == two)
