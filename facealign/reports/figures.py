"""What all figures share: their style, panels side by side, grouped bars, and the files.

Figures are made without pyplot, so that importing a module neither chooses a backend nor changes
matplotlib's settings.
"""

from __future__ import annotations

import io
import math
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from facealign.core.faces import DLIB_TRAINED
from facealign.core.files import atomic_write
from facealign.core.text import printable

# The decorator of every function that draws. The same figure gives the same bytes: no random ids in
# an SVG, and text as text, not as outlines that depend on the font's version.
styled = matplotlib.rc_context(
    {"svg.hashsalt": "facealign", "svg.fonttype": "none", "font.size": 11}
)
_LONGEST = 60  # characters; a longer text would leave no room for the axes
METHODS = {  # colour and dashes
    "model": ("#1f5fb4", "-"),
    "dlib": ("#d1641f", "--"),
    DLIB_TRAINED: ("#2f8f5b", ":"),
}


def plain(name: str) -> str:
    """A name from a file or a parameter as a text of a figure: never a formula, nor too long."""
    shown = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
    return printable(shown).replace("$", r"\$")


def side_by_side(
    count: int, height: float, stretch: float = 1.0, in_row: int = 3
) -> tuple[Figure, list[Axes]]:
    """A figure of `count` panels, each `height` inches tall and 3.7 times `stretch` wide."""
    columns = min(count, in_row)
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(3.7 * columns * stretch, height * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels[count:]:
        axes.remove()
    for axes in panels[:count]:
        axes.grid(alpha=0.3)
    return figure, panels[:count]


def grouped(count: int, row: int, rows: int, width: float = 0.8) -> tuple[np.ndarray, float]:
    """Where the bars of one of several `rows` stand in `count` groups, and how thick they are."""
    thick = width / rows
    return np.arange(count) + (row - (rows - 1) / 2) * thick, thick


def percentages(axes: Axes) -> None:
    """Label the y axis in percent."""
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))


def png(figure: Figure) -> bytes:
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=150, metadata={"Software": None})
    return data.getvalue()


def write(figure: Figure, path: Path) -> None:
    """As .png and .svg; `path` is without a suffix."""
    for suffix, metadata in ((".png", {"Software": None}), (".svg", {"Date": None})):
        with atomic_write(path.with_name(path.name + suffix)) as part:
            figure.savefig(part, format=suffix[1:], dpi=120, metadata=metadata)
