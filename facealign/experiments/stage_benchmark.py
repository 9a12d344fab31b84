"""Measure the throughput and peak memory of each stage at three sizes: `make bench`."""

import os
import shlex
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml

from facealign.core.command import run
from facealign.core.errors import ExperimentError
from facealign.core.files import write_json
from facealign.core.parallel import workers

SIZES = (150, 300, 600)
EPOCHS = 5


@dataclass(frozen=True)
class Measured:
    seconds: float
    peak_mb: float  # of all processes together, without the files that they map


def main(target: Path) -> None:
    project = Path.cwd()
    commands = {
        name: stage["cmd"]
        for name, stage in yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))[
            "stages"
        ].items()
        if name != "track"  # independent of the number of pictures
    }
    measured: dict[str, dict[str, dict[str, float]]] = {name: {} for name in commands}
    for pictures in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
            params["data"] |= {
                "archive": "data/demo.tgz",
                "points": 68,
                "datasets": ["300W", "Menpo"],
                "test_only": [],
            }
            params["demo"] |= {"pictures": pictures, "people": 0}
            params["train"]["epochs"] = EPOCHS
            (Path(folder) / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
            for name, command in commands.items():
                line = command.replace("${data.archive}", "data/demo.tgz")
                taken = measure(line, Path(folder), project)
                figures = vars(taken) | {"per_second": pictures / taken.seconds}
                measured[name][str(pictures)] = {key: round(v, 2) for key, v in figures.items()}
                print(
                    f"{pictures} pictures, {name}: {taken.seconds:.1f} s, {taken.peak_mb:.0f} MB",
                    flush=True,
                )
    write_json(target, {"cores": workers(), "train_epochs": EPOCHS, "stages": measured})


def measure(command: str, folder: Path, project: Path) -> Measured:
    """Run a stage of `project` in `folder`."""
    environment = os.environ | {"PYTHONPATH": str(project)}
    with tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            shlex.split(command), cwd=folder, env=environment, stdout=log, stderr=log
        )
        peak = 0
        while process.poll() is None:
            peak = max(peak, _memory(psutil.Process(process.pid)))
            time.sleep(0.05)
        seconds = time.perf_counter() - started
        if process.returncode:
            log.seek(0)
            raise ExperimentError(
                f"{command} failed:\n{log.read().decode(errors='replace')[-2000:]}"
            )
    return Measured(seconds, peak / 2**20)


def _memory(process: psutil.Process) -> int:
    total = 0
    try:
        for one in (process, *process.children(recursive=True)):
            memory = one.memory_info()
            total += memory.rss - memory.shared
    except psutil.NoSuchProcess:  # ended in the meantime
        pass
    return total


if __name__ == "__main__":
    run(main)
