"""The processes that train one network together, started by torchrun.

Each takes its share of every batch, and torch's DistributedDataParallel averages their gradients,
so that all of them make the same step. Without torchrun there is one process and no process group,
and the functions here return what they are given.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from facealign.core.errors import ConfigError, TrainingError
from facealign.training.device import choose_device

VARIABLE = "FACEALIGN_PROCESSES"
MOST = 1024  # more is a mistake


def start(module: str, *arguments: Path) -> bool:
    """Run `python -m module` in as many processes as FACEALIGN_PROCESSES says, as torchrun does;
    returns False, and starts none, if that is one or if this is one of them."""
    asked = os.environ.get(VARIABLE) or "1"
    if not (asked.isdecimal() and len(asked) < 9 and 1 <= int(asked) <= MOST):
        raise ConfigError(f"{VARIABLE}: {asked[:20]!r}, expected an integer from 1 to {MOST}")
    if int(asked) == 1 or distributed.is_torchelastic_launched():
        return False
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    here = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=int(asked),
        run_id=module,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",  # a free port
        max_restarts=0,
    )
    try:
        elastic_launch(here, sys.executable)("-m", module, *map(str, arguments))
    except ChildFailedError as error:
        number, first = error.get_first_failure()
        reason = f"signal {first.signal_name()}" if first.exitcode < 0 else "an error, see above"
        raise TrainingError(f"process {number} of {asked} ended with {reason}") from None
    except SignalException as error:
        sys.exit(128 + error.sigval)
    return True


@contextmanager
def joined() -> Iterator[None]:
    """Within, the processes that torchrun has started work together, and only the first prints."""
    if not distributed.is_torchelastic_launched() or os.environ["WORLD_SIZE"] == "1":
        yield
        return
    local = int(os.environ["LOCAL_RANK"])
    if local < torch.cuda.device_count():
        torch.cuda.set_device(local)  # which is then the one named "cuda"
    device = choose_device()
    if device.type == "cuda" and (device.index is not None or local >= torch.cuda.device_count()):
        raise ConfigError(
            f"{local + 1} or more processes, FACEALIGN_DEVICE is {device} and there are "
            f"{torch.cuda.device_count()} GPUs, expected one for each process, or "
            "FACEALIGN_DEVICE=cpu"
        )
    distributed.init_process_group("gloo" if device.type == "cpu" else "nccl")
    with ExitStack() as stack:
        if not is_first():
            nowhere = stack.enter_context(Path(os.devnull).open("w"))
            stack.enter_context(redirect_stdout(nowhere))
            stack.enter_context(redirect_stderr(nowhere))
        try:
            yield
        except RuntimeError as error:
            if "by peer" not in str(error):  # gloo: connection closed, or reset
                raise
            raise TrainingError("another process of this training has ended") from None
    # not after an error, because it may wait for the others
    distributed.destroy_process_group()


def count() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    return distributed.get_rank() if distributed.is_initialized() else 0


def is_first() -> bool:
    """Whether this is the process that writes files."""
    return rank() == 0


def share() -> slice:
    """Which items of those that all processes have are this one's."""
    return slice(rank(), None, count())


def sharing(network: nn.Module, device: torch.device) -> nn.Module:
    """The network for training: the gradients of its weights are the mean of all processes'."""
    if count() == 1:
        return network
    if device.type != "cpu":  # torch has it for GPUs only
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    return DistributedDataParallel(network)


def copy_statistics(network: nn.Module) -> None:
    """Give all processes the first one's statistics of batch norm."""
    if count() > 1:
        for buffer in network.buffers():
            distributed.broadcast(buffer, 0)


def total(value: torch.Tensor) -> torch.Tensor:
    """The sum over all processes."""
    if count() > 1:
        distributed.all_reduce(value)
    return value


def gathered(rows: np.ndarray) -> np.ndarray:
    """The rows of all processes, each of which has its `share`, in their order."""
    if count() == 1:
        return rows
    parts: list[np.ndarray] = [rows] * count()
    distributed.all_gather_object(parts, rows)
    whole = np.empty((sum(map(len, parts)), *rows.shape[1:]), rows.dtype)
    for number, part in enumerate(parts):
        whole[number :: count()] = part
    return whole
