"""What the reports' figures share: panels side by side, and their bytes."""

from __future__ import annotations

import io
import math

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def side_by_side(
    count: int, height: float, across: float = 1.0, in_row: int = 3
) -> tuple[Figure, list[Axes]]:
    """A figure of so many panels of this height; `across`: how wide each is."""
    columns = min(count, in_row)
    rows = math.ceil(count / columns)
    size = (3.7 * columns * across, height * rows)
    figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    every = list(grid.flat)
    for axes in every[count:]:
        axes.remove()
    for axes in every[:count]:
        axes.grid(alpha=0.3)
    return figure, every[:count]


def png(figure: Figure) -> bytes:
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=150, metadata={"Software": None})
    plt.close(figure)
    return data.getvalue()
