"""YinNet: eight plain 3x3 convolutions and two dense layers.

By Yin Guobing (cnn-facial-landmark); the widths, the batch norms behind the ReLUs and the 128
pixels are those of Allessyer's solution of the VisionLabs landmark task.
"""

from torch import nn

from facealign.models.parts.layers import Shape, Size, flat_width, regression_head

CODEC = "coordinates"
SIZE = Size(least=90)
DENSE = 1024


def build(shape: Shape) -> nn.Module:
    features = nn.Sequential(
        *_unit(3, 32),
        nn.MaxPool2d(2, 2),
        *_unit(32, 64),
        *_unit(64, 64),
        nn.MaxPool2d(2, 2),
        *_unit(64, 64),
        *_unit(64, 64),
        nn.MaxPool2d(2, 2),
        *_unit(64, 128),
        *_unit(128, 128),
        nn.MaxPool2d(2, 1),
        *_unit(128, 256),
        nn.Flatten(),
    )
    return nn.Sequential(
        features,
        nn.Linear(flat_width(features, shape.size), DENSE),
        nn.ReLU(),
        nn.BatchNorm1d(DENSE),
        regression_head(DENSE, shape.points),
    )


def _unit(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3), nn.ReLU(), nn.BatchNorm2d(outputs)]
