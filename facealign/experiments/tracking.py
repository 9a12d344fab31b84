"""One MLflow run for each experiment, written from the files that the pipeline has made.

It is the last stage: training never waits for a server, and a server that is down causes a warning,
not a failure.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facealign.core.config import flatten
from facealign.core.errors import ExperimentError
from facealign.core.files import sha256

EXPERIMENT = "facealign"
MODEL_TAG = "model.sha256"
# by default MLflow would retry for many minutes
_TIMEOUTS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


@dataclass(frozen=True)
class Run:
    name: str
    tags: Mapping[str, str]
    params: Mapping[str, Any]
    epochs: Sequence[Mapping[str, float]]  # one mapping for each, with its number under "epoch"
    metrics: Mapping[str, float]
    artifacts: Sequence[Path]


def log(run: Run, store: Path) -> bool:
    """Write the run to MLFLOW_TRACKING_URI, or to an SQLite store in the folder `store`.

    Returns whether it succeeded; if not, a warning gives the reason.
    """
    _limit_retries()
    # imported here, because it takes seconds
    import mlflow
    from mlflow.entities import Metric

    try:
        client = mlflow.MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or local_uri(store))
        run_id = client.create_run(
            _experiment(client, store), run_name=run.name, tags=dict(run.tags)
        ).info.run_id
        now = time.time_ns() // 10**6
        points = [
            Metric(name, float(value), now, int(epoch["epoch"]))
            for epoch in run.epochs
            for name, value in epoch.items()
            if name != "epoch"
        ]
        points += [Metric(name, float(value), now, 0) for name, value in run.metrics.items()]
        for start in range(0, len(points), 1000):  # the most that a server accepts at once
            client.log_batch(run_id, metrics=points[start : start + 1000])
        for name, value in run.params.items():
            client.log_param(run_id, name, value)
        for path in run.artifacts:
            client.log_artifact(run_id, str(path))
        client.set_terminated(run_id)
    except Exception as error:  # a server or its network may raise anything
        logging.getLogger(__name__).warning("MLflow: the run was not logged: %s", error)
        return False
    return True


def register(model: Path, name: str, store: Path) -> str:
    """Register the model, from the newest run that logged it; returns the version of `name`."""
    _limit_retries()
    import mlflow
    from mlflow.exceptions import MlflowException

    client = mlflow.MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or local_uri(store))
    try:
        found = client.get_experiment_by_name(EXPERIMENT)
        query = f"tags.`{MODEL_TAG}` = '{sha256(model)}'"
        runs = client.search_runs([found.experiment_id], query, max_results=1) if found else []
        if not runs:
            raise ExperimentError(f"{model}: no run has logged it; log it: dvc repro -f -s track")
        [run] = runs
        try:
            client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        for version in client.search_model_versions(f"name = '{name}'"):
            if version.tags.get(MODEL_TAG) == run.data.tags[MODEL_TAG]:
                return str(version.version)  # already registered
        source, tags = f"{run.info.artifact_uri}/{model.name}", dict(run.data.tags)
        version = client.create_model_version(name, source, run.info.run_id, tags=tags)
    except MlflowException as error:
        raise ExperimentError(f"MLflow: {error.message}") from None
    return str(version.version)


def _limit_retries() -> None:
    for name, value in _TIMEOUTS.items():
        os.environ.setdefault(name, value)


def local_uri(store: Path) -> str:
    return f"sqlite:///{store.resolve() / 'mlflow.db'}"


def speed_of(file: Path, model: Path) -> dict[str, float]:
    """The training speed of this model; empty if the model came from DVC's cache."""
    if not file.is_file():
        return {}
    measured = json.loads(file.read_text(encoding="utf-8"))
    if measured["model_sha256"] != sha256(model):
        return {}
    return flatten({"train": measured["train"]})


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


def _experiment(client: Any, store: Path) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    remote = os.environ.get("MLFLOW_TRACKING_URI")
    place = None if remote else (store.resolve() / "mlruns").as_uri()
    return str(client.create_experiment(EXPERIMENT, artifact_location=place))
