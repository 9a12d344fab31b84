"""The round trip of docs/how-to/correct.md: suspects are exported, a person moves a point in the
tool, the patch is written, and the stage `filter` uses it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

from facealign.core.faces import Faces
from facealign.data.annotations import read_pts
from facealign.inference.suspects import ranking
from facealign.inference.suspects.export import FILES
from stages import filter as stage
from tests.cli.running import run
from tests.data.test_filtering import add_face
from tests.helpers import PARAMS

WORST, OTHER, REST = "300W/test/b.png", "300W/train/a.png", "300W/train/c.png"
POINT, MOVE = 30, np.array([9, -4])  # what the person moves, and by how many pixels


def in_cvat(folder: Path) -> Path:
    """CVAT exports a zip archive with the images, and rounds to hundredths."""
    tree = ElementTree.parse(folder / FILES["cvat"])
    image = next(one for one in tree.iter("image") if one.get("name") == WORST)
    for point in tree.iter("points"):
        x, y = (float(number) for number in point.attrib["points"].split(","))
        if point in image.iter("points") and point.get("label") == str(POINT + 1):
            x, y = x + MOVE[0], y + MOVE[1]
        point.set("points", f"{x:.2f},{y:.2f}")
    with zipfile.ZipFile("corrected.zip", "w") as archive:
        archive.writestr("annotations.xml", ElementTree.tostring(tree.getroot()))
        archive.write(folder / WORST, f"images/{WORST}")
    return Path("corrected.zip")


def in_label_studio(folder: Path) -> Path:
    """Label Studio exports one file, in which tasks and annotations have more keys."""
    tasks = json.loads((folder / FILES["label-studio"]).read_text(encoding="utf-8"))
    for number, task in enumerate(tasks, start=1):
        [annotation] = task["annotations"]
        annotation |= {"id": 10 + number, "completed_by": 1, "was_cancelled": False}
        task |= {"id": number, "predictions": [], "project": 3, "inner_id": number}
        if task["data"]["image"].endswith(WORST):
            [value] = [
                part["value"]
                for part in annotation["result"]
                if part["value"].get("keypointlabels") == [str(POINT + 1)]
            ]
            size = annotation["result"][0]["original_width"]
            value["x"] += 100 * MOVE[0] / size
            value["y"] += 100 * MOVE[1] / annotation["result"][0]["original_height"]
    path = Path("project-3-at-2026-01-01.json")
    path.write_text(json.dumps(tasks[::-1]), encoding="utf-8")
    return path


def in_imglab(folder: Path) -> Path:
    """imglab writes over the file beside the images."""
    path = folder / FILES["imglab"]
    tree = ElementTree.parse(path)
    image = next(one for one in tree.iter("image") if one.get("file") == WORST)
    [part] = [one for one in image.iter("part") if one.get("name") == str(POINT)]
    for axis, by in zip("xy", MOVE.tolist(), strict=True):
        part.set(axis, str(int(part.attrib[axis]) + by))
    tree.write(path)
    return folder


TOOLS: dict[str, tuple[Callable[[Path], Path], float]] = {  # and by how much each of them rounds
    "cvat": (in_cvat, 0.006),
    "label-studio": (in_label_studio, 1e-9),
    "imglab": (in_imglab, 0.5),
}


@pytest.fixture
def before(tmp_path: Path, face: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> Faces:
    """A project's folder is the current one; its table after the stage `filter`."""
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate((WORST, OTHER, REST)):
        add_face(Path("data/faces"), name.removesuffix(".png"), face + 100 + number / 3)
    names = [WORST, OTHER]
    ranked = Faces.of(
        names,
        **{name: np.array([2.0, 1.0]) for name in ("rank", "score", "distance", "usual")},
        **{name: ["unclear", "fits"] for name in ("kind", "other")},
        points=np.stack([face + 103] * 2),
    )
    ranked.write(Path("data/suspects.csv"), *ranking.COLUMNS)
    Path("data/patches").mkdir()
    return filtered([])


def filtered(names: list[str]) -> Faces:
    """The table of the stage `filter` with these patches."""
    params = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
    params["data"] |= {"datasets": ["300W"], "patches": names}
    Path("params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    outs = [Path(name) for name in ("index", "dropped", "scheme", "counts")]
    stage.main(Path("data/faces"), Path("schemes"), Path("data/patches"), *outs)
    return Faces.read(Path("index"))


@pytest.mark.parametrize("form", FILES)
def test_a_point_moved_in_the_tool_is_moved_in_training(
    before: Faces, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    correct, limit = TOOLS[form]
    words = ("labels", "suspects", "data/suspects.csv", "out", "--format", form)
    assert run(capsys, *words)[0] == 0
    patch = "data/patches/first.csv"
    status, out, _ = run(capsys, "labels", "apply", correct(Path("out")), "--out", patch)
    assert status == 0 and out.endswith(f"{form}: faces: 2, changed: 1\n")
    assert out.startswith(f"{WORST}: points moved: 1, by ")

    after = filtered([patch])
    assert after.images == before.images == [WORST, OTHER, REST]
    expected = before.points.copy()
    np.testing.assert_allclose(after.points[0, POINT], expected[0, POINT] + MOVE, atol=limit)
    expected[0, POINT] = after.points[0, POINT]
    np.testing.assert_array_equal(after.points, expected)  # nobody moved any other
    counts = json.loads(Path("counts").read_text(encoding="utf-8"))["300W"]
    assert (counts["test"]["patched"], counts["train"]["patched"]) == (1, 0)
    np.testing.assert_array_equal(read_pts(Path("data/faces/300W/test/b.pts")), before.points[0])
