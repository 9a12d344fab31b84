"""`facealign bench`."""

import json
from pathlib import Path

import numpy as np
import pytest

from facealign import Box
from facealign.detectors import DETECTORS, Named
from facealign.inference import benchmark
from facealign.inference.weights import released
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
    assert set(figures["steps"]) == {*released(), "dlib"}
    for taken in figures["steps"].values():
        assert 0 < taken["landmarks_ms"] < taken["picture_ms"]
        assert taken["picture_ms"] == pytest.approx(
            taken["detector_ms"] + taken["landmarks_ms"], rel=0.6
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


def test_bench_compares_all_detectors(
    measured: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def whole(image: np.ndarray, doublings: int) -> list[Box]:
        return [Box.of_picture(image.shape[1], image.shape[0])]

    monkeypatch.setitem(DETECTORS, "whole", Named(whole))
    words = ["bench", "--detectors", measured, "--model", "small"]
    status, said, err = run(capsys, *words, "--turned", "--json")
    assert status == 0
    assert "dropped: " in err and "bare.png: no bare.pts beside it" in err
    assert "few.png: 39 points, expected 68" in err
    views = json.loads(said)
    assert list(views) == ["unturned", "turned"]
    for view in views.values():
        assert view["images"] == 7  # the wall has points, too
        assert list(view["methods"])[:3] == ["fast", "dlib", "whole"]
        assert view["methods"]["whole"]["found"] == 7
        assert view["methods"]["fast"]["found"] == 6
        assert view["common"] == view["methods"]["dlib"]["found"]
    fast = views["unturned"]["methods"]["fast"]
    assert fast["wrong_rolls"] == 0 and fast["common_auc_08"] > 0.5
    status, said, _ = run(capsys, *words)
    assert status == 0 and said.startswith("7 images, unturned; landmarks by small\n\n| detector ")
    rows = [line.split() for line in said.splitlines() if line.startswith("| ")]
    assert [row[1] for row in rows[2:5]] == ["fast", "dlib", "whole"]
    assert rows[3][3:6] == ["6", "|", "1"] and "—" in rows[3]  # dlib gives no rolls
    assert said.endswith("Common: the 6 faces that every detector finds.\n\n")


def test_bench_names_what_it_cannot_compare(
    album: Path, measured: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said = run(capsys, "bench", "--detectors", tmp_path / "gone")[0]
    assert said == f"error: {tmp_path / 'gone'}: no such folder"
    said = str(run(capsys, "bench", "--detectors", album)[0])
    assert f"{album}: no face to measure on, expected a .pts beside a picture" in said
    words = ["bench", "--detectors", measured, "--model", "small", "--model", "cascade"]
    said = run(capsys, *words)[0]
    assert said == "error: --detectors compares with one network: give --model once"
    said = run(capsys, "bench", "--turned")[0]
    assert said == "error: --turned: expected --detectors DIR, too"
    said = run(capsys, "bench", "--detectors", measured, "--detector", "dlib")[0]
    assert said == "error: --detector: not with --detectors, which compares all of them"
