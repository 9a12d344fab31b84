import io

import pytest
import torch

from facealign import models
from facealign.codecs import make_codec
from facealign.errors import FacealignError

every_network = pytest.mark.parametrize("name", models.names())
SIZES = (48, 62)


def inputs(size: int) -> torch.Tensor:
    return torch.randn(3, 3, size, size, generator=torch.Generator().manual_seed(0))


@every_network
@pytest.mark.parametrize("size", SIZES)
def test_the_output_decodes_to_68_points_of_each_face(name: str, size: int) -> None:
    network, codec = models.build(name, size)
    output = network.eval()(inputs(size))
    points = make_codec(codec, size, torch.zeros(68, 2)).decode(output)
    assert points.shape == (3, 68, 2)
    assert points.isfinite().all()
    assert not torch.equal(points[0], points[1])


@every_network
def test_the_gradient_reaches_every_weight(name: str) -> None:
    network, _ = models.build(name, SIZES[0])
    network.train()(inputs(SIZES[0])).square().sum().backward()
    for weight, value in network.named_parameters():
        assert value.grad is not None, weight
        assert value.grad.abs().sum() > 0, weight


@every_network
def test_saved_weights_make_another_network_the_same(name: str) -> None:
    torch.manual_seed(1)
    first, _ = models.build(name, SIZES[0])
    second, _ = models.build(name, SIZES[0])
    images = inputs(SIZES[0])
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
        network, _ = models.build(name, SIZES[0])
        weights.append(torch.cat([value.flatten() for value in network.parameters()]))
    assert torch.equal(*weights)


def test_the_smallest_crop_of_onet_is_the_one_it_names() -> None:
    models.build("onet", 26)
    with pytest.raises(FacealignError, match="onet needs at least 26 pixels, not 25"):
        models.build("onet", 25)


def test_an_unknown_network_is_answered_with_the_nearest_and_the_valid_ones() -> None:
    with pytest.raises(FacealignError, match=r"train\.arch: .*'onett', did you mean onet\?") as e:
        models.build("onett", 48)
    assert str(e.value).endswith(f"Valid: {', '.join(models.names())}")
