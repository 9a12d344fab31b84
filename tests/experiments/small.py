"""A project with a Git repository and a DVC cache whose one stage takes no time."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.helpers import ROOT

PARAMS = """\
data:
  archive: data/model.pt
  datasets: [300W, Menpo]   # a comment that DVC's rewriting need not keep
train:
  arch: onet
  loss: wing
  rate: 0.002
  init: none
  init_sha256: ''
label:
  teacher: data/model.pt
suspects:
  folder: data
"""
PIPELINE = """\
stages:
  train:
    cmd: python work.py
    deps: [work.py]
    params: [data, train]
    outs:
      - data/model.pt
      - metrics/ced.json: {cache: false}
      - plots/ced: {cache: false}
"""
WORK = """\
import os, pathlib, time, yaml
params = yaml.safe_load(open("params.yaml"))
for folder in ("data", "metrics", "plots/ced"):
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
for dataset in params["data"]["datasets"]:
    pathlib.Path(f"plots/ced/{dataset}.csv").write_text("error,share\\n")
pathlib.Path("data/model.pt").write_text(str(params))
print("the loss is", params["train"]["loss"], flush=True)
assert params["train"]["loss"] != "broken", "no such loss"
if params["train"]["loss"] == "meddling":
    pathlib.Path("notes.md").write_text("changed meanwhile")
if params["train"]["loss"] == "endless":
    pathlib.Path("data/.started").touch()
    time.sleep(600)
if params["train"]["loss"] == "meeting":  # ends only if two experiments run at the same time
    place = pathlib.Path(os.environ["MEETING"])
    (place / str(params["train"]["rate"])).touch()
    while len(list(place.iterdir())) < 2:
        time.sleep(0.05)
pathlib.Path("metrics/ced.json").write_text(str(params["train"]["rate"]))
"""


class Small:
    """A project with a Git repository, a DVC cache and this project's sweep."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("facealign", "stages"):
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "dvc.lock")
            )
        files = {
            "params.yaml": PARAMS,
            "dvc.yaml": PIPELINE,
            "stages/recognition/dvc.yaml": "stages: {}",
            "work.py": WORK,
            "notes.md": "as committed",
            ".gitignore": "__pycache__\ndata/.started\n",
            ".dvc/config": "[core]\n    analytics = false\n    autostage = false\n",
            ".dvc/.gitignore": "/tmp\n/cache\n",
        }
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        self.run("git", "init", "-q", "-b", "main")
        self.run("git", "config", "user.name", "a tester")
        self.run("git", "config", "user.email", "tester@example.org")
        self.run("dvc", "repro")
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "-m", "the baseline")

    def start(self, *command: str) -> "subprocess.Popen[str]":
        kept = {k: v for k, v in os.environ.items() if not k.startswith("DVC_")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=kept | {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str, fails: bool = False) -> str:
        process = self.start(*command)
        said, _ = process.communicate()
        assert (process.returncode != 0) == fails, said
        return said

    def sweep(self, text: str, fails: bool = False) -> str:
        (self.folder / "list.yaml").write_text(text, encoding="utf-8")
        return self.run("python", "-m", "facealign.experiments.sweep", "list.yaml", fails=fails)

    def experiments(self) -> list[str]:
        listed = self.run(
            "git", "for-each-ref", "--format=%(refname)", "refs/exps/[0-9a-f][0-9a-f]/**"
        )
        return sorted(line.rsplit("/", 1)[1] for line in listed.splitlines())

    def state(self) -> dict[str, bytes]:
        """All files but Git's, DVC's and the list."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        names = {path.relative_to(self.folder).as_posix(): path for path in files}
        return {
            name: path.read_bytes()
            for name, path in names.items()
            if not name.startswith((".git/", ".dvc/"))
            and name not in {"list.yaml", "data/.started"}
        }
