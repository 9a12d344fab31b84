"""`facealign predict`."""

from __future__ import annotations

import argparse

from facealign.cli import options


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "predict",
        "find landmarks in images; output as json, pts or csv",
        "Find the faces in images and their 68 points. Without --out the result is printed to "
        "standard output: a line of JSON for each image, or one table.",
    )
    options.add_images(parser)
    parser.add_argument(
        "--format", choices=["json", "pts", "csv"], default="json", help="default: json"
    )
    parser.add_argument(
        "--out",
        type=options.folder_or_table,
        metavar="DIR",
        help="write NAME.json or NAME.pts for each image, or landmarks.csv, to this folder; "
        "FILE.csv names the table itself. Files that are there already are never changed",
    )
    parser.add_argument(
        "--overlay", action="store_true", help="also write NAME.jpg with the points drawn"
    )
    options.add_model(parser)
    options.add_selection(parser)
    options.add_scheduler(parser)


def run(arguments: argparse.Namespace) -> int:
    from facealign.inference import folders

    aligner = options.load_aligner(arguments)
    return folders.predict(
        arguments.paths, arguments.format, arguments.out, arguments.overlay, aligner
    )
