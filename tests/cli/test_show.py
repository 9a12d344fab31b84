"""`facealign show`."""

from pathlib import Path

import numpy as np
import pytest

from facealign.core import images
from facealign.data.annotations import format_pts
from tests.cli.running import run


def greens_and_reds(page: np.ndarray) -> tuple[int, int]:
    """How many pixels are of the colour of true points, and of predicted ones."""
    red, green, blue = (page[..., i].astype(int) for i in range(3))
    truth = (green - red > 90) & (green - blue > 90)
    predicted = (red - green > 110) & (red - blue > 110)
    return int(truth.sum()), int(predicted.sum())


def test_show_draws_true_points_and_a_networks_the_worst_first(
    measured: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, said, err = run(capsys, "show", measured, "--out", tmp_path / "truth")
    assert (status, said.split()) == (1, [str(tmp_path / "truth" / "faces_001.jpg")])
    flat = tmp_path / "flat"
    images.write(flat / "a.png", np.zeros((9, 9, 3), np.uint8))
    (flat / "a.pts").write_text(format_pts(np.ones((68, 2))), encoding="utf-8")
    said = str(run(capsys, "show", flat, "--out", tmp_path / "none")[0])
    assert "a.png: its points have no width, no height" in said
    assert "few.png: 39 points, expected 68" in err and "7 faces, 2 images left out" in err
    truth = images.read(tmp_path / "truth" / "faces_001.jpg")
    assert truth.shape == (2 * 192, 6 * 192, 3)
    said = str(run(capsys, "show", measured, "--largest", "--out", tmp_path / "none")[0])
    assert "--largest choose among found faces" in said and "has the true points" in said
    words = ["show", measured, "--model", "small", "--worst", "--out", tmp_path / "both"]
    assert run(capsys, *words)[0] == 1
    both = images.read(tmp_path / "both" / "faces_001.jpg")
    _, before = greens_and_reds(truth)
    green, red = greens_and_reds(both)
    assert green > 500 and red > before + 500
    # the wall has points and no face: not found is the worst of all, the first tile
    assert np.abs(both[20:150, 20:150].astype(int).mean() - 90) < 20


def test_show_detects_the_faces_of_pictures_without_points(
    album: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, _, err = run(capsys, "show", album, "--out", tmp_path)
    assert status == 1 and "text.jpg: not a picture" in err
    assert f"no face found: {album / 'nobody.png'}" in err
    assert "3 faces, 1 image left out" in err
    assert greens_and_reds(images.read(tmp_path / "faces_001.jpg"))[1] > 300
    assert "--worst sorts by a network's errors" in str(run(capsys, "show", album, "--worst")[0])
