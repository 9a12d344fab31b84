import logging
from pathlib import Path

import pytest

from facealign.experiments import tracking
from facealign.experiments.tracking import project_folder


def test_a_server_that_is_down_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with caplog.at_level(logging.WARNING):
        assert not tracking.log(tracking.Run("x", {}, {}, [], {}, []), tmp_path)
    assert "the run was not logged" in caplog.text


def test_an_experiment_in_dvcs_own_folder_belongs_to_theproject_folder() -> None:
    assert project_folder(Path("/home/me/p/.dvc/tmp/exps/tmp1")) == Path("/home/me/p")
    assert project_folder(Path("/home/me/p")) == Path("/home/me/p")
