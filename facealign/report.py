"""The results table, in Markdown that reads well in a terminal, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_COLUMNS = {
    "AUC@0.08": "auc_08",
    "95 % interval": "auc_08_ci95",
    "AUC@1.0": "auc_100",
    "FR@0.08": "fr_08",
    "NME": "nme",
    "images": "images",
    "undetected": "undetected",
}


def results_table(ced: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """A row a data set and method, of the figures in metrics/ced.json."""
    rows = [["data set", "method", *_COLUMNS]]
    for dataset, methods in ced.items():
        for method, figures in methods.items():
            rows.append([dataset, method, *(_cell(key, figures[key]) for key in _COLUMNS.values())])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    # names to the left, figures to the right
    rule = ["-" * width if i < 2 else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    lines = [
        [
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in rows
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])


def _cell(key: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return "{:.3f}–{:.3f}".format(*value)
    if key.startswith("fr"):
        return f"{100 * value:.1f} %"
    return str(value) if isinstance(value, int) else f"{value:.4f}"
