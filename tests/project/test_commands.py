"""The commands and the code of the documentation do what a reader would have them do."""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign.core import images
from facealign.data.annotations import format_pts
from facealign.synthesis.film import film, swaying
from facealign.synthesis.pictures import plan_pictures, render
from tests.helpers import ROOT, Project
from tests.project.documents import DOCUMENTS, IN_PROJECT, blocks

pytestmark = pytest.mark.slow

RUNNING = [page for page in DOCUMENTS if any(block.runs for block in blocks(page))]


def in_project(page: Path) -> bool:
    return f"\n{IN_PROJECT}\n" in page.read_text(encoding="utf-8")


def run(folder: Path, *command: str) -> None:
    """As a reader has it: `facealign` and `python` are this project's, make installs nothing."""
    shims = folder / ".shims"
    shims.mkdir(exist_ok=True)
    scripts = {"facealign": "python -m facealign", "make": "/usr/bin/make -o .venv/installed"}
    for name, script in scripts.items():
        shim = shims / name
        shim.write_text(f'#!/bin/sh\nexec {script} "$@"\n', encoding="utf-8")
        shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    path = os.pathsep.join([str(shims), str(Path(sys.executable).parent), os.environ["PATH"]])
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "MLFLOW_"))}
    code = folder if (folder / "facealign").is_dir() else ROOT
    done = subprocess.run(
        command,
        cwd=folder,
        env=kept | {"PATH": path, "PYTHONPATH": str(code), "MPLBACKEND": "Agg"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """A reader's folder: photos, annotated images, a short video, and the examples."""
    folder = tmp_path_factory.mktemp("reader")
    for name in ("photo.jpg", "one.jpg", "other.jpg", "photos/eileen.jpg"):
        images.write(folder / name, astronaut)
    plain = [plan for plan in plan_pictures(30, 68) if plan.kind == "plain"][:4]
    for number, plan in enumerate(plain):
        picture, points = render(plan)
        for place in ("photos", "annotated/train" if number % 2 else "annotated/test"):
            (folder / place).mkdir(parents=True, exist_ok=True)
            (folder / place / f"face_{number}.jpg").write_bytes(picture)
        (folder / place / f"face_{number}.pts").write_text(format_pts(points), encoding="utf-8")
    frames = [frame for frame, _ in film(swaying, 12, 1)]
    height, width = frames[0].shape[:2]
    codec = cv2.VideoWriter.fourcc(*"mp4v")
    video = cv2.VideoWriter(str(folder / "talk.mp4"), codec, 30, (width, height))
    for frame in frames:
        video.write(frame[:, :, ::-1])
    video.release()
    shutil.copytree(ROOT / "examples", folder / "examples")
    return folder


def run_page(page: Path, folder: Path) -> None:
    """Every block of a page, in its order; each block of Python stands alone."""
    for block in blocks(page):
        if not block.runs:
            continue
        if block.language == "bash":
            run(folder, "bash", "-euo", "pipefail", "-c", block.text)
        else:
            run(folder, "python", "-W", "error", "-c", block.text)


@pytest.mark.parametrize(
    "page",
    [page for page in RUNNING if not in_project(page)],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_the_commands_of_a_page(page: Path, folder: Path, tmp_path: Path) -> None:
    here = shutil.copytree(folder, tmp_path / "here")
    run_page(page, here)


@pytest.mark.parametrize(
    "page",
    [page for page in RUNNING if in_project(page)],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_the_commands_of_a_page_about_the_pipeline(
    page: Path, project: Project, tmp_path: Path
) -> None:
    here = shutil.copytree(project.folder, tmp_path / "here", symlinks=True)
    run_page(page, here)


def test_the_notebook(folder: Path) -> None:
    notebook = json.loads((ROOT / "examples" / "tour.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(cells) > 3 and all(cell["outputs"] == [] for cell in cells)
    run(folder, "python", "-c", "\n".join("".join(cell["source"]) for cell in cells))
