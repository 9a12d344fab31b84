"""Every network of the zoo passes the same tests."""

import io
import re

import pytest
import torch

from facealign import models
from facealign.codecs import make_codec
from facealign.errors import FacealignError
from facealign.layers import Shape

every_network = pytest.mark.parametrize("name", models.names())

# Small, to be fast; those that are not named here take 64 pixels.
SIZES = {"onet": 48}
# The least crop of each, and the sentence about one that is less.
LEAST = {
    "onet": (26, 25, "onet needs at least 26 pixels, not 25"),
}


def shape_of(name: str, points: int = 68) -> Shape:
    size = SIZES.get(name, 64)
    share = torch.rand(points, 2, generator=torch.Generator().manual_seed(3))
    return Shape(size, share * size)


def inputs(size: int, count: int = 3) -> torch.Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(0))


@every_network
@pytest.mark.parametrize("points", [68, 5])
def test_the_output_decodes_to_the_points_of_each_face(name: str, points: int) -> None:
    shape = shape_of(name, points)
    network, codec_name = models.build(name, shape)
    codec = make_codec(codec_name, shape.size, shape.mean_face)
    with torch.no_grad():
        output = network.eval()(inputs(shape.size))
    assert output.shape == codec.encode(shape.mean_face.expand(3, -1, -1)).shape
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
    least, too_small, said = LEAST[name]
    network, _ = models.build(name, Shape(least, torch.zeros(5, 2)))
    with torch.no_grad():
        network.eval()(inputs(least))
    with pytest.raises(FacealignError, match=re.escape(f"crop.size: {said}")):
        models.build(name, Shape(too_small, torch.zeros(5, 2)))


@every_network
def test_half_precision_runs(name: str) -> None:
    shape = shape_of(name)
    network, codec = models.build(name, shape)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        output = network.eval()(inputs(shape.size))
        decoded = make_codec(codec, shape.size, shape.mean_face).decode(output)
    assert output.dtype == torch.bfloat16
    assert decoded.dtype == torch.float32


def test_an_unknown_network_is_answered_with_the_nearest_and_the_valid_ones() -> None:
    with pytest.raises(FacealignError, match=r"train\.arch: .*'onett', did you mean onet\?") as e:
        models.build("onett", shape_of("onet"))
    assert str(e.value).endswith(f"Valid: {', '.join(models.names())}")
