import logging
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlflow
import numpy as np
import pytest
import torch

from facealign import models
from facealign.core.errors import ConfigError, ExperimentError, ModelError
from facealign.core.files import sha256
from facealign.experiments import tracking
from facealign.experiments.tracking import Run, project_folder
from facealign.faces.cropping import Stats
from facealign.faces.mean_face import MEAN_FACE
from facealign.models.parts.layers import Shape
from facealign.training import checkpoint
from facealign.training.checkpoint import Checkpoint


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A checkpoint of an untrained network."""
    torch.manual_seed(1)
    mean_face = torch.tensor(24 + 0.25 * MEAN_FACE[:, :2], dtype=torch.float32)
    network, _ = models.build("onet", Shape(48, mean_face), None)
    stats = Stats(48, 0.1, 4, (127.0,) * 3, (50.0,) * 3)
    recipe = {"arch": "onet", "seed": 1, "learning_rate": 0.001, "networks": {}, "losses": {}}
    path = tmp_path / "model.pt"
    checkpoint.save(
        Checkpoint("onet", stats, mean_face, recipe, 1, 0.1, network.state_dict()), path
    )
    return path


def run_of(model: Path, **values: object) -> Run:
    given = {"name": "x", "tags": {}, "params": {}, "epochs": [], "metrics": {}, "artifacts": []}
    return Run(**given | {"model": model} | values)  # type: ignore[arg-type]


@pytest.fixture
def trickling() -> Iterator[str]:
    """A server that answers a byte a second, for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer(client: socket.socket) -> None:
            with client:
                try:
                    client.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                    while True:
                        client.sendall(b"x")
                        time.sleep(1)
                except OSError:  # the other side has gone
                    pass

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:  # closed
                    return
                threading.Thread(target=answer, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_server_that_trickles_or_is_down_is_a_warning(
    trickling: str,
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with caplog.at_level(logging.WARNING):
        assert not tracking.log(run_of(model), tmp_path)
    assert "the run was not logged: API request" in caplog.text
    monkeypatch.setenv("MLFLOW_TRACKING_URI", trickling)
    monkeypatch.setenv(tracking.SECONDS, "5")
    started = time.monotonic()
    with caplog.at_level(logging.WARNING):
        assert not tracking.log(run_of(model), tmp_path)
    assert time.monotonic() - started < 15
    assert "the run was not logged: not done after 5 s (FACEALIGN_MLFLOW_SECONDS)" in caplog.text
    monkeypatch.setenv(tracking.SECONDS, "soon")
    with pytest.raises(ConfigError, match="FACEALIGN_MLFLOW_SECONDS is 'soon', expected a positiv"):
        tracking.log(run_of(model), tmp_path)


@pytest.mark.filterwarnings("ignore:.*noload:DeprecationWarning")  # MLflow's use of SQLAlchemy
@pytest.mark.filterwarnings("ignore:.*Any type hint:UserWarning")  # in MLflow's own code
def test_two_first_runs_at_once_and_their_model(
    model: Path, tmp_path: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    report = tmp_path / "report.html"
    report.write_text("a report", encoding="utf-8")
    run = run_of(
        model,
        tags={tracking.MODEL_TAG: sha256(model), "dvc.revision": "abc"},
        params={f"p{number}": number for number in range(130)},
        epochs=[{"epoch": number, "nme": 1 / number} for number in range(1, 1200)],
        artifacts=[report],
        seconds=90.0,
        data=("data/demo.tgz", "d" * 32),
    )
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: tracking.log(run, tmp_path), range(2))) == [True, True]
    client = mlflow.MlflowClient(tracking.local_uri(tmp_path))
    found = client.get_experiment_by_name(tracking.EXPERIMENT)
    assert found
    logged, other = client.search_runs([found.experiment_id])
    assert logged.info.status == "FINISHED" and len(logged.data.params) == 130
    assert logged.info.end_time - logged.info.start_time == 90_000
    assert len(client.get_metric_history(logged.info.run_id, "nme")) == 1199
    assert logged.inputs
    [data] = logged.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("demo.tgz", "d" * 32)
    loaded = mlflow.pyfunc.load_model(f"{logged.info.artifact_uri}/model")
    points = loaded.predict(astronaut)
    assert points.shape == (1, 68, 2)
    box = np.array([[179, 83], [266, 170]])  # dlib's; the network is untrained
    assert (points > box[0] - 50).all() and (points < box[1] + 50).all()
    assert loaded.predict(np.zeros((60, 60, 3), np.uint8)).shape == (0, 0, 2)

    # a run that was killed while it was logged, and one whose model has gone
    client.create_run(found.experiment_id, tags=dict(run.tags))
    folder = tmp_path / "mlruns" / logged.info.run_id / "artifacts" / tracking.MODEL
    folder.rename(tmp_path / "gone")
    assert tracking.register(model, "landmarks", tmp_path) == "1"
    version = client.get_model_version("landmarks", "1")
    assert version.run_id == other.info.run_id
    (tmp_path / "mlruns" / other.info.run_id / "artifacts" / tracking.MODEL).rename(
        tmp_path / "too"
    )
    with pytest.raises(ExperimentError, match="no run has logged it; log it: dvc repro -f"):
        tracking.register(model, "landmarks", tmp_path)


def test_params_that_the_model_was_not_trained_with_are_refused(
    model: Path, tmp_path: Path
) -> None:
    params = {"train.arch": "onet", "train.seed": 1, "train.learning_rate": "1e-3"}
    tracking.require_recipe(model, params | {"train.networks.cascade.width": 1})
    with pytest.raises(ConfigError, match=r"train.seed is 2, but .*model.pt was trained with 1"):
        tracking.require_recipe(model, params | {"train.seed": 2})
    (tmp_path / "text.pt").write_text("text", encoding="utf-8")
    with pytest.raises(ModelError, match=r"text.pt: not a checkpoint"):
        tracking.require_recipe(tmp_path / "text.pt", params)


def test_an_experiment_in_dvcs_own_folder_belongs_to_theproject_folder() -> None:
    assert project_folder(Path("/home/me/p/.dvc/tmp/exps/tmp1")) == Path("/home/me/p")
    assert project_folder(Path("/home/me/p")) == Path("/home/me/p")
