"""The report's figures, as the bytes of .png files, in its language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, PercentFormatter

from facealign.evaluation import metrics
from facealign.evaluation.metrics import Summary
from facealign.reports.charts import png, side_by_side
from facealign.reports.findings import Rated
from facealign.reports.plotting import STYLES
from facealign.reports.wording import Words


def ced(errors: Mapping[str, Mapping[str, np.ndarray]], words: Words) -> bytes:
    """A panel for each data set."""
    figure, panels = side_by_side(len(errors), 3.6)
    for axes, (dataset, methods) in zip(panels, errors.items(), strict=True):
        for method, values in methods.items():
            colour, dashes = STYLES[method]
            at, share = metrics.ced_to_limit(values)
            area = words.number(metrics.auc(values, metrics.LIMIT))
            label = f"{_name(method, words)}, AUC {area}"
            axes.step(at, share, where="post", color=colour, linestyle=dashes, label=label)
        axes.set(
            title=words.dataset(dataset),
            xlim=(0, metrics.LIMIT),
            ylim=(0, 1),
            xlabel=words("error_axis"),
            ylabel=words("share_axis"),
        )
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        _numbers(axes, words, 2)
        axes.legend(loc="lower right", fontsize=8)
    return png(figure)


def regions(errors: Mapping[str, Mapping[str, float]], words: Words) -> bytes:
    """Bars: method -> part of the face -> mean error."""
    figure, [axes] = side_by_side(1, 2.8, across=1.7)
    names = list(next(iter(errors.values())))
    thick = 0.8 / len(errors)
    for row, (method, parts) in enumerate(errors.items()):
        places = np.arange(len(names)) + (row - (len(errors) - 1) / 2) * thick
        bars = axes.barh(
            places, [*parts.values()], thick, color=STYLES[method][0], label=_name(method, words)
        )
        axes.bar_label(
            bars, [words.percent(value, 2) for value in parts.values()], fontsize=8, padding=2
        )
    axes.set_yticks(np.arange(len(names)), [words(name) for name in names])
    axes.invert_yaxis()
    axes.set_xlabel(words("error_axis"))
    axes.margins(x=0.15)
    axes.grid(axis="y", visible=False)
    _numbers(axes, words, 3)
    axes.legend(fontsize=8)
    return png(figure)


def groups(respects: Mapping[str, Sequence[Rated]], words: Words) -> bytes:
    """A panel for each respect in which faces differ: AUC with its interval."""
    figure, panels = side_by_side(len(respects), 3.2)
    for axes, (respect, rated) in zip(panels, respects.items(), strict=True):
        methods = list(rated[0].figures)
        for row, method in enumerate(methods):
            values = np.array([_auc(group.figures[method]) for group in rated])
            axes.errorbar(
                np.arange(len(rated)) + 0.12 * (row - (len(methods) - 1) / 2),
                values[:, 0],
                yerr=np.abs(values[:, 1:] - values[:, :1]).T,
                color=STYLES[method][0],
                linestyle=STYLES[method][1],
                marker="o",
                markersize=4,
                linewidth=1,
                capsize=3,
                label=_name(method, words),
            )
        axes.set(xlabel=words(respect), ylabel="AUC@0.08", xlim=(-0.5, len(rated) - 0.5))
        names = [f"{group.name}\n{group.figures[methods[0]]['images']}" for group in rated]
        axes.set_xticks(range(len(rated)), names, fontsize=8)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.number(value, 2)))
    low = min(axes.get_ylim()[0] for axes in panels)
    high = max(axes.get_ylim()[1] for axes in panels)
    for axes in panels:
        axes.set_ylim(low, high)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=len(labels), fontsize=8)
    return png(figure)


def learning(columns: Mapping[str, np.ndarray], kept: int, words: Words) -> bytes:
    """A panel for each column of the learning curve but the epochs."""
    names = [name for name in ("train_loss", "validation_nme", "learning_rate") if name in columns]
    figure, panels = side_by_side(len(names), 2.8)
    for axes, name in zip(panels, names, strict=True):
        axes.plot(columns["epoch"], columns[name], color="#1f5fb4")
        axes.axvline(kept, color="#888888", linestyle=":", linewidth=1)
        axes.set(xlabel=words("epoch"), title=words(name))
        if name != "learning_rate":
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
            axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.tick(value)))
    return png(figure)


def _auc(figures: Summary) -> tuple[float, float, float]:
    value, interval = figures["auc_08"], figures["auc_08_ci95"]
    assert isinstance(value, float) and isinstance(interval, list)
    return value, interval[0], interval[1]


def _name(method: str, words: Words) -> str:
    return words("model") if method == "model" else method


def _numbers(axes: Axes, words: Words, digits: int) -> None:
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.number(value, digits)))
