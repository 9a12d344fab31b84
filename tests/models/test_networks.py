"""Every network passes the same tests; what they need to know is in its own file."""

import dataclasses
import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from skimage import data
from torch import nn

from facealign import models
from facealign.core import config
from facealign.core.errors import ConfigError, ModelError
from facealign.experiments import cost
from facealign.export import landmarks
from facealign.faces.cropping import Stats
from facealign.models import cascade, efficientnet, hourglass
from facealign.models.parts import efficientnet as blocks
from facealign.models.parts.codecs import make_codec
from facealign.models.parts.layers import ResNet18, Shape, Size, regression_head

every_network = pytest.mark.parametrize("name", models.names())

ENOUGH = 48  # pixels, for faces to differ; little, to be fast


def shape_of(name: str, points: int = 68) -> Shape:
    """At the smallest size of ENOUGH pixels that the network takes."""
    takes = models.file_of(name).SIZE
    size = max(takes.least, -(-ENOUGH // takes.step) * takes.step)
    share = torch.rand(points, 2, generator=torch.Generator().manual_seed(3))
    return Shape(size, share * size)


def inputs(size: int, count: int = 3) -> torch.Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.slow
@every_network
@pytest.mark.parametrize("points", [68, 5])
def test_the_output_decodes_to_the_points_of_each_face(name: str, points: int) -> None:
    shape = shape_of(name, points)
    network, codec_name = models.build(name, shape)
    codec = make_codec(codec_name, shape.size, shape.mean_face)
    with torch.no_grad():
        output = network.eval()(inputs(shape.size))
    decoded = codec.decode(output)
    assert decoded.shape == (3, points, 2)
    assert decoded.isfinite().all()
    assert not torch.equal(decoded[0], decoded[1])


@every_network
def test_the_gradient_reaches_every_weight(name: str) -> None:
    shape = shape_of(name)
    network, _ = models.build(name, shape)
    outputs = network.train()(inputs(shape.size))
    estimates = outputs if isinstance(outputs, tuple) else (outputs,)
    torch.stack([one.square().mean() for one in estimates]).sum().backward()  # type: ignore[no-untyped-call]
    for weight, value in network.named_parameters():
        assert value.grad is not None, weight
        assert value.grad.abs().sum() > 0, weight


@every_network
def test_each_face_is_seen_alone_in_eval_mode(name: str) -> None:
    shape = shape_of(name)
    network, _ = models.build(name, shape)
    images = inputs(shape.size)
    with torch.no_grad():
        together, alone = network.eval()(images)[1:2], network(images[1:2])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-4)


@every_network
def test_saved_weights_make_another_network_the_same(name: str) -> None:
    torch.manual_seed(1)
    shape = shape_of(name)
    first, _ = models.build(name, shape)
    second, _ = models.build(name, shape)
    images = inputs(shape.size)
    with torch.no_grad():
        assert not torch.equal(first.eval()(images), second.eval()(images))
        file = io.BytesIO()
        torch.save(first.state_dict(), file)
        file.seek(0)
        second.load_state_dict(torch.load(file, weights_only=True))
        assert torch.equal(first(images), second(images))


@every_network
def test_the_same_seed_builds_the_same_network(name: str) -> None:
    weights = []
    for _ in range(2):
        torch.manual_seed(7)
        network, _ = models.build(name, shape_of(name))
        assert network.training
        weights.append(torch.cat([value.flatten() for value in network.state_dict().values()]))
    assert torch.equal(*weights)


@every_network
def test_the_smallest_crop_is_the_one_that_the_error_names(name: str) -> None:
    size = models.file_of(name).SIZE
    network, _ = models.build(name, Shape(size.least, torch.zeros(5, 2)))
    with torch.no_grad():
        network.eval()(inputs(size.least))
    named = f"crop.size: {name} needs .* {max(size.least, size.step)} pixels, not {size.least - 1}"
    with pytest.raises(ConfigError, match=named):
        models.build(name, Shape(size.least - 1, torch.zeros(5, 2)))


@pytest.mark.parametrize(
    ("takes", "size", "said"),
    [
        (Size(least=26), 25, "at least 26 pixels, not 25"),
        (Size(least=32, step=32), 48, "a multiple of 32 pixels, not 48"),
        (Size(least=32, step=32), 0, "a multiple of 32 pixels, not 0"),
    ],
)
def test_a_size_that_a_network_does_not_take_is_refused(takes: Size, size: int, said: str) -> None:
    with pytest.raises(ConfigError, match=f"^crop.size: mine needs {said}$"):
        takes.check("mine", size)


@every_network
def test_the_options_have_defaults_within_their_ranges(name: str, tmp_path: Path) -> None:
    kind = models.options().get(name)
    if kind is not None:
        path = tmp_path / "params.yaml"
        path.write_text(json.dumps({"train": dataclasses.asdict(kind())}), encoding="utf-8")
        assert config.load("train", kind, path) == kind()


@every_network
def test_half_precision_runs(name: str) -> None:
    shape = shape_of(name)
    network, codec = models.build(name, shape)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        output = network.eval()(inputs(shape.size))
        decoded = make_codec(codec, shape.size, shape.mean_face).decode(output)
    assert decoded.dtype == torch.float32


@pytest.mark.slow
@every_network
def test_the_onnx_file_gives_the_same_points_for_any_number_of_crops(
    name: str, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    shape = shape_of(name)
    network, codec_name = models.build(name, shape)
    codec = make_codec(codec_name, shape.size, shape.mean_face)
    stats = Stats(shape.size, 0.1, 4, (120.0, 110.0, 100.0), (60.0, 61.0, 62.0))
    module = landmarks.FromCrops(network, codec, stats)
    landmarks.to_onnx(module, tmp_path / "model.onnx")
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]
    for count in (1, 5):
        side = shape.size
        crops = np.random.default_rng(count).integers(0, 256, (count, side, side, 3), np.uint8)
        assert landmarks.difference(tmp_path / "model.onnx", module, crops) < 1e-3


def test_the_hourglass_gives_an_estimate_a_stack_while_it_trains() -> None:
    network, _ = models.build(
        "hourglass", Shape(32, torch.zeros(5, 2)), hourglass.Options(stacks=3)
    )
    images = inputs(32)
    trained = network.train()(images)
    assert [one.shape for one in trained] == [(3, 5, 8, 8)] * 3
    assert network.eval()(images).shape == (3, 5, 8, 8)


def test_a_narrower_cascade_costs_less() -> None:
    shape = Shape(64, torch.zeros(5, 2))
    wide, narrow = (
        models.build("cascade", shape, cascade.Options(width=width))[0] for width in (48, 24)
    )
    assert cost.operations(narrow, 64) < 0.4 * cost.operations(wide, 64)
    assert narrow.eval()(inputs(64)).shape == (3, 5, 3)


def test_a_cascade_drops_out_only_while_it_trains() -> None:
    shape = Shape(64, torch.zeros(5, 2))
    network, _ = models.build("cascade", shape, cascade.Options(width=16, dropout=0.5))
    assert isinstance(network, cascade.Cascade)
    images, maps, offsets = inputs(64), torch.randn(3, 16, 16, 16), torch.zeros(3, 5, 2)
    assert not torch.equal(network.train()(images)[0], network(images)[0])
    for refine in network.looks:
        assert not torch.equal(refine(maps, offsets), refine(maps, offsets))
    assert torch.equal(network.eval()(images), network(images))
    # no state: weights trained without dropout load
    without, _ = models.build("cascade", shape, cascade.Options(width=16))
    assert network.state_dict().keys() == without.state_dict().keys()


@pytest.mark.parametrize(("size", "bottom"), [(32, 1), (128, 4), (256, 4), (288, 9)])
def test_the_hourglass_goes_down_to_few_cells(size: int, bottom: int) -> None:
    network, _ = models.build(
        "hourglass", Shape(size, torch.zeros(5, 2)), hourglass.Options(stacks=1)
    )
    sides: list[int] = []
    for module in network.modules():
        if isinstance(module, nn.MaxPool2d):
            module.register_forward_hook(lambda _m, _i, output: sides.append(output.shape[-1]))
    with torch.no_grad():
        network.eval()(inputs(size, 1))
    assert min(sides) == bottom


def test_the_resnet_is_the_published_one() -> None:
    # 11,689,512 of torchvision's resnet18, less the 513,000 of its classes
    assert sum(value.numel() for value in ResNet18().parameters()) == 11_176_512
    maps = ResNet18().eval()(inputs(64))
    assert [tuple(one.shape[1:]) for one in maps] == [
        (64, 16, 16),
        (128, 8, 8),
        (256, 4, 4),
        (512, 2, 2),
    ]


@pytest.mark.parametrize("name", ["onet62", "resnet18", "yinnet"])
def test_a_new_regressor_answers_with_the_mean_face(name: str) -> None:
    shape = shape_of(name)
    network, codec = models.build(name, shape)
    with torch.no_grad():
        output = network.eval()(inputs(shape.size))
    decoded = make_codec(codec, shape.size, shape.mean_face).decode(output)
    assert (decoded - shape.mean_face).abs().max() < 0.05 * shape.size


def test_a_step_of_adam_moves_a_regressed_point_by_less_than_the_points_are_spread() -> None:
    torch.manual_seed(0)
    head = regression_head(1024, 68)
    features = torch.randn(32, 1024).relu()
    before = head(features)
    optimiser = torch.optim.AdamW(head.parameters(), lr=0.002)
    (before - 0.05).square().mean().backward()
    optimiser.step()
    assert (head(features) - before).abs().max() < 0.05


def test_an_unknown_network_is_answered_with_the_nearest_and_the_valid_ones() -> None:
    with pytest.raises(ConfigError, match=r"train\.arch: .*'onett', did you mean onet\?") as e:
        models.build("onett", shape_of("onet"))
    assert str(e.value).endswith(f"Valid: {', '.join(models.names())}")


def test_the_published_weights_fill_the_efficientnet() -> None:
    shape = Shape(224, torch.zeros(5, 2))
    network, _ = models.build("efficientnet", shape)
    empty = {name: value.clone() for name, value in network.state_dict().items()}
    efficientnet.load_imagenet(network)
    for name, value in network.state_dict().items():
        if not name.endswith("num_batches_tracked"):  # nothing that the network computes with
            assert torch.equal(value, empty[name]) != name.startswith("trunk."), name


def test_the_filled_efficientnet_sees_what_the_published_one_sees(cat: torch.Tensor) -> None:
    network, _ = models.build("efficientnet", Shape(224, torch.zeros(5, 2)))
    efficientnet.load_imagenet(network)
    assert isinstance(network, efficientnet.EfficientNet)
    with torch.no_grad():
        maps = network.trunk.eval()(cat)
    assert [tuple(one.shape[1:]) for one in maps] == [
        (24, 56, 56),
        (40, 28, 28),
        (112, 14, 14),
        (320, 7, 7),
    ]
    # by efficientnet-lite-pytorch 0.1.0 with the same weights, of the same picture
    spread = [float(one.std()) for one in maps]
    assert spread == pytest.approx([8.178934, 6.985080, 6.813481, 3.510223], rel=1e-4)
    corner = [float(one[0, 0, 0, 0]) for one in maps]
    assert corner == pytest.approx([7.562528, 19.774090, 0.406064, 2.867466], rel=1e-3)


def test_a_cascade_begins_as_the_published_efficientnet(cat: torch.Tensor) -> None:
    shape = Shape(224, torch.zeros(5, 2))
    whole, _ = models.build("efficientnet", shape)
    network, _ = models.build("cascade", shape, cascade.Options(trunk="efficientnet"))
    for one in (whole, network):
        models.load_imagenet("efficientnet" if one is whole else "cascade", one.eval())
    assert isinstance(whole, efficientnet.EfficientNet) and isinstance(network, cascade.Cascade)
    with torch.no_grad():
        maps = [network.stem(cat)]
        for stage in network.stages:
            maps.append(stage(maps[-1]))
        for ours, theirs in zip(maps[1:], whole.trunk(cat), strict=False):
            assert torch.equal(ours, theirs)


@pytest.mark.slow
def test_a_cascade_on_a_trunk_of_imagenet_trains_and_is_exported(tmp_path: Path) -> None:
    shape = shape_of("cascade")
    options = cascade.Options(trunk="efficientnet", width=16)
    network, codec_name = models.build("cascade", shape, options)
    with torch.autocast("cpu", torch.bfloat16):
        estimates = network.train()(inputs(shape.size))
    estimates[-1].sum().backward()
    assert isinstance(network, cascade.Cascade)
    assert all(value.grad is not None for value in network.stages.parameters())
    codec = make_codec(codec_name, shape.size, shape.mean_face)
    stats = Stats(shape.size, 0.1, 0, (120.0, 110.0, 100.0), (60.0, 61.0, 62.0))
    module = landmarks.FromCrops(network.eval(), codec, stats)
    landmarks.to_onnx(module, tmp_path / "model.onnx")
    crops = np.random.default_rng(0).integers(0, 256, (3, shape.size, shape.size, 3), np.uint8)
    assert landmarks.difference(tmp_path / "model.onnx", module, crops) < 1e-3


def test_a_trunk_without_weights_of_imagenet_is_named() -> None:
    network, _ = models.build("cascade", shape_of("cascade"))
    with pytest.raises(ConfigError, match=r"train\.networks\.cascade\.trunk=efficientnet"):
        models.load_imagenet("cascade", network)


def test_weights_of_another_network_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    network, _ = models.build("efficientnet", Shape(64, torch.zeros(5, 2)))
    monkeypatch.setitem(blocks.THEIR_NAMES, "expand.conv", "_widen")
    with pytest.raises(ModelError, match=r"not in both: .*_blocks\.1\._expand_conv\.weight"):
        efficientnet.load_imagenet(network)


@pytest.fixture(scope="module")
def cat() -> torch.Tensor:
    """Chelsea, by Stéfan van der Walt, as EfficientNet-Lite takes its pictures."""
    picture = data.chelsea()[:, 75:375]  # type: ignore[no-untyped-call]
    small = cv2.resize(picture, (224, 224), interpolation=cv2.INTER_AREA)
    return (torch.tensor(small, dtype=torch.float32).permute(2, 0, 1)[None] - 127) / 128
