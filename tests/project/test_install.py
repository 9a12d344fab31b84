"""The installed package: its version, files, dependencies and platforms."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
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
PORTABLE_PACKAGES = ["core", "data", "detectors", "faces", "evaluation", "inference", "cli"]


@pytest.fixture
def picture(tmp_path: Path, astronaut: np.ndarray) -> Path:
    images.write(tmp_path / "in" / "one.png", astronaut)
    return tmp_path / "in" / "one.png"


@pytest.mark.slow
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
            assert done.returncode == 1 and "pip install '.[export]' in a clone" in done.stderr
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
    folders = ["weights/*", "recognition/weights/*", "detectors/weights/*"]
    assert globs == ["py.typed", *folders, "labels/*.html"]
    for name in ("weights/cascade.onnx", "recognition/weights/recogniser.onnx"):
        assert (ROOT / "facealign" / name).stat().st_size < 16e6


def test_the_dockerfile_copies_what_git_has_and_ends_without_root() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    images = text.split("\nFROM ")[1:]
    assert [image.splitlines()[0].split(" AS ")[1] for image in images] == ["landmarks", "pipeline"]
    for image in images:
        copied = re.findall(r"^COPY --chown=facealign (.+) \S+$", image, re.MULTILINE)
        sources = [source for line in copied for source in line.split()]
        assert sources and all((ROOT / source).exists() for source in sources)
        assert re.findall(r"^USER (.+)$", image, re.MULTILINE) == ["facealign"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel and the source archive."""
    folder = tmp_path_factory.mktemp("built")
    source = folder / "source"
    shutil.copytree(
        ROOT / "facealign", source / "facealign", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-WEIGHTS"):
        shutil.copy(ROOT / name, source)
    build = "from setuptools import build_meta as b; b.build_sdist('..'); b.build_wheel('..')"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    return folder


@pytest.mark.slow
def test_wheel_and_source_archive_hold_types_weights_and_licences(built: Path) -> None:
    version = facealign.__version__
    with zipfile.ZipFile(built / f"facealign-{version}-py3-none-any.whl") as wheel:
        in_wheel = set(wheel.namelist())
    with tarfile.open(built / f"facealign-{version}.tar.gz") as archive:
        in_archive = {name.partition("/")[2] for name in archive.getnames()}
    weights = [*ROOT.glob("facealign/weights/*"), *ROOT.glob("facealign/*/weights/*")]
    needed = {path.relative_to(ROOT).as_posix() for path in weights}
    needed |= {"facealign/py.typed", "facealign/labels/edit.html"}
    assert len(needed) > 8 and "facealign/detectors/weights/NOTICE" in needed
    assert needed <= in_wheel and needed <= in_archive
    licences = {"LICENSE", "LICENSE-WEIGHTS"}
    assert {f"facealign-{version}.dist-info/licenses/{name}" for name in licences} <= in_wheel
    assert licences <= in_archive
    top = {name.partition("/")[0] for name in in_wheel}
    assert top == {"facealign", f"facealign-{version}.dist-info"}


@pytest.mark.slow
def test_the_wheel_finds_landmarks_without_the_project(
    built: Path, picture: Path, tmp_path: Path
) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    done = subprocess.run(
        [sys.executable, "-m", "facealign", "predict", str(picture)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (face,) = json.loads(done.stdout)["faces"]
    assert np.shape(face["points"]) == (68, 2)
