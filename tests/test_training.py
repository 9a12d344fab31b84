"""Training on small real crops: generated faces, cut by the pipeline's own code."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from facealign import checkpoint, cropping, metrics, prediction, training
from facealign.cropping import Crop, Crops, Located
from facealign.detection import box_from_points
from facealign.errors import FacealignError
from facealign.recipe import Train
from facealign.synthesis.pictures import plan_pictures, render

RECIPE = Train(
    arch="onet",
    loss="wing",
    wing_width=0.04,
    wing_curvature=0.01,
    epochs=2,
    batch=4,
    learning_rate=0.002,
    warmup=0.05,
    weight_decay=0.0,
    validation=0.5,
    seed=1,
    flip=0.5,
    rotation=20,
    scale=0.1,
    shift=0.05,
    colour=0.3,
)


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Crops:
    """Sixteen generated faces, two of them of the test split."""
    folder = tmp_path_factory.mktemp("faces")
    faces = []
    for number, plan in enumerate([p for p in plan_pictures(40, 3) if p.kind == "plain"][:16]):
        name = f"300W/{'test' if number < 2 else 'train'}/{number}.png"
        data, points = render(plan)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        cv2.imwrite(str(folder / name), picture)
        faces.append(Located(name, box_from_points(points), points))
    cropping.make_crops(folder, faces, Crop(48, 0.1, 0.25), folder / "crops")
    return cropping.load_crops(folder / "crops")


def test_onet_learns_eight_faces_by_heart(crops: Crops) -> None:
    share = next(s / 100 for s in range(1, 100) if len(learnt(crops, s / 100)) == 8)
    plain = dataclasses.replace(RECIPE, flip=0, rotation=0, scale=0, shift=0, colour=0)
    recipe = dataclasses.replace(plain, epochs=300, batch=8, validation=share)
    best, curve = training.train(crops, recipe)
    assert curve[-1].train_loss < curve[0].train_loss / 10
    # the faces learnt by heart are much nearer than those that only chose the epoch
    rows = learnt(crops, share)
    points = prediction.predict(best, crops, rows)
    truth = np.array([image_points(crops, row) for row in rows])
    sizes = crops.normalisers[rows] / crops.maps[rows, 0, 0]
    assert (metrics.mean_distances(points, truth) / sizes).mean() < best.validation_nme / 3


def learnt(crops: Crops, share: float) -> np.ndarray:
    try:
        return training.split_rows(crops, share)[0]
    except FacealignError:  # too small a share leaves none for validation
        return np.empty(0)


def test_the_same_recipe_gives_the_same_file_and_another_seed_another(
    crops: Crops, tmp_path: Path
) -> None:
    recipes = {"a": RECIPE, "b": RECIPE, "c": dataclasses.replace(RECIPE, seed=2)}
    for name, recipe in recipes.items():
        best, _ = training.train(crops, recipe)
        checkpoint.save(best, tmp_path / name)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_a_checkpoint_rebuilds_the_network_that_was_validated(crops: Crops, tmp_path: Path) -> None:
    best, curve = training.train(crops, RECIPE)
    checkpoint.save(best, tmp_path / "model.pt")
    loaded = checkpoint.load(tmp_path / "model.pt")
    assert loaded.recipe == dataclasses.asdict(RECIPE)
    _, held = training.split_rows(crops, RECIPE.validation)
    points = prediction.predict(loaded, crops, held)
    truth = np.array([image_points(crops, row) for row in held])
    sizes = crops.normalisers[held] / crops.maps[held, 0, 0]
    nme = float((metrics.mean_distances(points, truth) / sizes).mean())
    assert nme == pytest.approx(min(epoch.validation_nme for epoch in curve), rel=1e-5)


def image_points(crops: Crops, row: int) -> np.ndarray:
    linear, shift = crops.maps[row][:, :2], crops.maps[row][:, 2]
    return np.linalg.solve(linear, (crops.points[row] - shift).T).T


def test_validation_faces_stay_when_others_come() -> None:
    names = [f"300W/train/{number}.jpg" for number in range(2000)]
    chosen = [training.is_validation(name, 0.15) for name in names]
    assert 0.12 < np.mean(chosen) < 0.18
    # a larger share only adds
    assert all(
        training.is_validation(n, 0.3) for n, held in zip(names, chosen, strict=True) if held
    )


def test_the_test_split_is_neither_learnt_from_nor_validated_on(crops: Crops) -> None:
    learn, held = training.split_rows(crops, 0.5)
    assert sorted([*learn, *held]) == list(range(2, 16))


def test_a_share_that_leaves_nothing_is_an_error(crops: Crops) -> None:
    with pytest.raises(FacealignError, match="of 14 train faces 0 are for validation"):
        training.split_rows(crops, 0.0)


def test_a_loss_that_is_no_number_says_what_to_change(crops: Crops) -> None:
    with pytest.raises(FacealignError, match=r"lower train.learning_rate \(1e\+20\)"):
        training.train(crops, dataclasses.replace(RECIPE, learning_rate=1e20, loss="l1"))


def test_a_network_refuses_crops_it_was_not_trained_on(crops: Crops) -> None:
    best, _ = training.train(crops, dataclasses.replace(RECIPE, epochs=1))
    other = dataclasses.replace(crops, stats=dataclasses.replace(crops.stats, margin=0.2))
    with pytest.raises(FacealignError, match="trained on other crops"):
        prediction.predict(best, other, np.array([0]))


def test_a_file_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    path.write_text("not a model", encoding="utf-8")
    with pytest.raises(FacealignError, match="not a checkpoint"):
        checkpoint.load(path)
    torch.save({"weights": {}}, path)
    with pytest.raises(FacealignError, match="not a checkpoint"):
        checkpoint.load(path)


def test_an_unknown_device_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEALIGN_DEVICE", "abacus")
    with pytest.raises(FacealignError, match="no device 'abacus' here"):
        prediction.choose_device()
