"""A copy of this project that tests run the real `dvc` and `make` in."""

import csv
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import yaml

ROOT = Path(__file__).parents[1]
PARAMS = ROOT / "params.yaml"
# where DVC has put a .gitignore for recognition
IGNORING = ["data/recognition", "data/recognition/aligned", "data/recognition/networks"]
IGNORING += ["plots/recognition"]
PICTURES, EPOCHS = 40, 2  # of the project that the pipeline is tested in


@contextmanager
def smallest_files() -> Iterator[None]:
    """No file may grow beyond a kilobyte, as if the disk were full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def as_wflw(points: np.ndarray) -> np.ndarray:
    """98 points (..., 98, 2) in WFLW's order from iBUG's 68: its further points lie between
    these."""
    between = [
        *(pair for i in range(16) for pair in ((i, i), (i, i + 1))),  # jaw
        (16, 16),
        *((i, i) for i in range(17, 22)),  # a brow's upper edge, and the lower one back
        *((i, i - 1) for i in range(21, 17, -1)),
        *((i, i) for i in range(22, 27)),
        *((i, i - 1) for i in range(26, 22, -1)),
        *((i, i) for i in range(27, 36)),  # nose
        *((36, 36), (37, 37), (37, 38), (38, 38), (39, 39), (40, 40), (40, 41), (41, 41)),
        *((42, 42), (43, 43), (43, 44), (44, 44), (45, 45), (46, 46), (46, 47), (47, 47)),
        *((i, i) for i in range(48, 68)),  # mouth
        *((37, 40), (44, 47)),  # pupils
    ]
    return points[..., np.array(between), :].mean(axis=-2)


def as_helen(points: np.ndarray) -> np.ndarray:
    """194 points in HELEN's order, spread evenly over the contours of iBUG's 68."""

    def spread(count: int, *places: int) -> np.ndarray:
        line = points[list(places)]
        steps = np.r_[0, np.linalg.norm(np.diff(line, axis=0), axis=1).cumsum()]
        at = np.linspace(0, steps[-1], count)
        return np.column_stack([np.interp(at, steps, line[:, axis]) for axis in (0, 1)])

    aside = (points[31] - points[35]) / 3
    brows = [spread(11, *range(22, 27)), spread(11, *range(21, 16, -1))]  # their upper edges
    thick = (points[36] - points[17]) / 5
    parts = [
        *(spread(41, *range(17)), points[27:31] + aside, spread(9, *range(31, 36))),
        *(points[30:26:-1] - aside, spread(15, *range(48, 55))),
        *(spread(15, *range(54, 60), 48)[1:-1], spread(15, *range(60, 65))),
        spread(15, *range(64, 68), 60)[1:-1],
        *(spread(11, *range(42, 46)), spread(11, 45, 46, 47, 42)[1:-1]),
        *(spread(11, 39, 38, 37, 36), spread(11, 36, 41, 40, 39)[1:-1]),
        *(part for upper in brows for part in (upper, upper[-2:0:-1] + thick)),
    ]
    return np.concatenate(parts)


class Project:
    """A small copy of this project, with a Git repository and a DVC cache of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    def begun_in(folder: Path) -> "Project":
        """As it is before its first run."""
        names = [
            "facealign",
            "stages",
            "experiments",
            "schemes",
            "data/patches",
            "dvc.yaml",
            "Makefile",
            ".dvcignore",
            ".gitignore",
        ]
        names += [".dvc/plots", ".dvc/config", ".dvc/.gitignore"]
        # recognition as a fresh clone has it: results in Git, and nothing in the cache
        names += ["metrics/identities.json", "metrics/recognition.json", "plots/recognition/roc"]
        names += [f"{folder}/.gitignore" for folder in IGNORING]
        for name in names:
            source, target = ROOT / name, folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
        params["demo"] |= {"pictures": PICTURES, "people": 0}
        params["train"] |= {"epochs": EPOCHS, "validation": 0.3}
        (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
        project = Project(folder)
        project.run("git", "init", "-q", "-b", "main")
        project.name_committer()
        project.commit("the project")
        return project

    def clone(self, folder: Path) -> "Project":
        """What Git has of it, elsewhere."""
        self.run("git", "clone", "-q", str(self.folder), str(folder))
        cloned = Project(folder)
        cloned.name_committer()
        return cloned

    def name_committer(self) -> None:
        self.run("git", "config", "user.name", "a tester")
        self.run("git", "config", "user.email", "tester@example.org")

    def environment(self) -> dict[str, str]:
        kept = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith(("DVC_", "MLFLOW_", "FACEALIGN_"))
        }
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return kept | {"PATH": path, "FACEALIGN_DEVICE": "cpu", "FACEALIGN_THREADS": "1"}

    def run(self, *command: str, fails: bool = False, **variables: str) -> str:
        """What the command printed; it must succeed, or fail, as said."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment() | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout[-6000:]
        return done.stdout

    def commit(self, message: str) -> None:
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "--allow-empty", "-m", message)

    def json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.folder / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
