"""Results as Markdown tables, padded so that they can be read in a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from facealign.core.faces import METHOD_NAMES
from facealign.core.text import printable
from facealign.evaluation.metrics import FEWEST, Difference

# What Markdown or GitHub would read as more than text: tags and entities, columns, code, emphasis,
# links, formulas; then mentions, issues and addresses, but not AUC@0.08, FR@0.08 and TAR@FAR.
_MARKUP = re.compile(
    r"<(?=\S)|>|&(?=#?\w+;)|[|\\`*\[\]~$]|(?<![^\W_])_|_(?![^\W_])"
    r"|(?P<link>(?<!AUC)(?<!FR)(?<!TAR)@|@(?=[\w.-]*\.[\w.-]*[a-z])"
    r"|#(?=\w)|GH-(?=\d)|:(?=//)|www\.)",
    re.IGNORECASE,
)
_COLUMNS = {
    "AUC@0.08": "auc_08",
    "95 % interval": "auc_08_ci95",
    "with undetected": "auc_08_all",
    "AUC@1.0": "auc_100",
    "FR@0.08": "fr_08",
    "NME": "nme",
    "images": "images",
    "undetected": "undetected",
}


_GROUPED_BY = {
    "yaw": "yaw, degrees",
    "sharpness": "sharpness",
    "size": "size, pixels",
    "attribute": "attribute",
    "part": "part of the face",
}
_RECOGNITION = {
    "top-1": "top1",
    "95 % interval": "top1_ci95",
    "people": "people",
    "images": "images",
    "TAR@FAR 1e-2": "tar_1e-2",
    "TAR@FAR 1e-3": "tar_1e-3",
    "EER": "eer",
}
_DETECTOR = {
    "found": "found",
    "missed": "missed",
    "false positives": "false",
    "unconfirmed": "unconfirmed",
    "detector, ms": "detector_ms",
    "with landmarks, ms": "picture_ms",
    "wrong roll": "wrong_rolls",
    "AUC@0.08": "auc_08",
    "NME by eyes": "nme_interocular",
    "its median": "median_interocular",
    "common AUC@0.08": "common_auc_08",
    "common NME by eyes": "common_nme_interocular",
}
_NETWORK = {"file, MB": "megabytes", "CPU, ms a face": "cpu_ms"}


def results_table(ced: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """The figures of metrics/ced.json, a row for each data set and method."""
    return table(results_rows(ced), names=2)


def results_rows(ced: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[list[str]]:
    rows = [["data set", "method", *_COLUMNS]]
    for dataset, methods in ced.items():
        for method, figures in methods.items():
            cells = (cell(key, figures[key]) for key in _COLUMNS.values())
            rows.append([dataset, METHOD_NAMES.get(method, method), *cells])
    return rows


def groups_table(groups: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]) -> str:
    """The figures of groups.json on one data set, a row for each group."""
    return table(groups_rows(groups), names=2)


def groups_rows(
    groups: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]],
) -> list[list[str]]:
    methods = next(iter(next(iter(groups.values())).values()))
    heads = [f"{method} {head}" for method in methods for head in ("AUC@0.08", "NME")]
    rows = [["by", "group", "images", *heads]]
    for subject, its in groups.items():
        for name, figures in its.items():
            row = [_GROUPED_BY[subject], name, str(next(iter(figures.values()))["images"])]
            for method in figures.values():
                row += [with_interval(method), cell("nme", method["nme"])]
            rows.append(row)
    return rows


def protocol_table(
    results: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]], limit: float
) -> str:
    """The figures of protocol.json, a row for each data set, attribute, norm and method."""
    interval, at = "95 % interval", f"@{limit:.2f}"
    measures = ("NME, %", interval, f"FR{at}, %", interval, f"AUC{at}", interval)
    rows = [["data set", "faces", "divided by", "method", *measures, "images", "undetected"]]
    for dataset, groups in results.items():
        for group, norms in groups.items():
            for norm, methods in norms.items():
                for method, its in methods.items():
                    row = [dataset, group, norm, METHOD_NAMES.get(method, method)]
                    rows.append(row + _protocol_cells(its))
    return table(rows, names=4)


def _protocol_cells(figures: Mapping[str, Any]) -> list[str]:
    def percent(value: float | None, digits: int) -> str:
        return "—" if value is None else f"{100 * value:.{digits}f}"

    cells = []
    for key, digits in (("nme", 2), ("fr", 1)):
        ends = figures[f"{key}_ci95"]
        interval = "—" if ends is None else "–".join(percent(end, digits) for end in ends)
        cells += [percent(figures[key], digits), interval]
    names = ("auc", "auc_ci95", "images", "undetected")
    return cells + [cell(name, figures[name]) for name in names]


def difference_rows(differences: Mapping[tuple[str, str], Difference]) -> list[list[str]]:
    """How much more AUC one method has than another, a row for each two."""
    rows = [["method", "against", "AUC@0.08", "95 % interval", "p", "images", "significant"]]
    for (one, other), its in differences.items():
        low, high = its.ci95
        gain = [f"{its.value:+.4f}", f"{low:+.4f} to {high:+.4f}", f"{its.p:.4f}"]
        rows.append([one, other, *gain, str(its.images), "yes" if its.real else "no"])
    return rows


def with_interval(figures: Mapping[str, Any]) -> str:
    """AUC@0.08, with its 95 % interval if there are enough images for one."""
    auc, interval = (cell(key, figures[key]) for key in ("auc_08", "auc_08_ci95"))
    return auc if figures["images"] < FEWEST else f"{auc} ({interval})"


def recognition_table(figures: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """The figures of metrics/recognition.json, a row for each variant."""
    rows = [["points", "loss", *_RECOGNITION]]
    for points, losses in figures.items():
        for loss, its in losses.items():
            cells = (cell(key, its[key]) for key in _RECOGNITION.values())
            rows.append([points, loss, *cells])
    return table(rows, names=2)


def zoo_table(zoo: Mapping[str, Mapping[str, Any]], datasets: Sequence[str]) -> str:
    """The figures of metrics/zoo.json, a row for each network and one for dlib at the end."""
    rows = [["network", *_NETWORK]]
    for dataset in datasets:
        rows[0] += [f"{dataset} AUC@0.08", "FR@0.08", "NME"]
    for name, network in [*zoo["networks"].items(), ("dlib", zoo["dlib"])]:
        row = [name, *(cell(key, network.get(key)) for key in _NETWORK.values())]
        for dataset in datasets:
            figures = network["figures"][dataset]
            row += [with_interval(figures), *(cell(key, figures[key]) for key in ("fr_08", "nme"))]
        rows.append(row)
    return table(rows, names=1)


def bench_table(bench: Mapping[str, Any]) -> str:
    """The results of `facealign bench`."""
    width, height = bench["picture"]
    rows = [["", "landmarks, ms a face", "with the detector, ms", "file, MB"]]
    for name, figures in bench["steps"].items():
        shown = (figures["landmarks_ms"], figures["picture_ms"], figures["megabytes"])
        rows.append([name, *(f"{value:.1f}" for value in shown)])
    steady = [["on video", "jitter, % of the face", "lag, ms", "error in motion, %"]]
    for name, figures in bench["video"].items():
        shown = (f"{figures['jitter']:.3f}", f"{figures['lag_ms']:.0f}", f"{figures['error']:.2f}")
        steady.append([name.replace("_", " "), *shown])
    rates = bench["pictures_per_second"].items()
    return "\n".join(
        [
            table(rows, names=1),
            "",
            table(steady, names=1),
            "",
            f"One core, {bench['faces']} generated pictures of {width} x {height} with one face.",
            f"`import facealign`: {bench['import_ms']:.0f} ms; until an Aligner is ready: "
            f"{bench['ready_ms']:.0f} ms.",
            f"A folder of {bench['pictures']} such pictures: "
            + "; ".join(
                f"{rate:.0f} a second by {n} process{'' if n == '1' else 'es'}" for n, rate in rates
            )
            + ".",
        ]
    )


def detectors_table(methods: Mapping[str, Mapping[str, Any]]) -> str:
    """The results of `facealign bench --detectors`, a row for each."""
    rows = [["detector", *_DETECTOR]]
    for name, figures in methods.items():
        rows.append([name, *(cell(key, figures[key]) for key in _DETECTOR.values())])
    return table(rows, names=1)


def escape(text: str) -> str:
    """Text of a file, a parameter or a revision, so that Markdown shows it as it is.

    GitHub looks for mentions and addresses in the finished page, where an entity does not hide a
    character; a space without width after it does.

    >>> escape("<b>|@team")
    '&#60;b&#62;&#124;@&#8203;team'
    """
    return _MARKUP.sub(
        lambda found: f"{found[0]}&#8203;" if found["link"] else f"&#{ord(found[0])};",
        printable(text),
    )


def table(rows: Sequence[Sequence[str]], names: int) -> str:
    """A table of texts, which are escaped. The first row has the heads; the first `names` columns
    are aligned left, the others right."""
    rows = [[escape(text) for text in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rule = ["-" * w if i < names else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    lines = [
        [
            text.ljust(width) if i < names else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in rows
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])


def cell(key: str, value: Any) -> str:
    """A figure as text; `key` is its name in metrics/."""
    if value is None:
        return "—"
    if isinstance(value, list):
        return "{:.3f}–{:.3f}".format(*value)
    if key.startswith("fr"):
        return f"{100 * value:.1f} %"
    if key == "megabytes" or key.endswith("_ms"):
        return f"{value:.1f}"
    return str(value) if isinstance(value, int) else f"{value:.4f}"
