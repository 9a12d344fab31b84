"""ONet of MTCNN (Zhang et al. 2016, figure 2), with the landmark output only."""

from torch import nn

from facealign.models.parts.layers import Shape, Size, flat_width

CODEC = "coordinates"
SIZE = Size(least=26)


def build(shape: Shape) -> nn.Module:
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
    return nn.Sequential(
        features,
        nn.Linear(flat_width(features, shape.size), 256),
        nn.PReLU(256),
        nn.Linear(256, 2 * shape.points),
    )
