"""`facealign predict`."""

from __future__ import annotations

import argparse

from facealign.cli import options


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "predict",
        "find the landmarks of pictures: json, pts or csv",
        "Find the faces of pictures and their 68 points. Without --out the result goes to the "
        "standard output: a line of JSON for each picture, or one table.",
    )
    options.add_pictures(parser)
    parser.add_argument("--format", choices=["json", "pts", "csv"], default="json")
    parser.add_argument(
        "--out",
        type=options.folder,
        metavar="DIR",
        help="write NAME.json or NAME.pts for each picture, or landmarks.csv, to this folder",
    )
    parser.add_argument(
        "--overlay", action="store_true", help="also write NAME.jpg with the points drawn"
    )
    options.add_model(parser)


def run(arguments: argparse.Namespace) -> int:
    from facealign.inference import folders

    aligner = options.load_aligner(arguments)
    return folders.predict(
        arguments.paths, arguments.format, arguments.out, arguments.overlay, aligner
    )
