"""ONet for 62 pixels, with a batch norm after each convolution and four times the dense units.

The layers are those of a public solution of the VisionLabs landmark task, IamSVP94/face_alignment.
Its dropout is left out because it blurs the coordinates, its sigmoid because offsets from the mean
face can be negative.
"""

from torch import nn

from facealign.models.parts.layers import Shape, Size, flat_width, regression_head

CODEC = "coordinates"
SIZE = Size(least=31)
DENSE = 1024


def build(shape: Shape) -> nn.Module:
    features = nn.Sequential(
        *_unit(3, 32, 3, padding=1),
        nn.MaxPool2d(3, 2),
        *_unit(32, 64, 3),
        nn.MaxPool2d(3, 2),
        *_unit(64, 64, 3),
        nn.MaxPool2d(2, 2),
        *_unit(64, 128, 2),
        nn.Flatten(),
    )
    return nn.Sequential(
        features,
        nn.Linear(flat_width(features, shape.size), DENSE),
        nn.LeakyReLU(),
        nn.BatchNorm1d(DENSE),
        regression_head(DENSE, shape.points),
    )


def _unit(inputs: int, outputs: int, kernel: int, padding: int = 0) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=padding, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.LeakyReLU()]
