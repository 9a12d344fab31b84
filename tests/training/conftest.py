"""Small real crops: generated faces, cut by the pipeline's own code."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign.core.faces import Faces
from facealign.faces import cropping
from facealign.faces.cropping import Crop, Crops
from facealign.faces.detection import box_from_points
from facealign.synthesis.pictures import plan_pictures, render


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The crops of sixteen generated faces, two of them of the test split."""
    folder = tmp_path_factory.mktemp("faces")
    names, truth = [], []
    for number, plan in enumerate([p for p in plan_pictures(40, 3) if p.kind == "plain"][:16]):
        name = f"300W/{'test' if number < 2 else 'train'}/{number}.png"
        data, points = render(plan)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        cv2.imwrite(str(folder / name), picture)
        names.append(name)
        truth.append(points)
    boxes = np.array([box_from_points(points).corners for points in truth])
    faces = Faces.of(
        names,
        box=boxes,
        points=np.array(truth),
        weight=np.ones(len(names)),
        source=["truth"] * len(names),
    )
    cropping.make_crops(folder, faces, Crop("face", 48, 0.1, 0.25), folder / "crops")
    return folder / "crops"


@pytest.fixture(scope="session")
def crops(folder: Path) -> Crops:
    return cropping.load_crops(folder)
