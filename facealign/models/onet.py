"""ONet of MTCNN (Zhang et al. 2016, figure 2), with the landmark output only."""

import torch
from torch import nn

from facealign.errors import FacealignError
from facealign.points import COUNT

CODEC = "coordinates"


def build(size: int) -> nn.Module:
    # the paper's framework rounds the pooled size up
    features = nn.Sequential(
        nn.Conv2d(3, 32, 3),
        nn.PReLU(32),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Conv2d(32, 64, 3),
        nn.PReLU(64),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Conv2d(64, 64, 3),
        nn.PReLU(64),
        nn.MaxPool2d(2, 2, ceil_mode=True),
        nn.Conv2d(64, 128, 2),
        nn.PReLU(128),
        nn.Flatten(),
    )
    try:
        with torch.no_grad():
            width = features(torch.zeros(1, 3, size, size)).shape[1]
    except RuntimeError:
        raise FacealignError(f"crop.size: onet needs at least 26 pixels, not {size}") from None
    return nn.Sequential(features, nn.Linear(width, 256), nn.PReLU(256), nn.Linear(256, 2 * COUNT))
