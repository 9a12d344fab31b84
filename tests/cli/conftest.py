"""Pictures and videos for the commands."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign.core import images
from facealign.data.annotations import format_pts
from facealign.inference import benchmark
from facealign.synthesis.film import film, swaying
from facealign.synthesis.pictures import plan_pictures, render


@pytest.fixture(scope="session")
def album(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """Two faces in one picture, one in a folder below, none in the third, a text in the fourth."""
    folder = tmp_path_factory.mktemp("альбом 1")
    (one, _), (two, _) = benchmark.portraits(2, seed=649)
    pictures = {
        "both.png": np.hstack([one, two]),
        "below/Эйлин К.png": astronaut[:300, 60:360],
        "nobody.png": np.full((120, 160, 3), 90, np.uint8),
    }
    (folder / "below").mkdir()
    for name, picture in pictures.items():
        cv2.imwrite(str(folder / name), picture[:, :, ::-1])
    (folder / "text.jpg").write_text("no picture", encoding="utf-8")
    (folder / "notes.txt").write_text("not looked at", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two thirds of a second of a person who moves."""
    path = tmp_path_factory.mktemp("clips") / "лицо 1.mp4"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30, (640, 480))
    for picture, _ in film(swaying, 20, seed=4):
        video.write(np.ascontiguousarray(picture[:, :, ::-1]))
    video.release()
    return path


@pytest.fixture(scope="session")
def cut_clip(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip in another format, of whose 20 frames the second half is missing."""
    path = tmp_path_factory.mktemp("clips") / "cut.avi"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (640, 480))
    capture = cv2.VideoCapture(str(clip))
    while (shot := capture.read())[0]:
        video.write(shot[1])
    video.release()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """Two data sets of generated faces with points, and pictures that are no use."""
    folder = tmp_path_factory.mktemp("measured")
    plans = [plan for plan in plan_pictures(80, 9, odd=0) if plan.kind == "plain"][:6]
    for number, plan in enumerate(plans):
        data, points = render(plan)
        path = folder / ("one" if number < 4 else "two") / f"{number}{Path(plan.name).suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        path.with_suffix(".pts").write_text(format_pts(points), encoding="utf-8")
    images.write(folder / "one" / "bare.png", astronaut)
    images.write(folder / "one" / "few.png", astronaut)
    (folder / "one" / "few.pts").write_text(format_pts(np.ones((39, 2))), encoding="utf-8")
    images.write(folder / "two" / "wall.png", np.full((200, 200, 3), 90, np.uint8))
    spread = np.random.default_rng(1).uniform(60, 140, (68, 2))
    (folder / "two" / "wall.pts").write_text(format_pts(spread), encoding="utf-8")
    return folder
