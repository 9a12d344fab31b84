"""Where networks run, and the same each time."""

from __future__ import annotations

import os

import torch

from facealign.core.errors import FacealignError

BATCH = 256  # faces without gradients: enough to fill the cores


def choose_device() -> torch.device:
    """FACEALIGN_DEVICE, or a GPU if there is one."""
    # without it cuBLAS may sum in another order every time
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    name = os.environ.get("FACEALIGN_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError):  # torch has either for a device that is not there
        raise FacealignError(
            f"FACEALIGN_DEVICE: no device {name!r} here, expected cpu, cuda or cuda:N"
        ) from None
    return device


def make_repeatable(device: torch.device, seed: int) -> None:
    """What follows gives the same numbers each time, as far as torch can."""
    # CUDA has no deterministic gradient of `grid_sample`: torch then says so, and goes on
    torch.use_deterministic_algorithms(True, warn_only=device.type != "cpu")
    # it also fills new memory, which takes a tenth of the time: nothing here reads such memory
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.manual_seed(seed)
