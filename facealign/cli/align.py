"""`facealign align`."""

from __future__ import annotations

import argparse

from facealign.cli import options


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "align",
        "crop faces, upright and of one size",
        "Crop each face, rotated, scaled and shifted so that its points lie where those of an "
        "average face do. Nothing is stretched. Further faces of a picture are NAME_2, NAME_3 and "
        "so on.",
    )
    options.add_pictures(parser)
    parser.add_argument(
        "--points",
        type=int,
        choices=[2, 3, 5],
        default=5,
        help="align the eyes, eyes and nose, or eyes, nose and mouth corners (default: 5)",
    )
    parser.add_argument(
        "--size", type=options.pixels, default=112, metavar="N", help="side, pixels (default: 112)"
    )
    parser.add_argument(
        "--out", type=options.folder, metavar="DIR", required=True, help="for NAME.png of each face"
    )
    options.add_model(parser)


def run(arguments: argparse.Namespace) -> int:
    from facealign.inference import folders

    aligner = options.load_aligner(arguments)
    return folders.align(arguments.paths, arguments.points, arguments.size, arguments.out, aligner)
