from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from facealign.core import config, points
from facealign.faces import dlib_predictor
from facealign.faces.dlib_predictor import Dlib
from tests.dask_cluster import dask_cluster
from tests.helpers import PARAMS, Project

LEFT_HALF = [  # of a face that looks straight ahead, without what lies on its axis
    [(-65, -40), (-55, -48), (-45, -50), (-32, -48), (-20, -44)],  # brow
    [(-15, 20), (-8, 23)],  # nostrils
    [(-50, -25), (-42, -31), (-32, -31), (-24, -25), (-33, -20), (-43, -20)],  # eye
]


@pytest.hookimpl(tryfirst=True)  # before pytest selects by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs the pipeline is slow."""
    for item in items:
        if {"project", "small"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool of processes takes longer to start than a test's few pictures, and two threads of
    torch are slower than one while another test runs."""
    monkeypatch.setenv("FACEALIGN_WORKERS", "1")
    monkeypatch.setenv("FACEALIGN_THREADS", "1")


@pytest.fixture(autouse=True)
def no_users_schemes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that a test makes known are forgotten after it."""
    monkeypatch.setattr(points, "_own", {})


@pytest.fixture(scope="session")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Dask cluster: a scheduler and two workers, each a process."""
    with dask_cluster(tmp_path_factory.mktemp("cluster")) as (address, _):
        yield address


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
    return dlib_predictor.predictor_file(config.load("dlib", Dlib, PARAMS))


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """After `dvc repro` and a commit. Tests that change it put it back."""
    project = Project.begun_in(tmp_path_factory.mktemp("project"))
    project.run("dvc", "repro")
    project.commit("the baseline")
    return project
