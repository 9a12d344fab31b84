"""Training on small real crops: generated faces, cut by the pipeline's own code."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from facealign.core import config
from facealign.core.errors import ConfigError, ModelError, TrainingError
from facealign.core.files import sha256
from facealign.core.points import MIRROR
from facealign.evaluation import metrics
from facealign.faces.cropping import Crops
from facealign.models import cascade
from facealign.training import checkpoint, loop, prediction
from facealign.training.device import choose_device
from facealign.training.prediction import Predict
from facealign.training.recipe import Train
from facealign.training.split import shares, split_rows
from facealign.training.state import State
from tests.helpers import PARAMS, ROOT

RECIPE = dataclasses.replace(
    config.load("train", Train, PARAMS),
    arch="onet",
    loss="wing",
    epochs=2,
    batch=4,
    weight_decay=0.0,
    validation=0.5,
    cover=0.3,
)
CASCADE = {"cascade": cascade.Options(dropout=0.2)}

PLAIN = Predict(flip=False)


@pytest.mark.slow
def test_onet_learns_eight_faces_by_heart(crops: Crops) -> None:
    share = next(s / 100 for s in range(1, 100) if len(learnt(crops, s / 100)) == 8)
    plain = dataclasses.replace(
        RECIPE, flip=0, rotation=0, scale=0, shift=0, colour=0, grey=0, blur=0, cover=0
    )
    # slowly, so that the best epoch on other faces is not one of the first
    slow = dataclasses.replace(plain, epochs=300, batch=8, learning_rate=0.0005)
    recipe = dataclasses.replace(slow, validation=share)
    trained = loop.train(crops, recipe)
    best, curve = trained.best, trained.curve
    assert curve[-1].train_loss < curve[0].train_loss / 10
    # the faces learnt by heart are much nearer than those that only chose the epoch
    rows = learnt(crops, share)
    points = prediction.predict(best, crops, rows, PLAIN)
    truth = np.array([image_points(crops, row) for row in rows])
    sizes = crops.normalisers[rows] / crops.maps[rows, 0, 0]
    assert (metrics.mean_distances(points, truth) / sizes).mean() < best.validation_nme / 2


def split(crops: Crops, **changes: object) -> tuple[np.ndarray, np.ndarray]:
    return split_rows(crops, dataclasses.replace(RECIPE, **changes))  # type: ignore[arg-type]


def learnt(crops: Crops, share: float) -> np.ndarray:
    try:
        return split(crops, validation=share)[0]
    except ConfigError:  # too small a share leaves none for validation
        return np.empty(0)


def test_the_same_recipe_gives_the_same_file_and_another_seed_another(
    crops: Crops, tmp_path: Path
) -> None:
    recipes = {"a": RECIPE, "b": RECIPE, "c": dataclasses.replace(RECIPE, seed=2)}
    for name, recipe in recipes.items():
        checkpoint.save(loop.train(crops, recipe).best, tmp_path / name)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_a_checkpoint_rebuilds_the_network_that_was_validated(crops: Crops, tmp_path: Path) -> None:
    trained = loop.train(crops, RECIPE)
    checkpoint.save(trained.best, tmp_path / "model.pt")
    loaded = checkpoint.load(tmp_path / "model.pt")
    assert loaded.recipe == RECIPE.used()
    _, held = split(crops)
    points = prediction.predict(loaded, crops, held, PLAIN)
    truth = np.array([image_points(crops, row) for row in held])
    sizes = crops.normalisers[held] / crops.maps[held, 0, 0]
    nme = float((metrics.mean_distances(points, truth) / sizes).mean())
    assert nme == pytest.approx(min(epoch.validation_nme for epoch in trained.curve), rel=1e-5)


def image_points(crops: Crops, row: int) -> np.ndarray:
    linear, shift = crops.maps[row][:, :2], crops.maps[row][:, 2]
    return np.linalg.solve(linear, (crops.points[row] - shift).T).T


def test_the_test_split_is_neither_learnt_from_nor_validated_on(crops: Crops) -> None:
    learn, held = split(crops)
    assert sorted([*learn, *held]) == list(range(2, 16))


def test_every_face_is_held_back_in_one_fold(crops: Crops) -> None:
    folds = [split(crops, validation=0.25, fold=fold)[1] for fold in range(4)]
    assert sorted(row for held in folds for row in held) == list(range(2, 16))
    said = "train.fold is 4: with train.validation 0.25 the last fold is 3"
    with pytest.raises(ConfigError, match=said):
        split(crops, validation=0.25, fold=4)


def test_extra_data_sets_are_learnt_from_whole(crops: Crops) -> None:
    images = [
        name.replace("300W", "more") if i % 2 else name for i, name in enumerate(crops.images)
    ]
    both = dataclasses.replace(crops, images=images)
    learn, held = split(both, extra=["more"])
    assert set(learn) >= set(range(3, 16, 2)) and not {row % 2 for row in held} - {0}
    assert set(held) == set(split(crops)[1]) & set(range(2, 16, 2))  # of the others as without it
    said = "train.extra: unknown data set 'mroe', did you mean more. Valid: 300W, more"
    with pytest.raises(ConfigError, match=said):
        split(both, extra=["mroe"])


def test_faces_labelled_by_a_network_are_never_validated_on(crops: Crops) -> None:
    sources = ["teacher" if row % 2 else "upsample 0" for row in range(16)]
    learn, held = split(dataclasses.replace(crops, sources=sources))
    assert set(learn) >= set(range(3, 16, 2)) and not {row % 2 for row in held} - {0}


def test_faces_are_repeated_by_data_set_and_weight(crops: Crops) -> None:
    images = [
        name.replace("300W", "more") if i % 2 else name for i, name in enumerate(crops.images)
    ]
    weights = np.where(np.arange(16) < 8, 1.0, 0.5)
    both = dataclasses.replace(crops, images=images, weights=weights)
    recipe = dataclasses.replace(RECIPE, repeat=["more:2.5"])
    assert shares(both, np.array([2, 3, 8, 9]), recipe).tolist() == [1, 2.5, 0.5, 1.25]


@pytest.mark.parametrize(
    ("repeat", "said"),
    [
        (["mroe:2"], "unknown data set 'mroe'. Valid: 300W"),
        (["300W"], "'300W', expected each data set once, with a number"),
        (["300W:-1"], "'300W:-1', expected"),
        (["300W:1e9"], "'300W:1e9', expected"),
        (["300W:2", "300W:3"], "'300W:3', expected each data set once"),
    ],
)
def test_a_wrong_repetition_is_an_error(crops: Crops, repeat: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=f"train.repeat: .*{said}"):
        split(crops, repeat=repeat)


def test_a_repetition_that_leaves_nothing_is_an_error(crops: Crops) -> None:
    recipe = dataclasses.replace(RECIPE, repeat=["300W:0"])
    with pytest.raises(ConfigError, match="no face is left to train on"):
        shares(crops, np.array([2, 3]), recipe)


def test_a_share_that_leaves_nothing_is_an_error(crops: Crops) -> None:
    with pytest.raises(ConfigError, match="of 14 train faces 0 are for validation and 14 for"):
        split(crops, validation=0)


def test_a_loss_that_is_no_number_says_what_to_change(crops: Crops) -> None:
    with pytest.raises(TrainingError, match=r"lower train.learning_rate \(1e\+20\)"):
        loop.train(crops, dataclasses.replace(RECIPE, learning_rate=1e20, loss="l1"))


def test_a_network_refuses_crops_it_was_not_trained_on(crops: Crops) -> None:
    best = loop.train(crops, dataclasses.replace(RECIPE, epochs=1)).best
    other = dataclasses.replace(crops, stats=dataclasses.replace(crops.stats, margin=0.2))
    with pytest.raises(ModelError, match="trained on other crops"):
        prediction.predict(best, other, np.array([0]), PLAIN)


def test_a_file_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    path.write_text("not a model", encoding="utf-8")
    with pytest.raises(ModelError, match="not a checkpoint"):
        checkpoint.load(path)
    torch.save({"weights": {}}, path)
    with pytest.raises(ModelError, match="not a checkpoint"):
        checkpoint.load(path)


def test_an_unknown_device_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEALIGN_DEVICE", "abacus")
    with pytest.raises(ConfigError, match="no device 'abacus' here"):
        choose_device()


@pytest.mark.parametrize("count", ["0", "-1", "two", "9" * 5000])
def test_a_wrong_number_of_threads_is_an_error(monkeypatch: pytest.MonkeyPatch, count: str) -> None:
    monkeypatch.setenv("FACEALIGN_THREADS", count)
    with pytest.raises(ConfigError, match=r"FACEALIGN_THREADS: .*expected an integer from 1"):
        choose_device()


TRAINING = """
import os, sys, tempfile
from pathlib import Path
if sys.argv[2] == "one core":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from facealign.core.files import sha256
from facealign.faces import cropping
from facealign.training import checkpoint, loop
from tests.training.test_loop import RECIPE
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "model.pt"
    checkpoint.save(loop.train(cropping.load_crops(Path(sys.argv[1])), RECIPE).best, path)
    print(sha256(path))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_the_weights_depend_neither_on_cores_nor_on_omp_threads(
    crops: Crops, folder: Path, tmp_path: Path
) -> None:
    def trained(omp: str, cores: str) -> str:
        counts = {"OMP_NUM_THREADS": omp, "OPENBLAS_NUM_THREADS": omp, "FACEALIGN_THREADS": "2"}
        done = subprocess.run(
            [sys.executable, "-c", TRAINING, str(folder), cores],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            cwd=ROOT,
            env=os.environ | counts,
        )
        return done.stdout.strip()

    with_two = trained("1", "all cores")
    assert trained("4", "one core") == with_two
    checkpoint.save(loop.train(crops, RECIPE).best, tmp_path / "model.pt")
    assert sha256(tmp_path / "model.pt") != with_two  # with one thread


@pytest.mark.parametrize("arch", ["onet", "cascade"])
def test_a_resumed_training_ends_where_an_uninterrupted_one_does(
    crops: Crops,
    tmp_path: Path,
    arch: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = dataclasses.replace(
        RECIPE, arch=arch, epochs=4, precision="bfloat16", networks=CASCADE
    )
    whole = loop.train(crops, recipe)
    save = State.save

    def killed(now: State, path: Path) -> None:
        save(now, path)
        if len(now.curve) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(State, "save", killed)
        loop.train(crops, recipe, tmp_path / "states")
    resumed = loop.train(crops, recipe, tmp_path / "states")
    assert "resumed after epoch 2" in capsys.readouterr().err
    assert resumed.curve == whole.curve
    for name, trained in (("whole", whole), ("resumed", resumed)):
        checkpoint.save(trained.best, tmp_path / name)
    assert (tmp_path / "resumed").read_bytes() == (tmp_path / "whole").read_bytes()
    # the state stays until other trainings need its place: outputs that are lost cost no epoch
    monkeypatch.setattr(loop, "descend", None)
    again = loop.train(crops, recipe, tmp_path / "states")
    checkpoint.save(again.best, tmp_path / "again")
    assert again.curve == whole.curve and again.speed == resumed.speed
    assert (tmp_path / "again").read_bytes() == (tmp_path / "whole").read_bytes()


def test_patience_ends_a_training_that_gets_no_better(crops: Crops) -> None:
    idle = dataclasses.replace(RECIPE, learning_rate=0.0, epochs=9, patience=3)
    assert [epoch.epoch for epoch in loop.train(crops, idle).curve] == [1, 2, 3, 4]


def test_the_average_is_what_is_validated_and_kept(crops: Crops) -> None:
    last, averaged = (
        loop.train(crops, dataclasses.replace(RECIPE, epochs=3, ema=ema)) for ema in (0, 0.9)
    )
    # the steps are the same, and so are their losses
    assert [e.train_loss for e in last.curve] == [e.train_loss for e in averaged.curve]
    assert last.curve[-1].validation_nme != averaged.curve[-1].validation_nme


def test_the_speed_counts_the_faces_learnt_from(crops: Crops) -> None:
    trained = loop.train(crops, RECIPE)
    learn, _ = split(crops)
    assert trained.speed.faces == 2 * len(learn)
    figures = trained.speed.figures()
    assert figures["faces_per_second"] > 0 and 0 <= figures["waiting_share"] <= 1
    assert trained.speed.total > trained.speed.seconds > 0


def test_five_points_are_learnt_and_predicted(crops: Crops) -> None:
    five = loop.train(crops, dataclasses.replace(RECIPE, points=5)).best
    assert five.mean_face.shape == (5, 2)
    points = prediction.predict(five, crops, np.array([0, 1]), PLAIN)
    assert points.shape == (2, 5, 2)
    none = prediction.predict(five, crops, np.empty(0, np.int64), PLAIN)
    assert none.shape == (0, 5, 2)


def test_flip_augmentation_flips_the_points_of_a_flipped_crop(crops: Crops) -> None:
    best = loop.train(crops, RECIPE).best
    flipped = dataclasses.replace(crops, pixels=np.ascontiguousarray(crops.pixels[:, :, ::-1]))
    network, codec = checkpoint.build(best, torch.device("cpu"))
    rows = np.arange(4)
    upright, turned = (
        prediction.crop_points(network, codec, one, rows, torch.device("cpu"), flip=True)
        for one in (crops, flipped)
    )
    expected = upright[:, MIRROR] * (-1, 1) + (crops.stats.size - 1, 0)
    np.testing.assert_allclose(turned, expected, atol=1e-3)


def test_a_halved_checkpoint_predicts_the_same_points_but_for_the_rounding(
    crops: Crops, tmp_path: Path
) -> None:
    best = loop.train(crops, RECIPE).best
    checkpoint.save(best, tmp_path / "whole.pt")
    checkpoint.save(checkpoint.halved(best), tmp_path / "half.pt")
    sizes = [(tmp_path / name).stat().st_size for name in ("half.pt", "whole.pt")]
    assert sizes[0] < 0.55 * sizes[1]
    rows = np.arange(4)
    whole, half = (
        prediction.predict(checkpoint.load(tmp_path / name), crops, rows, PLAIN)
        for name in ("whole.pt", "half.pt")
    )
    difference = np.abs(half - whole).max()
    assert 0 < difference < 0.1


class TestInit:
    @pytest.fixture
    def five(self, crops: Crops, tmp_path: Path) -> tuple[Path, str]:
        """A network for five points, as a file, and its hash."""
        path = tmp_path / "five.pt"
        best = loop.train(crops, dataclasses.replace(RECIPE, points=5, epochs=1)).best
        checkpoint.save(best, path)
        return path, sha256(path)

    def test_a_checkpoint_is_where_training_starts(
        self, crops: Crops, five: tuple[Path, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        path, digest = five
        still = dataclasses.replace(
            RECIPE, init=str(path), init_sha256=digest, learning_rate=0.0, ema=0, epochs=1
        )
        trained = loop.train(crops, still).best.weights
        given = checkpoint.load(path).weights
        assert torch.equal(trained["0.0.weight"], given["0.0.weight"])
        # 68 points need another last layer
        assert trained["3.weight"].shape != given["3.weight"].shape
        assert f"{len(given) - 2} of {len(given)} weights loaded" in capsys.readouterr().err

    def test_another_file_of_that_name_is_refused(
        self, crops: Crops, five: tuple[Path, str]
    ) -> None:
        path, digest = five
        wrong = dataclasses.replace(RECIPE, init=str(path), init_sha256="0" * 64)
        with pytest.raises(ConfigError, match=rf"train.init_sha256: .* has {digest}, expected"):
            loop.train(crops, wrong)

    def test_a_network_that_fits_nowhere_is_refused(
        self, crops: Crops, five: tuple[Path, str]
    ) -> None:
        path, digest = five
        other = dataclasses.replace(RECIPE, arch="cascade", init=str(path), init_sha256=digest)
        with pytest.raises(ConfigError, match=r"of .*five.pt \(onet\) fit this"):
            loop.train(crops, other)

    @pytest.mark.parametrize(
        ("init", "said"),
        [
            ("imagenet", "onet"),
            ("nowhere.pt", "'nowhere.pt' is neither none, imagenet, released nor a file"),
        ],
    )
    def test_what_is_not_there_is_named(self, crops: Crops, init: str, said: str) -> None:
        with pytest.raises(ConfigError, match=f"train.init: .*{said}"):
            loop.train(crops, dataclasses.replace(RECIPE, init=init))

    def test_released_weights_are_those_with_the_hash(self, crops: Crops) -> None:
        recipe = dataclasses.replace(RECIPE, init="released", init_sha256="0" * 64)
        there = checkpoint.RELEASED / "cascade.pt"
        said = f"released weights have it: .*cascade.pt has {sha256(there)}"
        with pytest.raises(ConfigError, match=said):
            loop.train(crops, recipe)


def test_a_hash_without_a_file_is_refused(crops: Crops) -> None:
    with pytest.raises(ConfigError, match=r"init_sha256 is set, but train.init is none"):
        loop.train(crops, dataclasses.replace(RECIPE, init_sha256="0" * 64))


def test_a_file_that_is_no_checkpoint_gets_no_advice_to_trust_it(tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("torch==2.13.0\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"text.pt: not a checkpoint of facealign, or damaged$"):
        checkpoint.load(tmp_path / "text.pt")


def test_the_narrowest_cascade_can_be_trained(crops: Crops) -> None:
    narrow = dataclasses.replace(
        RECIPE, arch="cascade", networks={"cascade": cascade.Options(width=16)}, epochs=1
    )
    assert loop.train(crops, narrow).best.epoch == 1


def test_a_loss_that_does_not_fit_the_network_is_refused(crops: Crops) -> None:
    with pytest.raises(ConfigError, match=r"train.loss: l2 compares heatmaps, .* Valid: euclid"):
        loop.train(crops, dataclasses.replace(RECIPE, loss="l2"))
