"""The device that networks run on, and deterministic results there."""

from __future__ import annotations

import os

import torch

from facealign.core.errors import ConfigError

BATCH = 256  # faces in inference: enough to use all cores


def choose_device() -> torch.device:
    """FACEALIGN_DEVICE, or a GPU if there is one."""
    # cuBLAS is deterministic only with this set
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    name = os.environ.get("FACEALIGN_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError):  # torch raises either for a missing device
        raise ConfigError(
            f"FACEALIGN_DEVICE: no device {name!r} here, expected cpu, cuda or cuda:N"
        ) from None
    return device


def make_repeatable(device: torch.device, seed: int) -> None:
    """Make torch deterministic, as far as it can be on the device, and seed it."""
    # CUDA has no deterministic gradient of `grid_sample`: only a warning there
    torch.use_deterministic_algorithms(True, warn_only=device.type != "cpu")
    # filling new memory takes a tenth of the time, and nothing here reads memory before writing it
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.manual_seed(seed)


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Mixed precision if `precision` is bfloat16."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")
