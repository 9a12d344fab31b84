"""Finished experiments side by side: their results, held against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from facealign.errors import FacealignError
from facealign.plotting import Curve

# the same pictures on the same rectangles give dlib the same figures; another machine's last bits
# may differ
TOLERANCE = 1e-6

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
