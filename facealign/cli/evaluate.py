"""`facealign evaluate`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facealign.cli import options

if TYPE_CHECKING:
    from facealign.inference.annotated import Report


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "evaluate",
        "measure accuracy on annotated images",
        "Measure the network, and dlib's predictor on the same boxes, on a folder of images with "
        "landmarks, in .pts files beside them or in a table. Subfolders are data sets. Write "
        "ced.json, groups.json (by yaw, sharpness, size and part of the face), CED figures and a "
        "contact sheet of faces from the smallest error to the largest.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of annotated images")
    options.add_table(parser)
    parser.add_argument(
        "--out",
        type=options.folder,
        default=Path("evaluation"),
        metavar="DIR",
        help="folder for the results (default: evaluation)",
    )
    parser.add_argument(
        "--protocol",
        choices=("300w", "wflw", "cofw", "menpo", "aflw2000"),
        help="also measure as this data set's published protocol does, for all faces and for those "
        "of each attribute: write protocol.json, print its figures instead of the other tables, "
        "and draw the curves up to its limit",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print ced.json (with --protocol, protocol.json) instead of the tables",
    )
    parser.add_argument(
        "--calibrate",
        type=Path,
        metavar="DIR",
        help="images with .pts files by the same annotators: subtract the mean per-point offset "
        "measured on these images",
    )
    options.add_model(parser, detector="dlib")  # whose rectangle the metric is defined by
    options.add_scheduler(parser)


def run(arguments: argparse.Namespace) -> int:
    from facealign.core import files, images
    from facealign.evaluation import protocols
    from facealign.inference import annotated
    from facealign.reports import contact_sheet

    aligner = options.load_aligner(arguments)
    known, dropped = annotated.known_faces(arguments.folder, arguments.csv)
    if arguments.protocol:
        protocols.require(arguments.protocol, known)
    for dataset in annotated.splits_together(known):
        print(
            f"warning: {dataset} has images of both train and test, which are measured together; "
            "to measure one split, give its folder",
            file=sys.stderr,
        )
    others = None
    if arguments.calibrate:
        others, left_out = annotated.other_faces(arguments.calibrate, known)
        dropped = dropped + left_out
    baseline = None
    if not arguments.protocol or protocols.has_dlibs_points(arguments.protocol):
        baseline = options.find_baseline()
    report = annotated.score(known, dropped, aligner, baseline, others)
    if others:
        print(f"calibrated on {report.calibrated} of {len(others)} faces", file=sys.stderr)
    files.write_json(arguments.out / "ced.json", report.summary)
    files.write_json(arguments.out / "groups.json", report.groups)
    best = report.tested["model"]
    if len(best.faces):
        sheet = contact_sheet.best_to_worst(Path(), best.faces, best.points, best.errors)
        images.write(arguments.out / "faces.jpg", sheet)
    _draw_curves(report, arguments.protocol, arguments.out)
    for reason in report.dropped:
        print(f"dropped: {reason}", file=sys.stderr)
    for path in report.undetected.images:
        print(f"no face found: {path}", file=sys.stderr)
    if arguments.protocol:
        _print_protocol(report, arguments)
    elif arguments.json:
        print((arguments.out / "ced.json").read_text(encoding="utf-8"), end="")
    else:
        _print_tables(report)
    return 0


def _draw_curves(report: Report, protocol: str | None, out: Path) -> None:
    from facealign.evaluation import protocols, scoring

    try:
        from facealign.reports import ced_figures
    except ModuleNotFoundError:
        print("no CED figures: pip install '.[figures]' in a clone", file=sys.stderr)
        return
    tested = report.tested
    way: dict[str, Any] = {}
    if protocol:
        its = protocols.PROTOCOLS[protocol]
        tested = protocols.normalised(tested, its.norms[0])
        way = {"norm": protocols.NORMS[its.norms[0]].words, "limit": its.limit}
    for dataset, errors in scoring.by_dataset(tested).items():
        ced_figures.ced_figure(errors, dataset, out / dataset, **way)


def _print_protocol(report: Report, arguments: argparse.Namespace) -> None:
    from facealign.core import files
    from facealign.evaluation import protocols
    from facealign.inference.annotated import CED
    from facealign.reports import markdown

    name, path = arguments.protocol, arguments.out / "protocol.json"
    its = protocols.PROTOCOLS[name]
    count = report.tested["model"].distances.shape[1]
    if count != its.count:
        print(
            f"warning: measured on {count} points, which the network has in common with the "
            f"faces; published figures of {name} are those of {its.count}",
            file=sys.stderr,
        )
    results = protocols.measure(name, report.tested, report.undetected, CED)
    norms = {norm: protocols.NORMS[norm].words for norm in its.norms}
    head = {"protocol": name, "points": count, "limit": its.limit, "norms": norms}
    files.write_json(path, {**head, "figures": results})
    if arguments.json:
        print(path.read_text(encoding="utf-8"), end="")
        return
    print(markdown.protocol_table(results, its.limit))
    print()
    for norm, words in norms.items():
        print(f"{norm}: {words}")


def _print_tables(report: Report) -> None:
    from facealign.reports import markdown

    print(markdown.results_table(report.summary))
    for dataset, groups in report.groups.items():
        print(f"\n{dataset}\n\n{markdown.groups_table(groups)}")
    if report.correlation is not None:
        print(f"\nRank correlation of scores and errors of all points: {report.correlation:.3f}")
