"""How a network's output represents points. `decode(encode(points))` gives the points back.

Each network's file names its codec. A map's cell i at stride s has its centre at pixel
s * i + (s - 1) / 2, the mean of the pixels it covers. A codec computes in float32, whatever the
precision of the network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal, Protocol

import torch

from facealign.core.errors import ConfigError
from facealign.core.points import mirror

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # of predicted and target
# What a loss compares: coordinates as shares of the crop's side, or heatmaps from 0 to 1.
Kind = Literal["points", "heatmaps"]

ERROR_WEIGHT = 0.01  # of the expected errors' loss, small so that the points' gradient dominates
LOG_ERRORS = (-10, 2)  # the logarithms of expected errors are clamped to these


def unflipped(points: torch.Tensor, size: int) -> torch.Tensor:
    """Points (N, K, 2) found in flipped crops -> in the pixels of the crops themselves."""
    named = points[:, mirror(points.shape[1])]
    return torch.stack([size - 1 - named[..., 0], named[..., 1]], -1)


class Codec(Protocol):
    COMPARES: ClassVar[Kind]  # by its loss

    def encode(self, points: torch.Tensor) -> torch.Tensor:
        """(N, K, 2) input pixels -> the network's ideal output."""

    def decode(self, output: torch.Tensor) -> torch.Tensor:
        """The inverse of `encode`."""

    def expected_errors(self, output: torch.Tensor) -> torch.Tensor | None:
        """The error that the network predicts for each point, (N, K) input pixels, if it does."""
        return None

    def loss(self, output: torch.Tensor, points: torch.Tensor, loss: Loss) -> torch.Tensor:
        """The loss of `output` where the true points are `points`, in input pixels."""


class Coordinates(Codec):
    """The points' offsets from the mean face, as shares of the crop's side: (N, 2K).

    Or (N, K, 3) with the logarithm of each point's expected error, in the same unit, as the third.
    """

    COMPARES: ClassVar[Kind] = "points"

    def __init__(self, size: int, mean_face: torch.Tensor) -> None:
        self.size = size
        self.mean_face = mean_face  # (K, 2), input pixels

    def encode(self, points: torch.Tensor) -> torch.Tensor:
        return ((points - self.mean_face) / self.size).flatten(1)

    def decode(self, output: torch.Tensor) -> torch.Tensor:
        return self._offsets(output)[..., :2] * self.size + self.mean_face

    def expected_errors(self, output: torch.Tensor) -> torch.Tensor | None:
        numbers = self._offsets(output)
        return (
            numbers[..., 2].clamp(*LOG_ERRORS).exp() * self.size if numbers.shape[-1] == 3 else None
        )

    def loss(self, output: torch.Tensor, points: torch.Tensor, loss: Loss) -> torch.Tensor:
        numbers, target = self._offsets(output), self.encode(points)
        offsets = numbers[..., :2].flatten(1)
        cost = loss(offsets, target)
        if numbers.shape[-1] == 2:
            return cost
        # the negative log-likelihood of an exponential distribution, whose mean is the third number
        errors = (offsets - target).detach().reshape(len(target), -1, 2).norm(dim=-1)
        expected = numbers[..., 2].clamp(*LOG_ERRORS)
        return cost + (errors * (-expected).exp() + expected).mean() * ERROR_WEIGHT

    def _offsets(self, output: torch.Tensor) -> torch.Tensor:
        # the number of faces is left open, also in an exported network
        count = len(self.mean_face)
        return output.float().reshape(-1, count, output.shape[1:].numel() // count)


class Heatmap(Codec):
    """A map a point: a Gaussian of one cell's width around it. (N, K, h, w)."""

    COMPARES: ClassVar[Kind] = "heatmaps"

    def __init__(self, size: int, mean_face: torch.Tensor, stride: int = 4) -> None:
        self.grid = Grid("heatmap", size, stride)

    def encode(self, points: torch.Tensor) -> torch.Tensor:
        # a point outside is drawn at the edge: an empty map would carry no information about it
        cells = self.grid.to_cells(points).clamp(-0.5, self.grid.side - 0.5)
        across, down = (-(steps.square()) / 2 for steps in self.grid.steps_from(cells))
        return (across[:, :, None, :] + down[:, :, :, None]).exp()

    def decode(self, output: torch.Tensor) -> torch.Tensor:
        maps = output.float().flatten(2)
        peak = maps.argmax(2)
        # The logarithm of a Gaussian is a parabola, whose vertex follows from three cells. In a
        # clean map those have more than a hundredth of the peak; less is noise, or negative.
        height = maps.amax(2, keepdim=True)
        logs = torch.maximum(maps, (height / 100).clamp(min=1e-6)).log()
        x, y = self.grid.columns(peak), self.grid.rows(peak)
        cells = (
            self._vertex(logs, x, lambda column: y * self.grid.side + column),
            self._vertex(logs, y, lambda row: row * self.grid.side + x),
        )
        return self.grid.to_pixels(torch.stack(cells, -1))

    def _vertex(
        self, logs: torch.Tensor, peak: torch.Tensor, cell: Callable[[torch.Tensor], torch.Tensor]
    ) -> torch.Tensor:
        middle = peak.clamp(1, self.grid.side - 2)  # so that both neighbours are there
        before, at, after = (
            logs.gather(2, cell(middle + step)[..., None])[..., 0] for step in (-1, 0, 1)
        )
        bend = 2 * at - before - after
        step = torch.where(bend > 1e-6, (after - before) / (2 * bend.clamp(min=1e-6)), 0.0)
        # noise can bend the parabola: never leave the cell of the peak
        return peak + (middle - peak + step).clamp(-0.5, 0.5)

    def loss(self, output: torch.Tensor, points: torch.Tensor, loss: Loss) -> torch.Tensor:
        return loss(output.float(), self.encode(points))


class Integral(Codec):
    """A map of logits a point: the expectation of its softmax is the point. (N, K, h, w).

    It lies between the centres of the outermost cells: at stride 4 it cannot reach the crop's outer
    two pixels.
    """

    COMPARES: ClassVar[Kind] = "points"

    def __init__(self, size: int, mean_face: torch.Tensor, stride: int = 4) -> None:
        self.grid = Grid("integral", size, stride)

    def encode(self, points: torch.Tensor) -> torch.Tensor:
        """The weights of bilinear interpolation, whose expectation is the point itself."""
        cells = self.grid.to_cells(points).clamp(0, self.grid.side - 1)
        across, down = ((1 - steps.abs()).clamp(min=1e-12) for steps in self.grid.steps_from(cells))
        return across.log()[:, :, None, :] + down.log()[:, :, :, None]

    def decode(self, output: torch.Tensor) -> torch.Tensor:
        share = output.float().flatten(2).softmax(2)
        share = share.reshape(*share.shape[:2], self.grid.side, self.grid.side)
        # sums, and not a product of matrices, which mixed precision would round
        centres = torch.arange(self.grid.side, dtype=torch.float32, device=output.device)
        cells = ((share.sum(2) * centres).sum(2), (share.sum(3) * centres).sum(2))
        return self.grid.to_pixels(torch.stack(cells, -1))

    def loss(self, output: torch.Tensor, points: torch.Tensor, loss: Loss) -> torch.Tensor:
        size = self.grid.size
        return loss(self.decode(output).flatten(1) / size, points.flatten(1) / size)


class PixelInPixel(Codec):
    """Three maps a point: whether it is in a cell, and its offset from the cell's centre, in cells.

    (N, 3K, h, w): the scores of all points, then the x, then the y offsets. Only the offsets at the
    true cell count.
    """

    COMPARES: ClassVar[Kind] = "points"

    # PIPNet weights the mean square of its 8 x 8 scores by 10, and the offsets' errors in cells
    # by 1 on each axis. Per cell, and for the mean of both axes, that is:
    SCORE_WEIGHT = 10 / 64 / 2

    def __init__(self, size: int, mean_face: torch.Tensor, stride: int = 8) -> None:
        self.grid = Grid("pixel_in_pixel", size, stride)

    def encode(self, points: torch.Tensor) -> torch.Tensor:
        scores, offsets = self._scores_and_offsets(points)
        x, y = offsets[..., None, None].unbind(2)
        return torch.cat([scores, scores * x, scores * y], 1)

    def decode(self, output: torch.Tensor) -> torch.Tensor:
        scores, x, y = (maps.flatten(2) for maps in output.float().chunk(3, 1))
        best = scores.argmax(2)
        cells = (
            self.grid.columns(best) + x.gather(2, best[..., None])[..., 0],
            self.grid.rows(best) + y.gather(2, best[..., None])[..., 0],
        )
        return self.grid.to_pixels(torch.stack(cells, -1))

    def loss(self, output: torch.Tensor, points: torch.Tensor, loss: Loss) -> torch.Tensor:
        scores, x, y = output.float().chunk(3, 1)
        true_scores, true_offsets = self._scores_and_offsets(points)
        # a masked sum, not an index, whose gradient is not deterministic on every device
        offsets = torch.stack([(maps * true_scores).sum((2, 3)) for maps in (x, y)], -1)
        cell = self.grid.stride / self.grid.size  # as a share of the side
        wrong = (scores - true_scores).square().sum((2, 3)).mean()
        placed = loss((offsets * cell).flatten(1), (true_offsets * cell).flatten(1))
        return self.SCORE_WEIGHT * cell * wrong + placed

    def _scores_and_offsets(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, K, h, w), one at the cell of the point and zero elsewhere, and (N, K, 2)."""
        cells = self.grid.to_cells(points)
        nearest = cells.round().clamp(0, self.grid.side - 1)  # a point outside belongs to the edge
        across, down = (steps == 0 for steps in self.grid.steps_from(nearest))
        scores = (across[:, :, None, :] & down[:, :, :, None]).float()
        return scores, cells - nearest


class Grid:
    """The square map of a codec: from pixels to cells and back."""

    def __init__(self, codec: str, size: int, stride: int) -> None:
        if size % stride or size < 3 * stride:
            raise ConfigError(
                f"crop.size: the codec {codec} needs a multiple of {stride} pixels, at least "
                f"{3 * stride}, not {size}"
            )
        self.size = size
        self.stride = stride
        self.side = size // stride

    def to_cells(self, points: torch.Tensor) -> torch.Tensor:
        return (points - (self.stride - 1) / 2) / self.stride

    def to_pixels(self, cells: torch.Tensor) -> torch.Tensor:
        return cells * self.stride + (self.stride - 1) / 2

    def steps_from(self, cells: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """How far each column and each row is from the (N, K, 2) `cells`: twice (N, K, side)."""
        centres = torch.arange(self.side, dtype=cells.dtype, device=cells.device)
        x, y = (centres - cells[..., None]).unbind(2)
        return x, y

    def columns(self, index: torch.Tensor) -> torch.Tensor:
        return index % self.side

    def rows(self, index: torch.Tensor) -> torch.Tensor:
        return index // self.side


CODECS: dict[str, type[Coordinates | Heatmap | Integral | PixelInPixel]] = {
    "coordinates": Coordinates,
    "heatmap": Heatmap,
    "integral": Integral,
    "pixel_in_pixel": PixelInPixel,
}


def make_codec(name: str, size: int, mean_face: torch.Tensor) -> Codec:
    if name not in CODECS:
        raise ConfigError(f"unknown codec {name!r}. Valid: {', '.join(CODECS)}")
    return CODECS[name](size, mean_face)


def total_loss(
    codec: Codec,
    output: torch.Tensor | tuple[torch.Tensor, ...],
    points: torch.Tensor,
    loss: Loss,
) -> torch.Tensor:
    """The mean over the network's estimates: the final one, and those before it if it has some."""
    estimates = output if isinstance(output, tuple) else (output,)
    return torch.stack([codec.loss(estimate, points, loss) for estimate in estimates]).mean()
