"""`facealign evaluate`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from facealign.cli import options


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "evaluate",
        "measure accuracy on annotated images",
        "Measure the network, and dlib's predictor on the same boxes, on a folder of images with "
        "68 points each, in .pts files beside them or in a table. Subfolders are data sets. Write "
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
    parser.add_argument("--json", action="store_true", help="print ced.json instead of the table")
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
    from facealign.evaluation import scoring
    from facealign.inference import annotated
    from facealign.reports import contact_sheet, markdown

    aligner = options.load_aligner(arguments)
    known, dropped = annotated.known_faces(arguments.folder, arguments.csv)
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
    report = annotated.score(known, dropped, aligner, options.find_baseline(), others)
    if others:
        print(f"calibrated on {report.calibrated} of {len(others)} faces", file=sys.stderr)
    files.write_json(arguments.out / "ced.json", report.summary)
    files.write_json(arguments.out / "groups.json", report.groups)
    best = report.tested["model"]
    if len(best.faces):
        sheet = contact_sheet.best_to_worst(Path(), best.faces, best.points, best.errors)
        images.write(arguments.out / "faces.jpg", sheet)
    try:
        from facealign.reports import ced_figures
    except ModuleNotFoundError:
        print("no CED figures: pip install '.[figures]' in a clone", file=sys.stderr)
    else:
        for dataset, errors in scoring.by_dataset(report.tested).items():
            ced_figures.ced_figure(errors, dataset, arguments.out / dataset)
    for reason in report.dropped:
        print(f"dropped: {reason}", file=sys.stderr)
    for path in report.undetected:
        print(f"no face found: {path}", file=sys.stderr)
    if arguments.json:
        print((arguments.out / "ced.json").read_text(encoding="utf-8"), end="")
        return 0
    print(markdown.results_table(report.summary))
    for dataset, groups in report.groups.items():
        print(f"\n{dataset}\n\n{markdown.groups_table(groups)}")
    if report.correlation is not None:
        print(f"\nRank correlation of scores and errors of all points: {report.correlation:.3f}")
    return 0
