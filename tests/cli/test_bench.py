"""`facealign bench`."""

import json

import pytest

from facealign.inference import benchmark
from tests.cli.running import run


@pytest.mark.slow
def test_bench_times_network_and_dlib_on_the_same_faces(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "FRAMES", 14)
    monkeypatch.setenv("FACEALIGN_WORKERS", "2")
    small = ["bench", "--faces", 2, "--pictures", 4]
    figures = json.loads(run(capsys, *small, "--json")[1])
    assert figures["faces"] == 2 and figures["pictures"] == 4
    assert set(figures["pictures_per_second"]) == {"1", "2"}
    assert set(figures["steps"]) == {"cascade", "small", "dlib"}
    for taken in figures["steps"].values():
        assert 0 < taken["landmarks_ms"] < taken["picture_ms"]
        assert taken["picture_ms"] == pytest.approx(
            taken["detector_ms"] + taken["landmarks_ms"], rel=0.3
        )
    assert figures["steps"]["dlib"]["megabytes"] == pytest.approx(99.7, abs=0.1)
    assert set(figures["video"]) == {
        "cascade, each_frame",
        "cascade, followed",
        "cascade, smoothed",
        "dlib, each_frame",
    }
    assert figures["import_ms"] < figures["ready_ms"]
    _, table, _ = run(capsys, *small, "--model", "cascade")
    assert "| cascade |" in table and "a second by 2 processes." in table
