"""The CED figures: a network beside dlib, and all networks together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from facealign.core.files import atomic_write
from facealign.evaluation import metrics

STYLES = {"model": ("#1f5fb4", "-"), "dlib": ("#d1641f", "--")}
# Okabe and Ito's colours, which the colour-blind tell apart, less their pale yellow
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ("-", "-.", ":")
# the same figure gives the same bytes: no random ids, no date, no version
matplotlib.rcParams.update({"svg.hashsalt": "facealign", "svg.fonttype": "none", "font.size": 11})


@dataclass(frozen=True)
class Curve:
    """The corners of a CED up to the task's limit, and the area below it."""

    error: np.ndarray
    share: np.ndarray
    auc: float


def ced_figure(errors: Mapping[str, np.ndarray], title: str, path: Path) -> None:
    """Draw the methods' curves up to the task's limit; `path` without suffix gets .png and .svg."""
    count = max((len(values) for values in errors.values()), default=0)
    figure, axes = _frame(f"{title}, {count} test images", (6.4, 4.8))
    for method, values in errors.items():
        colour, dashes = STYLES.get(method, ("#444444", "-."))
        at, share = metrics.ced(values)
        area = f"{metrics.auc(values, metrics.LIMIT):.3f}" if len(values) else "no images"
        axes.step(
            np.append(at, 1e9),
            np.append(share, share[-1]),
            where="post",
            color=colour,
            linestyle=dashes,
            linewidth=2,
            label=f"{method}, AUC {area}",
        )
    axes.legend(loc="lower right")
    _write(figure, path)


def zoo_figure(networks: Mapping[str, Curve], dlib: Curve, title: str, path: Path) -> None:
    """Draw all networks' curves and dlib's; the legend goes from the best down.

    A network keeps its colour in all figures that have the same networks in the same order.
    """
    figure, axes = _frame(title, (8.0, 6.0))
    looks = {
        name: (COLOURS[i % len(COLOURS)], DASHES[i // len(COLOURS) % len(DASHES)])
        for i, name in enumerate(networks)
    }
    curves = [*networks.items(), ("dlib", dlib)]
    for name, curve in sorted(curves, key=lambda named: -named[1].auc):
        colour, dashes = looks.get(name, ("#888888", "--"))
        axes.step(
            curve.error,
            curve.share,
            where="post",
            color=colour,
            linestyle=dashes,
            linewidth=1.5,
            label=f"{name}, AUC {curve.auc:.3f}",
        )
    axes.legend(loc="lower right")
    _write(figure, path)


def _frame(title: str, size: tuple[float, float]) -> tuple[Figure, Axes]:
    figure, axes = plt.subplots(figsize=size, layout="constrained")
    axes.set(
        xlim=(0, metrics.LIMIT),
        ylim=(0, 1),
        xlabel=r"mean point error / $\sqrt{H\,W}$ of dlib's rectangle",
        ylabel="images with a smaller error",
        title=title,
    )
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(alpha=0.3)
    return figure, axes


def _write(figure: Figure, path: Path) -> None:
    for suffix, metadata in ((".png", {"Software": None}), (".svg", {"Date": None})):
        with atomic_write(path.with_name(path.name + suffix)) as part:
            figure.savefig(part, format=suffix[1:], dpi=120, metadata=metadata)
    plt.close(figure)
