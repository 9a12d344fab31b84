import dataclasses

import numpy as np
import pytest
import torch

from facealign.core import config
from facealign.core.points import select
from facealign.faces.cropping import Crops, Stats
from facealign.training.augment import Strength
from facealign.training.batches import Batches
from facealign.training.loop import point_targets
from facealign.training.recipe import Train
from tests.helpers import PARAMS

CPU = torch.device("cpu")
STATS = Stats(size=32, margin=0.1, border=8, mean=(120.0, 100.0, 90.0), std=(60.0, 50.0, 40.0))
RECIPE = dataclasses.replace(
    config.load("train", Train, PARAMS),
    batch=4,
    grey=0.3,
    blur=0.02,
    cover=0.5,
)


@pytest.fixture
def crops() -> Crops:
    rng = np.random.default_rng(0)
    return Crops(
        images=[f"300W/train/{i}.jpg" for i in range(10)],
        pixels=rng.integers(0, 256, (10, 48, 48, 3), np.uint8),
        maps=np.tile(np.eye(2, 3), (10, 1, 1)),
        points=rng.uniform(4, 28, (10, 68, 2)),
        normalisers=np.full(10, 25.0),
        weights=np.ones(10),
        sources=["upsample 0"] * 10,
        stats=STATS,
    )


def batches_of(
    crops: Crops,
    rows: np.ndarray,
    recipe: Train,
    shares: np.ndarray | None = None,
    part: slice = slice(None),
    device: torch.device = CPU,
) -> Batches:
    targets, strength = point_targets(crops, recipe.point_count), Strength.of(recipe)
    return Batches(
        crops.pixels,
        crops.stats,
        rows,
        targets,
        strength,
        recipe.batch,
        recipe.seed,
        device,
        shares,
        part,
    )


def run(batches: Batches, epoch: int) -> tuple[torch.Tensor, torch.Tensor]:
    inputs, points, _ = zip(*batches.epoch(epoch), strict=True)
    return torch.cat(inputs), torch.cat(points)


def test_an_epoch_has_every_face_once(crops: Crops) -> None:
    plain = dataclasses.replace(
        RECIPE, flip=0, rotation=0, scale=0, shift=0, colour=0, grey=0, blur=0, cover=0
    )
    batches = batches_of(crops, np.arange(2, 10), plain)
    sizes = [len(batch.targets) for batch in batches.epoch(0)]
    assert sizes == [4, 4]
    _, points = run(batches, 0)
    expected = torch.tensor(crops.points[2:], dtype=torch.float32)
    assert sorted(points[:, 0, 0].tolist()) == pytest.approx(sorted(expected[:, 0, 0].tolist()))


def test_an_epoch_has_each_face_as_often_as_its_share_says_on_average(crops: Crops) -> None:
    plain = dataclasses.replace(
        RECIPE, flip=0, rotation=0, scale=0, shift=0, colour=0, grey=0, blur=0, cover=0
    )
    shares = np.array([0.0, 0.3, 1.0, 2.5])
    batches = batches_of(crops, np.arange(4), plain, shares)
    counts = []
    for epoch in range(60):
        points = run(batches, epoch)[1].numpy()
        assert len(points) == batches.faces == 4  # 3.8, rounded
        same = np.isclose(points[:, None, 0, 0], crops.points[None, :4, 0, 0], atol=1e-4)
        counts.append(same.sum(axis=0))
    each = np.array(counts)
    assert each.mean(axis=0) == pytest.approx(shares * 4 / 3.8, abs=0.2)
    assert each[:, 0].max() == 0 and set(each[:, 2]) <= {1, 2} and set(each[:, 3]) <= {2, 3}


def test_an_epoch_is_the_same_each_time_and_no_other_is(crops: Crops) -> None:
    batches = batches_of(crops, np.arange(10), RECIPE)
    first, again, other = run(batches, 3), run(batches, 3), run(batches, 4)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[1], other[1])


@pytest.mark.parametrize("count", [2, 3])
def test_the_parts_of_batches_are_the_whole_batches(crops: Crops, count: int) -> None:
    whole = list(batches_of(crops, np.arange(10), RECIPE).epoch(0))
    parts = [
        list(batches_of(crops, np.arange(10), RECIPE, part=slice(rank, None, count)).epoch(0))
        for rank in range(count)
    ]
    assert [len(batch.targets) for batch in whole] == [4, 3, 3]
    for batch, *its in zip(whole, *parts, strict=True):
        assert batch.share == 1 and sum(part.share for part in its) == pytest.approx(1)
        for rank, part in enumerate(its):
            assert torch.equal(part.inputs, batch.inputs[rank::count])
            assert torch.equal(part.targets, batch.targets[rank::count])


def test_five_points_are_those_of_the_moved_face(crops: Crops) -> None:
    all_points = run(batches_of(crops, np.arange(10), RECIPE), 0)[1]
    five = run(batches_of(crops, np.arange(10), dataclasses.replace(RECIPE, points=5)), 0)[1]
    np.testing.assert_allclose(five, select(all_points.numpy(), 5), atol=1e-5)


def test_batches_made_in_the_devices_memory_are_those_that_opencv_makes(crops: Crops) -> None:
    on_cpu = batches_of(crops, np.arange(10), RECIPE)
    # a tensor device that is at hand everywhere stands for a GPU: only where the crops lie differs
    resident = batches_of(crops, np.arange(10), RECIPE)
    resident._resident = torch.from_numpy(crops.pixels)
    (inputs, points), (others, same) = run(on_cpu, 0), run(resident, 0)
    assert torch.equal(points, same)
    # two levels of 255, at most: OpenCV rounds after each step
    assert (inputs - others).abs().max() < 2.5 / 40 * 1.4


def test_crops_that_a_gpu_has_no_room_for_are_augmented_by_several_threads(
    crops: Crops, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, several = (batches_of(crops, np.arange(10), RECIPE) for _ in range(2))
    several._makers = 3
    (inputs, points), (others, same) = run(one, 0), run(several, 0)
    assert torch.equal(inputs, others) and torch.equal(points, same)
    monkeypatch.setattr("facealign.training.batches.has_room", lambda *_: False)
    # tensors without values stand for those of a GPU: only where they lie is looked at
    streamed = batches_of(crops, np.arange(10), RECIPE, device=torch.device("meta"))
    assert streamed._resident is None and streamed._makers >= 1
    for batch in streamed.epoch(0):
        assert batch.inputs.device.type == batch.targets.device.type == "meta"


def test_an_error_while_a_batch_is_made_reaches_the_training(crops: Crops) -> None:
    broken = dataclasses.replace(crops, pixels=crops.pixels[:5])
    with pytest.raises(IndexError):
        run(batches_of(broken, np.arange(10), RECIPE), 0)
