"""Figures of CED curves: a network and dlib, or many networks and dlib."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facealign.core.faces import METHOD_NAMES
from facealign.evaluation import metrics
from facealign.reports import figures
from facealign.reports.figures import METHODS, plain, styled

# Okabe and Ito's colours, safe for the colour-blind, without their pale yellow
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ("-", "-.", ":")
DLIB = r"$\sqrt{H\,W}$ of dlib's rectangle"


@dataclass(frozen=True, eq=False)
class Curve:
    """The corners of a CED up to the task's limit, and the area below it."""

    error: np.ndarray
    share: np.ndarray
    auc: float

    @staticmethod
    def of(errors: np.ndarray) -> Curve:
        return Curve(*metrics.ced_to_limit(errors), metrics.auc(errors, metrics.LIMIT))


@styled
def ced_figure(
    errors: Mapping[str, np.ndarray],
    title: str,
    path: Path,
    norm: str = DLIB,
    limit: float = metrics.LIMIT,
) -> None:
    """Draw each method's curve up to the limit, as `path`.png and `path`.svg."""
    count = max((len(values) for values in errors.values()), default=0)
    figure, axes = _frame(f"{title}, {count} test images", (6.4, 4.8), norm, limit)
    for method, values in errors.items():
        at, share = metrics.ced(values)
        area = f"{metrics.auc(values, limit):.3f}" if len(values) else "no images"
        ends = np.append(at, 1e9), np.append(share, share[-1])
        label = f"{METHOD_NAMES.get(method, method)}, AUC {area}"
        _step(axes, *ends, METHODS.get(method, ("#444444", "-.")), 2, label)
    axes.legend(loc="lower right")
    figures.write(figure, path)


@styled
def zoo_figure(
    networks: Mapping[str, Curve],
    dlib: Curve | None,
    title: str,
    path: Path,
    norm: str = DLIB,
) -> None:
    """Draw the curves of all networks and of dlib; the legend lists the best first.

    A network keeps its colour in all figures that have the same networks in the same order.
    """
    figure, axes = _frame(title, (8.0, 6.0), norm)
    looks = {
        name: (COLOURS[i % len(COLOURS)], DASHES[i // len(COLOURS) % len(DASHES)])
        for i, name in enumerate(networks)
    }
    curves = [*networks.items(), *([("dlib", dlib)] if dlib else [])]
    for name, curve in sorted(curves, key=lambda named: -named[1].auc):
        look, label = looks.get(name, ("#888888", "--")), f"{plain(name)}, AUC {curve.auc:.3f}"
        _step(axes, curve.error, curve.share, look, 1.5, label)
    axes.legend(loc="lower right")
    figures.write(figure, path)


def _step(
    axes: Axes,
    error: np.ndarray,
    share: np.ndarray,
    look: tuple[str, str],
    width: float,
    label: str,
) -> None:
    colour, dashes = look
    axes.step(
        error, share, where="post", color=colour, linestyle=dashes, linewidth=width, label=label
    )


def _frame(
    title: str, size: tuple[float, float], norm: str, limit: float = metrics.LIMIT
) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.set(
        xlim=(0, limit),
        ylim=(0, 1),
        xlabel=f"mean point error / {norm}",
        ylabel="images with a smaller error",
        title=plain(title),
    )
    figures.percentages(axes)
    axes.grid(alpha=0.3)
    return figure, axes
