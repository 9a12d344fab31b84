"""dlib's trainer on a dozen generated faces."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import dlib
import numpy as np
import pytest

from facealign.core import images
from facealign.core.errors import InputError
from facealign.core.faces import Faces
from facealign.core.geometry import box_sizes
from facealign.core.points import COUNT
from facealign.evaluation import metrics
from facealign.faces import dlib_predictor, dlib_training
from facealign.faces.detection import box_from_points
from facealign.faces.dlib_predictor import PUBLISHED
from facealign.faces.validation import Validation, held_back
from facealign.synthesis.pictures import plan_pictures, render
from tests.helpers import ROOT, smallest_files

SMALL = replace(
    PUBLISHED,
    train=True,
    cascade_depth=4,
    num_trees_per_cascade_level=40,
    tree_depth=2,
    oversampling_amount=5,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faces")


@pytest.fixture(scope="module")
def faces(root: Path) -> Faces:
    """Twelve, whose pictures are below `root`."""
    names, points = [], []
    for plan in [plan for plan in plan_pictures(20, 3) if plan.point_count == COUNT][:12]:
        picture, its = render(plan)
        (root / plan.name).parent.mkdir(parents=True, exist_ok=True)
        (root / plan.name).write_bytes(picture)
        names.append(plan.name)
        points.append(its)
    boxes = np.array([box_from_points(its).corners for its in points])
    return Faces.of(names, box=boxes, points=np.array(points))


@pytest.fixture(scope="module")
def trained(root: Path, faces: Faces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("trained") / "dlib.dat"
    dlib_training.train(root, faces, SMALL, target)
    return target


def test_it_learns_the_faces(root: Path, faces: Faces, trained: Path) -> None:
    found = dlib_predictor.predict_all(root, faces, trained)
    errors = metrics.mean_distances(found, faces.points) / box_sizes(faces.boxes)
    assert errors.mean() < 0.02
    assert dlib_predictor.predict_all(root, faces.subset(slice(0)), trained).shape == (0, 68, 2)


def test_grey_crops_give_the_bytes_that_whole_pictures_in_colour_give(
    root: Path, faces: Faces, trained: Path, tmp_path: Path
) -> None:
    pictures = [images.read(root / name) for name in faces.images]
    shapes = [
        [
            dlib.full_object_detection(
                dlib.rectangle(*map(round, box)), [dlib.point(*map(round, xy)) for xy in points]
            )
        ]
        for box, points in zip(faces.boxes.tolist(), faces.points.tolist(), strict=True)
    ]
    options = dlib_training._options(SMALL)
    dlib.train_shape_predictor(pictures, shapes, options).save(str(tmp_path / "whole.dat"))
    assert (tmp_path / "whole.dat").read_bytes() == trained.read_bytes()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system binds no process")
def test_the_number_of_cores_changes_no_byte(
    root: Path, faces: Faces, trained: Path, tmp_path: Path
) -> None:
    every = os.sched_getaffinity(0)
    assert dlib_training._options(SMALL).num_threads  # 0 would be as many as there are cores
    os.sched_setaffinity(0, {min(every)})
    try:
        dlib_training.train(root, faces, SMALL, tmp_path / "one.dat")
    finally:
        os.sched_setaffinity(0, every)
    assert (tmp_path / "one.dat").read_bytes() == trained.read_bytes()


def test_the_seed_changes_the_predictor_and_the_options_its_size(
    root: Path, faces: Faces, trained: Path, tmp_path: Path
) -> None:
    for name, config in (("seed", replace(SMALL, seed=2)), ("deep", replace(SMALL, tree_depth=3))):
        dlib_training.train(root, faces, config, tmp_path / name)
    data = trained.read_bytes()
    assert (tmp_path / "seed").read_bytes() != data
    assert (tmp_path / "deep").stat().st_size > 1.5 * len(data)


def test_a_face_at_the_edge_of_its_picture_or_beyond_is_no_error(
    root: Path, faces: Faces, tmp_path: Path
) -> None:
    far = faces.with_columns(
        box=faces.boxes + np.linspace(-2000, 2000, len(faces))[:, None],
        points=faces.points + np.linspace(-2000, 2000, len(faces))[:, None, None],
    )
    dlib_training.train(root, far, SMALL, tmp_path / "far.dat")
    assert (tmp_path / "far.dat").stat().st_size


def test_without_a_train_face_there_is_nothing_to_learn_from() -> None:
    with pytest.raises(InputError, match=r"^no face was found in any train picture: nothing to"):
        held_back([], [], Validation(0.2, 0, []))


def test_faces_without_points_are_refused(root: Path, faces: Faces, tmp_path: Path) -> None:
    bare = Faces.of(faces.images, box=faces.boxes)
    with pytest.raises(InputError, match=r"no column 'points', has image, box"):
        dlib_training.train(root, bare, SMALL, tmp_path / "none.dat")
    assert not (tmp_path / "none.dat").exists()


def test_a_full_disk_is_an_error_that_names_the_file(
    root: Path, faces: Faces, tmp_path: Path
) -> None:
    target = tmp_path / "out.dat"
    with (
        smallest_files(),
        pytest.raises(InputError, match=r"out\.dat: cannot be written, the disk"),
    ):
        dlib_training.train(root, faces, SMALL, target)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_training_is_ended_at_once(root: Path, faces: Faces, tmp_path: Path) -> None:
    faces.write(tmp_path / "faces.csv", "box", "points")
    script = """
from dataclasses import replace
from pathlib import Path
from facealign.core.command import run
from facealign.core.faces import Faces
from facealign.faces import dlib_training
from facealign.faces.dlib_predictor import PUBLISHED

def main(root, table, target):
    endless = replace(PUBLISHED, cascade_depth=100, num_trees_per_cascade_level=10_000)
    dlib_training.train(root, Faces.read(table), endless, target)

run(main)
"""
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    paths = map(str, (tmp_path / "script.py", root, tmp_path / "faces.csv", tmp_path / "out.dat"))
    with subprocess.Popen(
        [sys.executable, *paths], cwd=ROOT, stdout=subprocess.PIPE, env=os.environ, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Fitting trees"):
                break
        else:
            pytest.fail("the training did not begin")
        process.terminate()
        try:
            assert process.wait(timeout=10) == -signal.SIGTERM
        finally:
            process.kill()
    assert not (tmp_path / "out.dat").exists()
