"""The stages, one after the other, on faces of other schemes than iBUG's 68 points."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from facealign import Aligner
from facealign.core import points
from facealign.core.faces import Faces
from facealign.core.points import COUNT, scheme_of
from facealign.data.annotations import format_pts, read_pts
from facealign.export import landmarks as export
from facealign.inference import folders, weights
from facealign.inference.network import Network
from facealign.synthesis.pictures import plan_pictures, render
from facealign.training import checkpoint
from stages import (
    ced,
    crop,
    detect,
    dlib_baseline,
    dlib_train,
    label,
    predict,
    report,
    show,
    suspects,
    train,
)
from stages import filter as filtering
from tests.helpers import PARAMS, ROOT, as_wflw

pytestmark = pytest.mark.slow
PICTURES = 24
# dlib's predictor trained on the same faces, quickly
SMALL = {"train": True, "cascade_depth": 3, "num_trees_per_cascade_level": 20, "tree_depth": 2}
Convert = Callable[[np.ndarray], np.ndarray]
Pictures = list[tuple[str, bytes, np.ndarray]]


def as_corners(ibug: np.ndarray) -> np.ndarray:
    """The eight points of schemes/example.yaml."""
    return ibug[..., [36, 39, 42, 45, 30, 48, 54, 8], :]


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    plans = [plan for plan in plan_pictures(PICTURES, 3) if plan.point_count == COUNT]
    return [(plan.name, *render(plan)) for plan in plans]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the stages run; no user's scheme is known there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(points, "_own", {})
    return tmp_path


def run(folder: Path, pictures: Pictures, convert: Convert, **changes: dict[str, Any]) -> None:
    """All stages from `filter` on, with faces whose points are converted."""
    for name, picture, ibug in pictures:
        path = folder / "faces" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture)
        path.with_suffix(".pts").write_text(format_pts(convert(ibug)), encoding="utf-8")
    shutil.copytree(ROOT / "schemes", folder / "schemes", dirs_exist_ok=True)
    params = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
    params["train"] |= {"epochs": 1, "validation": 0.3, "flip": 1.0}
    params["detect"] |= {"undetected": "truth"}
    params["predict"] |= {"flip": True}
    for section, values in changes.items():
        params[section] |= values
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    p = {name: Path(name) for name in ("faces", "schemes", "index", "dropped", "boxes", "lost")}
    p |= {
        name: Path(name) for name in ("labels", "refused", "crops", "curve", "predicted", "others")
    }
    model, scheme = Path("model.pt"), Path("scheme.json")
    filtering.main(
        *(p["faces"], p["schemes"], Path("patches"), p["index"], p["dropped"]),
        *(scheme, Path("data.json")),
    )
    detect.main(p["faces"], p["index"], scheme, p["boxes"], p["lost"])
    label.main(p["faces"], Path(), scheme, p["labels"], p["refused"], Path("labels.json"))
    suspects.main(p["faces"], p["index"], scheme, p["boxes"], weights.FOLDER, Path("suspects"))
    crop.main(p["faces"], p["index"], scheme, p["boxes"], p["labels"], p["crops"])
    train.main(p["crops"], scheme, model, p["curve"], Path("speed.json"))
    predict.main(p["crops"], model, p["predicted"])
    dlib = Path("dlib.dat")
    dlib_train.main(p["faces"], p["index"], scheme, p["boxes"], p["labels"], dlib)
    dlib_baseline.main(p["faces"], p["index"], scheme, p["boxes"], dlib, p["others"])
    ced.main(
        *(p["index"], scheme, p["boxes"], p["predicted"], p["others"], p["curve"]),
        *(
            Path(f"{name}.json")
            for name in ("labels", "ced", "validation", "detection", "board", "copied")
        ),
        *map(Path, ("errors.csv", "curves", "regions", "curve2")),
    )
    show.main(p["faces"], p["index"], scheme, p["boxes"], p["predicted"], Path("faces.jpg"))
    report.main(
        *(p["faces"], p["index"], scheme, p["dropped"], p["boxes"], p["predicted"], p["others"]),
        *(p["curve"], Path("report.html"), Path("report.pdf")),
    )


def regions(method: str) -> list[str]:
    with Path("regions", f"{method}.csv").open(encoding="utf-8", newline="") as file:
        return [row["region"] for row in csv.DictReader(file)]


def figures() -> dict[str, Any]:
    values: dict[str, Any] = json.loads(Path("ced.json").read_text(encoding="utf-8"))["all"]
    return values


def test_98_points_flow_through_all_stages(folder: Path, pictures: Pictures) -> None:
    judges = [f"{weights.FOLDER}/open-small.onnx"]
    given: dict[str, dict[str, Any]] = {
        "data": {"points": 98},
        "train": {"points": 98},
        "suspects": {"networks": judges},
        "dlib": SMALL,
    }
    run(folder, pictures, as_wflw, **given)
    index, predicted = Faces.read(Path("index")), Faces.read(Path("predicted"))
    assert len(index) == len(pictures) and index.points.shape[1:] == (98, 2)
    ranked = Faces.read(Path("suspects"), "distance")
    assert sorted(ranked.images) == sorted(index.images)
    assert ranked.points.shape == index.points.shape and np.median(ranked["distance"]) < 0.05
    assert predicted.points.shape[1:] == (98, 2)
    assert Faces.read(Path("others", "dlib.csv")).points.shape[1:] == (68, 2)
    assert Faces.read(Path("others", "dlib-trained.csv")).points.shape[1:] == (98, 2)
    # dlib is measured on the 68 points that the 98 give, and the others beside it
    assert list(figures()) == ["model", "dlib", "dlib-trained"]
    assert figures()["dlib"]["nme"] < 0.06 and figures()["model"]["nme"] < 0.3
    assert figures()["dlib-trained"]["nme"] < 0.2  # of so few faces
    assert "dlib, trained here" in Path("report.html").read_text(encoding="utf-8")
    assert (
        regions("model")
        == regions("dlib")
        == regions("dlib-trained")
        == ["jaw", "brows", "nose", "eyes", "mouth"]
    )

    export.export_checked(Path("model.pt"), Path("model.onnx"), flip=True)
    aligner, image = Aligner("model.onnx", "dlib"), str(Path("faces", predicted.images[0]))
    [face] = aligner.predict(image)
    assert face.points.shape == (98, 2) and face.pose is not None
    for form, out in (("pts", "pts"), ("csv", "table.csv")):
        assert folders.predict([image], form, Path(out), False, aligner) == 0
    [row] = csv.DictReader(Path("table.csv").read_text(encoding="utf-8").splitlines())
    assert float(row["x97"]) == pytest.approx(face.points[97, 0], abs=1e-3) and "x98" not in row
    [written] = Path("pts").glob("*.pts")
    np.testing.assert_array_equal(read_pts(written), face.points)
    assert folders.align([image], 5, 64, Path("aligned"), aligner) == 0


def test_98_points_teach_68_as_those_68_do(folder: Path, pictures: Pictures) -> None:
    learnt = []
    for count, convert in ((68, np.asarray), (98, as_wflw)):
        shutil.rmtree(folder / ".training", ignore_errors=True)
        run(folder, pictures, convert, data={"points": count}, train={"points": 68})
        learnt.append(Path("predicted").read_bytes())
    assert learnt[0] == learnt[1]


def test_a_users_scheme_flows_through_all_stages(
    folder: Path, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {"points": "schemes/example.yaml"}
    run(folder, pictures, as_corners, data=named, train=named)
    predicted = Faces.read(Path("predicted")).points
    assert predicted.shape[1:] == (8, 2)
    assert (predicted[:, 0, 0] < predicted[:, 3, 0]).mean() > 0.8  # the flips kept the sides
    assert figures()["dlib"]["nme"] < 0.06 and figures()["model"]["nme"] < 0.3  # of five points
    export.export_checked(Path("model.pt"), Path("model.onnx"))
    # both files carry the scheme, wherever they are used
    for load in (checkpoint.load, Network):
        monkeypatch.setattr(points, "_own", {})
        load(Path(f"model.{'onnx' if load is Network else 'pt'}"))
        assert scheme_of(8).name == "corners"


def test_a_scheme_without_the_five_points_leaves_dlib_out(folder: Path, pictures: Pictures) -> None:
    example = yaml.safe_load((ROOT / "schemes" / "example.yaml").read_text(encoding="utf-8"))
    (folder / "schemes").mkdir()
    (folder / "schemes" / "mine.yaml").write_text(yaml.safe_dump(example | {"five": []}))
    data, detect = {"points": "schemes/mine.yaml"}, {"undetected": "skip"}
    run(folder, pictures, as_corners, data=data, train={"points": 8}, detect=detect)
    assert Path("dlib.dat").read_bytes() == b""
    assert list(figures()) == ["model"] and regions("model") == ["eyes", "mouth", "rest"]
    assert "dlib is not compared" in Path("report.html").read_text(encoding="utf-8")
