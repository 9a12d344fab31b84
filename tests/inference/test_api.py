"""What users may rely on: the public names, their types and the examples of their docstrings."""

import doctest
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

import facealign
from tests.helpers import ROOT

DOCUMENTED = [name for name in facealign.__all__ if name != "__version__"]
EXAMPLES = [name for name in DOCUMENTED if not name.endswith("Error")] + ["FacealignError"]

USE = """
import numpy as np
from typing import assert_type

from facealign import (
    Aligner, Box, ConfigError, Detection, Face, FacealignError, Pose, TrackedFace, Tracker,
    __version__, draw,
)

def centre(image: np.ndarray) -> list[Box]:
    height, width = image.shape[:2]
    return [Box(0, 0, width, height)]

aligner = Aligner("small", detector=centre, device="cpu", upsample=(0,), threads=1)
image = np.zeros((100, 100, 3), np.uint8)
assert_type(aligner.detect(image), list[Detection])
assert_type(aligner.predict_batch(["photo.jpg", image]), list[list[Face]])
for face in aligner.predict("photo.jpg", boxes=[Box(0, 0, 10, 10)]):
    assert_type(face.points, np.ndarray)
    assert_type(face.scores, np.ndarray | None)
    assert_type(face.pose, Pose | None)
assert_type(draw(image, aligner.predict(image)), np.ndarray)
tracker = Tracker(aligner, smooth=False)
assert_type(tracker(image, 0.0), list[TrackedFace])
assert_type([one.track for one in tracker(image, 0.1)], list[int])
error: FacealignError = ConfigError(f"version {__version__}")
"""


def type_check(folder: Path, code: str) -> str:
    (folder / "use.py").write_text(code, encoding="utf-8")
    command = ["-m", "mypy", "--strict", "--config-file=", f"--cache-dir={folder / 'cache'}"]
    done = subprocess.run(
        [sys.executable, *command, "use.py"],
        cwd=folder,
        env={"MYPYPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    own = [line for line in done.stdout.splitlines() if line.startswith("use.py")]
    assert done.returncode < 2, done.stdout + done.stderr
    return "\n".join(own)


@pytest.mark.slow
def test_code_that_uses_the_api_type_checks(tmp_path: Path) -> None:
    assert type_check(tmp_path, USE) == ""
    wrong = "from facealign import Aligner, draw\nAligner(threads='two')\ndraw('photo.jpg', [])\n"
    said = type_check(tmp_path, wrong).splitlines()
    assert len(said) == 2 and all('has incompatible type "str"' in line for line in said)


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, astronaut: np.ndarray) -> None:
    """The photo.jpg of the examples."""
    cv2.imwrite(str(tmp_path / "photo.jpg"), astronaut[:300, 60:360, ::-1])
    monkeypatch.chdir(tmp_path)


def examples_of(name: str) -> list[doctest.DocTest]:
    value: ModuleType | type = facealign if name == "facealign" else getattr(facealign, name)
    finder = doctest.DocTestFinder(recurse=name != "facealign")
    return [test for test in finder.find(value, name, globs={}) if test.examples]


@pytest.mark.parametrize("name", ["facealign", *EXAMPLES])
@pytest.mark.usefixtures("photo")
def test_the_examples_of_docstrings_are_true(name: str) -> None:
    examples = examples_of(name)
    assert examples, "no example"
    runner = doctest.DocTestRunner()
    for test in examples:
        runner.run(test)
    assert runner.summarize().failed == 0


@pytest.mark.parametrize("name", DOCUMENTED)
def test_public_names_have_docstrings(name: str) -> None:
    own = vars(getattr(facealign, name)).get("__doc__") or getattr(facealign, name).__doc__
    assert own and not own.startswith(f"{name}("), "only the signature that dataclasses write"


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Detector'"):
        facealign.Detector  # noqa: B018
    assert set(dir(facealign)) == set(facealign.__all__)


def test_drawing_leaves_the_picture_alone(astronaut: np.ndarray) -> None:
    faces = facealign.Aligner("small", threads=1).predict(astronaut)
    before = astronaut.copy()
    drawn = facealign.draw(astronaut, faces)
    np.testing.assert_array_equal(astronaut, before)
    x, y = faces[0].points[30].round().astype(int)
    assert np.abs(drawn[y, x].astype(int) - (60, 220, 60)).max() < 60
    assert (drawn != astronaut).any(axis=2).mean() < 0.05
