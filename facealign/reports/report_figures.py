"""The figures of the report on landmarks, as the bytes of .png files, in its language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from facealign.evaluation import metrics
from facealign.evaluation.metrics import FEWEST
from facealign.reports.figures import (
    METHODS,
    grouped,
    percentages,
    plain,
    png,
    side_by_side,
    styled,
)
from facealign.reports.findings import Rated
from facealign.reports.wording import Words


@styled
def ced(errors: Mapping[str, Mapping[str, np.ndarray]], words: Words) -> bytes:
    """A panel for each data set."""
    figure, panels = side_by_side(len(errors), 3.6)
    for axes, (dataset, methods) in zip(panels, errors.items(), strict=True):
        for method, values in methods.items():
            colour, dashes = METHODS[method]
            at, share = metrics.ced_to_limit(values)
            area = words.number(metrics.auc(values, metrics.LIMIT))
            label = f"{words.method(method)}, AUC {area}"
            axes.step(at, share, where="post", color=colour, linestyle=dashes, label=label)
        axes.set(
            title=plain(f"{words.dataset(dataset)} ({len(methods['model'])})"),
            xlim=(0, metrics.LIMIT),
            ylim=(0, 1),
            xlabel=words("error_axis"),
            ylabel=words("share_axis"),
        )
        percentages(axes)
        _numbers(axes.xaxis, words, 2)
        axes.legend(loc="lower right", fontsize=8)
    return png(figure)


@styled
def regions(errors: Mapping[str, Mapping[str, float]], words: Words) -> bytes:
    """Bars: method -> part of the face -> mean error."""
    figure, [axes] = side_by_side(1, 2.8, stretch=1.7)
    names = list(next(iter(errors.values())))
    for row, (method, parts) in enumerate(errors.items()):
        places, thick = grouped(len(names), row, len(errors))
        values = list(parts.values())
        label = words.method(method)
        bars = axes.barh(places, values, thick, color=METHODS[method][0], label=label)
        texts = [words.percent(value, 2) for value in values]
        axes.bar_label(bars, texts, fontsize=8, padding=2)
    axes.set_yticks(np.arange(len(names)), [words.region(name) for name in names])
    axes.invert_yaxis()
    axes.set_xlabel(words("error_axis"))
    axes.margins(x=0.15)
    axes.grid(axis="y", visible=False)
    _numbers(axes.xaxis, words, 3)
    axes.legend(fontsize=8)
    return png(figure)


@styled
def groups(subjects: Mapping[str, Sequence[Rated]], words: Words) -> bytes:
    """A panel for yaw, sharpness and size each: AUC of every group that is large enough, with its
    interval."""
    figure, panels = side_by_side(len(subjects), 3.2)
    for axes, (subject, rated) in zip(panels, subjects.items(), strict=True):
        methods = list(rated[0].figures)
        for row, method in enumerate(methods):
            values = np.array([_auc(group, method) for group in rated])
            colour, dashes = METHODS[method]
            axes.errorbar(
                grouped(len(rated), row, len(methods), 0.12 * len(methods))[0],
                values[:, 0],
                yerr=np.abs(values[:, 1:] - values[:, :1]).T,
                color=colour,
                linestyle=dashes,
                marker="o",
                markersize=4,
                linewidth=1,
                capsize=3,
                label=words.method(method),
            )
        axes.set(xlabel=words(subject), ylabel="AUC@0.08", xlim=(-0.5, len(rated) - 0.5))
        names = [words(its.name) if subject == "sharpness" else its.name for its in rated]
        labels = [f"{name}\n{its.images}" for name, its in zip(names, rated, strict=True)]
        axes.set_xticks(range(len(rated)), labels, fontsize=8)
        _numbers(axes.yaxis, words, 2)
    low = min(axes.get_ylim()[0] for axes in panels)
    high = max(axes.get_ylim()[1] for axes in panels)
    for axes in panels:
        axes.set_ylim(low, high)
    handles, methods = panels[0].get_legend_handles_labels()
    figure.legend(handles, methods, loc="outside upper left", ncols=len(handles), fontsize=8)
    return png(figure)


@styled
def learning(columns: Mapping[str, np.ndarray], kept: int, words: Words) -> bytes:
    """A panel for loss, validation NME and learning rate each; `kept` is the epoch to mark."""
    names = [name for name in ("train_loss", "validation_nme", "learning_rate") if name in columns]
    figure, panels = side_by_side(len(names), 2.8)
    for axes, name in zip(panels, names, strict=True):
        axes.plot(columns["epoch"], columns[name], color=METHODS["model"][0])
        axes.axvline(kept, color="#888888", linestyle=":", linewidth=1)
        axes.set(xlabel=words("epoch"), title=words(name))
        if name != "learning_rate":
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
            axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.tick(value)))
    return png(figure)


def _auc(group: Rated, method: str) -> tuple[float, float, float]:
    """The value and its interval; matplotlib leaves out what is not a number."""
    if group.images < FEWEST:
        return np.nan, np.nan, np.nan
    value, interval = group.figures[method]["auc_08"], group.figures[method]["auc_08_ci95"]
    assert isinstance(value, float) and isinstance(interval, list)
    return value, interval[0], interval[1]


def _numbers(axis: Axis, words: Words, digits: int) -> None:
    axis.set_major_formatter(FuncFormatter(lambda value, _: words.number(value, digits)))
