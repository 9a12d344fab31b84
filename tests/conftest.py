import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from skimage import data

from facealign import config, dlib_baseline
from facealign.dlib_baseline import Dlib

ROOT = Path(__file__).parents[1]
PARAMS = ROOT / "params.yaml"
# where DVC has put a .gitignore for recognition
IGNORING = ["data/recognition", "data/recognition/aligned", "data/recognition/networks"]
IGNORING += ["plots/recognition"]
PICTURES, EPOCHS = 40, 2  # of the project that the pipeline is tested in

LEFT_HALF = [  # of a face that looks straight ahead, without what lies on its axis
    [(-65, -40), (-55, -48), (-45, -50), (-32, -48), (-20, -44)],  # brow
    [(-15, 20), (-8, 23)],  # nostrils
    [(-50, -25), (-42, -31), (-32, -31), (-24, -25), (-33, -20), (-43, -20)],  # eye
]


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool of processes takes longer to start than a test's few pictures."""
    monkeypatch.setenv("FACEALIGN_WORKERS", "1")


@pytest.fixture
def face() -> np.ndarray:
    """68 points of a plausible face, symmetric about x = 0; y points down."""
    turn = np.linspace(np.pi, 0, 17)
    jaw = np.column_stack([80 * np.cos(turn), 100 * np.sin(turn)]).tolist()
    brow, nostril, eye = LEFT_HALF
    right_brow, right_nostril = ([(-x, y) for x, y in half[::-1]] for half in (brow, nostril))
    ridge = [(0, -25), (0, -12), (0, 0), (0, 12)]
    right_eye = [(24, -25), (32, -31), (42, -31), (50, -25), (43, -20), (33, -20)]
    lip = [(-30, 50), (-20, 44), (-8, 40), (0, 42), (8, 40), (20, 44), (30, 50)]
    lip += [(20, 58), (8, 62), (0, 64), (-8, 62), (-20, 58)]
    lip += [(-24, 50), (-9, 46), (0, 48), (9, 46), (24, 50), (9, 54), (0, 56), (-9, 54)]
    nose = [*ridge, *nostril, (0, 25), *right_nostril]
    return np.array([*jaw, *brow, *right_brow, *nose, *eye, *right_eye, *lip], dtype=np.float64)


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """Eileen Collins, 512 x 512, by NASA: one real face."""
    picture: np.ndarray = data.astronaut()  # type: ignore[no-untyped-call]
    return picture


@pytest.fixture(scope="session")
def model() -> Path:
    """The file of dlib's 68-point predictor."""
    return dlib_baseline.predictor_file(config.load("dlib", Dlib, PARAMS))


class Project:
    """A small copy of this project, with a Git repository and a DVC cache of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    def begun_in(folder: Path) -> "Project":
        """As it is before its first run."""
        names = ["facealign", "stages", "dvc.yaml", "Makefile", ".dvcignore", ".gitignore"]
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
        return kept | {"PATH": path, "FACEALIGN_DEVICE": "cpu"}

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


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """After `dvc repro` and a commit. Tests that change it put it back."""
    project = Project.begun_in(tmp_path_factory.mktemp("project"))
    project.run("dvc", "repro")
    project.commit("the baseline")
    return project
