"""The installed package: its version, files, dependencies and platforms."""

import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from setuptools.config import pyprojecttoml  # type: ignore[import-untyped]

import facealign
from facealign.core import images
from tests.helpers import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MODULES = {
    "opencv-python-headless": "cv2",
    "dlib-bin": "dlib",
    "dlib-bin's own": "_dlib_pybind11",
}

# As in an environment with the light install only.
ONLY = """
import importlib.abc, sys
class Only(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in {allowed} and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Only())
from facealign.cli.main import main
main()
"""


def allowed() -> set[str]:
    names = [line.split(">")[0] for line in PROJECT["dependencies"]]
    # onnxruntime looks for some of these and does without them
    return {"facealign", *MODULES.values(), *(MODULES.get(name, name) for name in names)}


# As on Windows, where these modules of the standard library are missing.
PORTABLE = """
import importlib, importlib.abc, sys
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in {missing}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
for name in {missing}:
    sys.modules.pop(name, None)
for name in {modules}:
    importlib.import_module(name)
"""
POSIX_ONLY = ["fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"]
PORTABLE_PACKAGES = ["core", "data", "faces", "evaluation", "inference", "cli"]


@pytest.fixture
def picture(tmp_path: Path, astronaut: np.ndarray) -> Path:
    images.write(tmp_path / "in" / "one.png", astronaut)
    return tmp_path / "in" / "one.png"


def test_landmarks_need_the_light_install_only(picture: Path, tmp_path: Path) -> None:
    code = ONLY.format(allowed=repr(allowed()))
    for words in (
        ["predict", str(picture), "--out", str(tmp_path / "out"), "--overlay"],
        ["align", str(picture), "--out", str(tmp_path / "crops")],
        ["evaluate", str(picture.parent), "--out", str(tmp_path / "eval")],
        ["compare", str(picture), str(picture)],
        ["export", str(picture)],
    ):
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
        if words[0] == "export":
            assert done.returncode == 1 and "pip install 'facealign[export]'" in done.stderr
        elif words[0] == "evaluate":  # there are no points, but it came so far
            assert "no face to measure on" in done.stderr
        else:
            assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "one.json").is_file() and (tmp_path / "out" / "one.jpg").is_file()
    assert (tmp_path / "crops" / "one.png").is_file()


def test_no_module_that_users_import_needs_posix() -> None:
    files = [
        file for name in PORTABLE_PACKAGES for file in (ROOT / "facealign" / name).rglob("*.py")
    ]
    modules = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for file in files
    ]
    assert len(modules) > 30
    code = PORTABLE.format(missing=POSIX_ONLY, modules=[*modules, "facealign.recognition.commands"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_version_stands_in_one_place() -> None:
    dynamic = pyprojecttoml.read_configuration(ROOT / "pyproject.toml")
    assert dynamic["project"]["version"] == facealign.__version__
    done = subprocess.run(
        [sys.executable, "-m", "facealign", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"facealign {facealign.__version__}\n"


def test_the_extras_name_what_requirements_pin() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split("==")[0] for line in lines if "==" in line}
    extras = PROJECT["optional-dependencies"]
    named = {line.split(">")[0] for lines in extras.values() for line in lines}
    own = {line.split(">")[0] for line in PROJECT["dependencies"]}
    assert {name for name in named | own if not name.startswith("facealign[")} <= pinned


def test_the_weights_are_bundled() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    globs = tomllib.loads(text)["tool"]["setuptools"]["package-data"]["facealign"]
    assert globs == ["py.typed", "weights/*", "recognition/weights/*"]
    for name in ("weights/cascade.onnx", "recognition/weights/recogniser.onnx"):
        assert (ROOT / "facealign" / name).stat().st_size < 16e6


def test_the_dockerfile_copies_what_git_has_and_ends_without_root() -> None:
    steps = runpy.run_path(str(ROOT / ".ci" / "dockerfile.py"))["steps"]()
    assert list(steps) == ["landmarks", "pipeline"]
    for image in steps.values():
        copied = [word for name, rest in image if name == "COPY" for word in rest.split()[1:-1]]
        assert copied and all((ROOT / source).exists() for source in copied)
        assert [rest for name, rest in image if name == "USER"] == ["facealign"]
