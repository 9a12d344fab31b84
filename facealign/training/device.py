"""The device that networks run on, and deterministic results there."""

from __future__ import annotations

import os

import torch

from facealign.core.errors import ConfigError

BATCH = 256  # faces in inference: enough to use all cores
# A sum's last bits depend on the number of threads, but not on that of the cores that they run on.
THREADS = 2
MOST_THREADS = 1024  # more is a mistake


def threads() -> int:
    """FACEALIGN_THREADS, or THREADS, whatever OMP_NUM_THREADS says and however many cores there
    are: the threads that torch uses on a CPU."""
    asked = os.environ.get("FACEALIGN_THREADS") or str(THREADS)
    if not (asked.isdecimal() and len(asked) < 9 and 1 <= int(asked) <= MOST_THREADS):
        raise ConfigError(
            f"FACEALIGN_THREADS: {asked[:20]!r}, expected an integer from 1 to {MOST_THREADS}"
        )
    return int(asked)


def choose_device() -> torch.device:
    """FACEALIGN_DEVICE, or a GPU if there is one. Sets the number of torch's threads, too."""
    torch.set_num_threads(threads())
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


def has_room(device: torch.device, size: int) -> bool:
    """Whether a GPU's memory has room for so many bytes, and as much again for the training."""
    if device.type == "cpu":
        return False
    return device.type != "cuda" or size <= torch.cuda.mem_get_info(device)[0] / 2


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
