import pytest
import torch

from facealign.codecs import make_codec
from facealign.errors import FacealignError

SIZE = 48


def random_points(count: int) -> torch.Tensor:
    return torch.rand(count, 68, 2, generator=torch.Generator().manual_seed(count)) * SIZE


@pytest.mark.parametrize("name", ["coordinates"])
def test_decoding_what_was_encoded_gives_the_points_back(name: str) -> None:
    codec = make_codec(name, SIZE, random_points(1)[0])
    points = random_points(5)
    torch.testing.assert_close(codec.decode(codec.encode(points)), points, rtol=0, atol=2e-5)


def test_coordinates_are_shares_of_the_crop_from_the_mean_face() -> None:
    codec = make_codec("coordinates", SIZE, torch.full((68, 2), 20.0))
    points = torch.full((1, 68, 2), 20.0)
    points[0, 1] = torch.tensor([32.0, 8.0])
    encoded = codec.encode(points)
    assert encoded.shape == (1, 136)
    assert encoded[0, :4].tolist() == [0, 0, 0.25, -0.25]


def test_an_output_of_zero_is_the_mean_face() -> None:
    mean = random_points(1)[0]
    decoded = make_codec("coordinates", SIZE, mean).decode(torch.zeros(2, 136))
    assert torch.equal(decoded, mean.expand(2, 68, 2))


def test_an_unknown_codec_is_answered_with_the_valid_ones() -> None:
    with pytest.raises(FacealignError, match=r"unknown codec 'heatmap'.*Valid: coordinates"):
        make_codec("heatmap", SIZE, torch.zeros(68, 2))
