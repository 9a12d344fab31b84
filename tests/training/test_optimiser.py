import pytest
import torch
from torch import nn

from facealign.training.optimiser import adamw, descend, follow


def test_the_average_keeps_its_decay_of_itself() -> None:
    average, network = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
    with torch.no_grad():
        network.weight.fill_(3.0)
        network.running_mean.fill_(10.0)  # type: ignore[union-attr]
        network.num_batches_tracked.fill_(7)  # type: ignore[union-attr]
    follow(average, network, 0.75)
    assert average.weight.item() == 1.5
    assert average.running_mean.item() == 2.5  # type: ignore[union-attr]
    assert average.num_batches_tracked.item() == 7  # type: ignore[union-attr]


@pytest.mark.parametrize(("clip", "norm"), [(0.0, 50.0), (2.0, 2.0), (80.0, 50.0)])
def test_a_step_clips_the_gradients_norm(clip: float, norm: float) -> None:
    weights = nn.Parameter(torch.zeros(2))
    optimiser = torch.optim.SGD([weights], lr=9.0)
    descend((weights * torch.tensor([30.0, 40.0])).sum(), [weights], optimiser, 0.1, clip)
    assert torch.allclose(weights, -0.1 * norm * torch.tensor([0.6, 0.8]))


def test_weights_decay_and_biases_do_not() -> None:
    layer = nn.Linear(3, 2)
    wide, narrow = adamw(layer.parameters(), 0.1).param_groups
    assert (wide["params"], wide["weight_decay"]) == ([layer.weight], 0.1)
    assert (narrow["params"], narrow["weight_decay"]) == ([layer.bias], 0.0)
