"""The CED figure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import PercentFormatter

from facealign import metrics
from facealign.files import replacing

STYLES = {"model": ("#1f5fb4", "-"), "dlib": ("#d1641f", "--")}
# the same figure gives the same bytes: no random ids, no date, no version
matplotlib.rcParams.update({"svg.hashsalt": "facealign", "svg.fonttype": "none", "font.size": 11})


def ced_figure(errors: Mapping[str, np.ndarray], title: str, path: Path) -> None:
    """Draw the methods' curves up to the task's limit; `path` without suffix gets .png and .svg."""
    figure, axes = plt.subplots(figsize=(6.4, 4.8), layout="constrained")
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
    count = max((len(values) for values in errors.values()), default=0)
    axes.set(
        xlim=(0, metrics.LIMIT),
        ylim=(0, 1),
        xlabel=r"mean point error / $\sqrt{H\,W}$ of dlib's rectangle",
        ylabel="images with a smaller error",
        title=f"{title}, {count} test images",
    )
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    for suffix, metadata in ((".png", {"Software": None}), (".svg", {"Date": None})):
        with replacing(path.with_name(path.name + suffix)) as part:
            figure.savefig(part, format=suffix[1:], dpi=120, metadata=metadata)
    plt.close(figure)
