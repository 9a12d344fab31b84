"""Two clones that share data, runs and a server, as docs/how-to/team.md has it."""

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from facealign.core.files import sha256
from tests.helpers import Project

# MLflow's own use of SQLAlchemy
pytestmark = pytest.mark.filterwarnings("ignore:.*noload:DeprecationWarning")


@pytest.fixture(scope="module")
def colleague(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A second clone, with what the first has pushed to a folder: data and runs."""
    remote = tmp_path_factory.mktemp("remote")
    project.run("dvc", "remote", "add", "--local", "--default", "team", str(remote))
    project.run("dvc", "exp", "run", "-S", "train.epochs=1")
    project.run("dvc", "push", "--run-cache")  # products of the run that lie there now
    project.run("git", "checkout", "-q", ".")
    project.run("dvc", "checkout", "-q", "dvc.yaml")
    project.run("dvc", "push", "--run-cache")
    cloned = project.clone(tmp_path_factory.mktemp("team") / "colleague")
    cloned.run("dvc", "remote", "add", "--local", "--default", "team", str(remote))
    cloned.run("dvc", "pull", "--run-cache", "dvc.yaml")
    yield cloned
    project.run("dvc", "remote", "remove", "--local", "team")


def test_the_colleague_has_all_and_runs_nothing(project: Project, colleague: Project) -> None:
    assert "Running stage" not in colleague.run("dvc", "repro")
    assert "up to date" in colleague.run("dvc", "status", "dvc.yaml")
    for name in ("data/model.pt", "plots/report.html"):
        assert sha256(colleague.folder / name) == sha256(project.folder / name)


def test_what_somebody_has_trained_is_not_trained_again(colleague: Project) -> None:
    said = colleague.run("dvc", "exp", "run", "--pull", "-S", "train.epochs=1")
    for stage in ("train", "predict", "report"):
        assert f"Stage '{stage}' is cached - skipping run" in said
    assert len(colleague.rows("data/training.csv")) == 1
    colleague.run("git", "checkout", "-q", ".")
    colleague.run("dvc", "checkout", "-q", "dvc.yaml")


def test_the_model_is_an_artifact_that_others_can_get(colleague: Project, tmp_path: Path) -> None:
    target = tmp_path / "got.pt"
    colleague.run("gto", "register", "landmarks", "--version", "v1.0.0")
    address = str(colleague.folder)
    colleague.run("dvc", "artifacts", "get", address, "landmarks", "-o", str(target))
    assert sha256(target) == sha256(colleague.folder / "data" / "model.pt")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """An MLflow server on this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    mlflow_command = shutil.which("mlflow", path=Project(tmp_path).environment()["PATH"])
    assert mlflow_command
    process = subprocess.Popen(
        [
            *(mlflow_command, "server", "--host", "127.0.0.1", "--port", str(port)),
            *("--workers", "1", "--backend-store-uri", f"sqlite:///{tmp_path / 'server.db'}"),
            *("--artifacts-destination", str(tmp_path / "artifacts")),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(120):
            try:
                with urllib.request.urlopen(f"{address}/health", timeout=2) as answer:
                    assert answer.read() == b"OK"
                    break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                assert process.poll() is None
                time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait()


def test_two_clones_log_to_one_server_and_register_the_model(
    project: Project, colleague: Project, server: str, tmp_path: Path
) -> None:
    for clone in (project, colleague):
        clone.run("dvc", "repro", "-f", "-s", "track", MLFLOW_TRACKING_URI=server)
        assert clone.run("git", "status", "--porcelain") == ""
    client = mlflow.MlflowClient(server)
    found = client.get_experiment_by_name("facealign")
    assert found is not None
    runs = list(client.search_runs([found.experiment_id]))
    assert len(runs) == 2
    revision = project.run("git", "rev-parse", "HEAD").strip()
    assert {run.data.tags["dvc.revision"] for run in runs} == {revision}
    ced = json.loads((colleague.folder / "metrics" / "ced.json").read_text(encoding="utf-8"))
    for run in runs:
        assert run.data.metrics["all.model.auc_08"] == ced["all"]["model"]["auc_08"]
    register = ("python", "-m", "facealign.experiments.register", "data/model.pt")
    for _ in range(2):  # the same model is the same version
        said = colleague.run(*register, MLFLOW_TRACKING_URI=server)
        assert "facealign, version 1: data/model.pt" in said
    down = colleague.run(*register, fails=True, MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert "error: MLflow: " in down and "Traceback" not in down
    version = client.get_model_version("facealign", "1")
    assert version.tags["dvc.revision"] == revision
    assert version.run_id in {run.info.run_id for run in runs}
    got = client.download_artifacts(str(version.run_id), "model/data/model.pt", str(tmp_path))
    assert sha256(Path(got)) == sha256(project.folder / "data" / "model.pt")


def test_a_model_that_no_run_has_logged_is_not_registered(project: Project, tmp_path: Path) -> None:
    (tmp_path / "other.pt").write_bytes(b"another one")
    said = project.run(
        "python", "-m", "facealign.experiments.register", str(tmp_path / "other.pt"), fails=True
    )
    assert "other.pt: no run has logged it" in said and "Traceback" not in said
