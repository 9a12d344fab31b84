"""One MLflow run for each experiment, written from the files that the pipeline has made.

It is the last stage: training never waits for a server, and a server that is down or slow causes a
warning, not a failure.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from facealign.core.config import flatten
from facealign.core.errors import ConfigError, ExperimentError, ModelError, TrainingError
from facealign.core.files import file_lock, read_json, sha256

EXPERIMENT = "facealign"
MODEL = "model"  # the run's folder with the model
MODEL_TAG = "model.sha256"
SECONDS = "FACEALIGN_MLFLOW_SECONDS"  # the variable for the time that logging may take
# for about 20 requests at 2 seconds each; a large model on a slow network needs more
DEFAULT_SECONDS = 60.0
# by default MLflow would retry for many minutes
_TIMEOUTS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
_WAITS = (0.5, 1, 2, 4, 8, None)  # seconds between attempts to create the experiment
# the most that a server accepts in one request; together they may be 1000
_MOST_METRICS, _MOST_PARAMS = 900, 100


@dataclass(frozen=True)
class Run:
    name: str
    tags: Mapping[str, str]
    params: Mapping[str, Any]
    epochs: Sequence[Mapping[str, float]]  # one mapping for each, with its number under "epoch"
    metrics: Mapping[str, float]
    artifacts: Sequence[Path]
    model: Path
    seconds: float = 0.0  # of the training; 0 if unknown
    data: tuple[str, str] | None = None  # the archive and its MD5, which dvc.lock names


def log(run: Run, store: Path) -> bool:
    """Write the run to MLFLOW_TRACKING_URI, or to an SQLite store in the folder `store`.

    Returns whether it succeeded; if not, a warning gives the reason.
    """
    limit = _seconds()
    # in a process of its own, which can be ended whatever MLflow waits for
    context = multiprocessing.get_context("spawn")
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=_log, args=(run, store, writer), daemon=True)
    process.start()
    writer.close()
    try:
        error = reader.recv() if reader.poll(limit) else f"not done after {limit:g} s ({SECONDS})"
    except EOFError:
        error = "the process that logs it was killed"
    process.kill()
    process.join()
    if error:
        logging.getLogger(__name__).warning("MLflow: the run was not logged: %s", error)
    return not error


def _seconds() -> float:
    text = os.environ.get(SECONDS, str(DEFAULT_SECONDS))
    try:
        if (seconds := float(text)) > 0:
            return seconds
    except ValueError:
        pass
    raise ConfigError(f"{SECONDS} is {text!r}, expected a positive number")


def _log(run: Run, store: Path, writer: Connection) -> None:
    """Log the run and send an error's message, or an empty one."""
    error = ""
    try:
        _write(run, store)
    except Exception as raised:  # a server or its network may raise anything
        error = str(raised) or type(raised).__name__
    writer.send(error)


def _write(run: Run, store: Path) -> None:
    experiment = _experiment(store)
    client, now = _client(store), time.time_ns() // 10**6
    from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param

    start = now - round(1000 * run.seconds)
    run_id = client.create_run(
        experiment, start_time=start, run_name=run.name, tags=dict(run.tags)
    ).info.run_id
    metrics = [
        Metric(name, float(value), now, int(epoch["epoch"]))
        for epoch in run.epochs
        for name, value in epoch.items()
        if name != "epoch"
    ]
    metrics += [Metric(name, float(value), now, 0) for name, value in run.metrics.items()]
    params = [Param(name, str(value)) for name, value in run.params.items()]
    while metrics or params:
        client.log_batch(run_id, metrics=metrics[:_MOST_METRICS], params=params[:_MOST_PARAMS])
        metrics, params = metrics[_MOST_METRICS:], params[_MOST_PARAMS:]
    if run.data:
        archive, digest = run.data
        source = json.dumps({"uri": archive, "revision": run.tags.get("dvc.revision", "")})
        data = Dataset(Path(archive).name, digest, "local", source)
        tags = [InputTag("mlflow.data.context", "training")]
        client.log_inputs(run_id, [DatasetInput(data, tags)])
    with tempfile.TemporaryDirectory() as folder:
        for path in run.artifacts:
            shutil.copy(path, folder)
        _save_model(run.model, Path(folder) / MODEL)
        client.log_artifacts(run_id, folder)
    client.set_terminated(run_id, end_time=now)


def _save_model(model: Path, folder: Path) -> None:
    """The model as MLflow loads and serves it: an image's RGB array to its faces' points."""
    import mlflow.pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    import facealign

    image = Schema([TensorSpec(np.dtype(np.uint8), (-1, -1, 3))])
    points = Schema([TensorSpec(np.dtype(np.float64), (-1, -1, 2))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no example of an image
        mlflow.pyfunc.save_model(
            folder,
            loader_module="facealign.experiments.served",
            data_path=str(model),
            signature=ModelSignature(image, points),
            pip_requirements=[f"facealign[pipeline]=={facealign.__version__}"],
        )


def register(model: Path, name: str, store: Path) -> str:
    """Register the model, from the newest finished run that logged it; returns the version."""
    digest, client = sha256(model), _client(store)
    from mlflow.exceptions import MlflowException

    try:
        found = client.get_experiment_by_name(EXPERIMENT)
        query = f"tags.`{MODEL_TAG}` = '{digest}' and attributes.status = 'FINISHED'"
        runs = client.search_runs([found.experiment_id], query) if found else []
        logged = (run for run in runs if client.list_artifacts(run.info.run_id, MODEL))
        run = next(logged, None)
        if run is None:
            raise ExperimentError(f"{model}: no run has logged it; log it: dvc repro -f -s track")
        try:
            client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        for version in client.search_model_versions(f"name = '{name}'"):
            if version.tags.get(MODEL_TAG) == digest:
                return str(version.version)  # already registered
        source, tags = f"{run.info.artifact_uri}/{MODEL}", dict(run.data.tags)
        version = client.create_model_version(name, source, run.info.run_id, tags=tags)
    except MlflowException as error:
        raise ExperimentError(f"MLflow: {error.message}") from None
    return str(version.version)


def _client(store: Path) -> Any:
    for name, value in _TIMEOUTS.items():
        os.environ.setdefault(name, value)
    # imported here, because it takes seconds
    import mlflow

    return mlflow.MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or local_uri(store))


def local_uri(store: Path) -> str:
    return f"sqlite:///{store.resolve() / 'mlflow.db'}"


def speed_of(file: Path, model_sha256: str) -> dict[str, float]:
    """The training speed of this model; empty if the model came from DVC's cache."""
    if not file.is_file():
        return {}
    measured = read_json(file)
    if not isinstance(measured, dict) or measured.get("model_sha256") != model_sha256:
        return {}
    return flatten({"train": measured["train"]})


def require_recipe(model: Path, params: Mapping[str, Any]) -> None:
    """Refuse params (by their full names) that the model was not trained with: params.yaml may
    have been changed while it was trained."""
    import torch

    try:
        values = torch.load(model, map_location="cpu", weights_only=True)
        recipe = flatten({"train": values["recipe"]})
    except OSError as error:
        raise ModelError(f"{model}: {error.strerror}") from None
    except Exception:  # torch raises many kinds of error
        raise ModelError(f"{model}: not a checkpoint of facealign") from None
    for name, value in recipe.items():
        given = params.get(name)
        # YAML reads 1e-3 as text
        if given != value and not (isinstance(given, str) and _number(given) == value):
            raise ConfigError(
                f"params.yaml: {name} is {given!r}, but {model} was trained with {value!r}: "
                "it was changed during the run; restore it and run again"
            )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def archive_of(lock: Path, archive: str) -> tuple[str, str] | None:
    """The archive and its MD5 as DVC has recorded it; None if it has not."""
    try:
        stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"]
        deps = {dep["path"]: dep["md5"] for dep in stages["extract"]["deps"]}
        return archive, deps[archive]
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return None


def names_and_tags(model_sha256: str) -> tuple[str, dict[str, str]]:
    """The name of the run, and what it says of its experiment, revision and model."""
    # DVC sets these two in experiments; a plain `dvc repro` is the workspace on top of HEAD
    experiment = os.environ.get("DVC_EXP_NAME") or "workspace"
    revision = os.environ.get("DVC_EXP_BASELINE_REV") or head_revision()
    return experiment, {
        "dvc.experiment": experiment,
        "dvc.revision": revision,
        MODEL_TAG: model_sha256,
        "mlflow.source.name": "dvc.yaml",
        "mlflow.source.type": "PROJECT",
        "mlflow.source.git.commit": revision,
    }


def head_revision() -> str:
    result = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return result.stdout.strip() or "no commit"


def project_folder(folder: Path) -> Path:
    """The folder of the project, also for an experiment that DVC runs in .dvc/tmp/exps/NAME."""
    for parent in folder.parents:
        if parent.parts[-3:] == (".dvc", "tmp", "exps"):
            return parent.parents[2]
    return folder


def _experiment(store: Path) -> str:
    """The experiment's number; the first run creates it, and the local database."""
    if os.environ.get("MLFLOW_TRACKING_URI"):
        return _find_or_create(store, None)
    folder = store.resolve() / "mlruns"
    # two processes that create the database at once can leave half of it
    with _wait_for_lock(folder / ".lock"):
        return _find_or_create(store, folder.as_uri())


@contextmanager
def _wait_for_lock(path: Path) -> Iterator[None]:
    """`log` ends this process if it waits for too long."""
    with ExitStack() as locked:
        while True:
            try:
                locked.enter_context(file_lock(path))
                break
            except TrainingError:  # another process has it
                time.sleep(0.1)
        yield


def _find_or_create(store: Path, place: str | None) -> str:
    for wait in _WAITS:
        try:
            client = _client(store)
            found = client.get_experiment_by_name(EXPERIMENT)
            if found is not None:
                return str(found.experiment_id)
            return str(client.create_experiment(EXPERIMENT, artifact_location=place))
        except Exception as error:  # of MLflow or of its database
            # two first runs at once: the other one has created it
            exists = getattr(error, "error_code", "") == "RESOURCE_ALREADY_EXISTS"
            if wait is None or not exists:
                raise
        time.sleep(wait)
    raise AssertionError("the last wait is None")
