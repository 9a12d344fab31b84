"""`facealign align`."""

from __future__ import annotations

import argparse

from facealign.cli import options


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "align",
        "crop upright faces of one size",
        "Crop each face and align its points to those of an average face by rotation, scaling "
        "and translation. Nothing is stretched. Further faces in an image are saved as NAME_2, "
        "NAME_3 and so on.",
    )
    options.add_images(parser)
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
        "--out",
        type=options.folder,
        metavar="DIR",
        required=True,
        help="folder for the crops, NAME.png",
    )
    options.add_model(parser)
    options.add_selection(parser)
    options.add_scheduler(parser)


def run(arguments: argparse.Namespace) -> int:
    from facealign.inference import folders

    aligner = options.load_aligner(arguments)
    return folders.align(arguments.paths, arguments.points, arguments.size, arguments.out, aligner)
