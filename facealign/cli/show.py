"""`facealign show`."""

from __future__ import annotations

import argparse
from pathlib import Path

from facealign.cli import options
from facealign.core.errors import ConfigError


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "show",
        "draw contact sheets of a folder's faces",
        "Draw the faces of a folder, many on a page: true points (from .pts files or a table) in "
        "green, a network's points in red, with its error. Without true points, draw the faces "
        "and points that the network finds.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of images")
    options.add_table(parser)
    options.add_model(parser, default=None)
    options.add_selection(parser)
    parser.add_argument(
        "--worst", action="store_true", help="show the largest errors first; needs --model"
    )
    parser.add_argument(
        "--out",
        type=options.folder,
        default=Path("sheets"),
        metavar="DIR",
        help="folder for the pages (default: sheets)",
    )


def run(arguments: argparse.Namespace) -> int:
    from facealign.inference import gallery

    predicted = arguments.model is not None
    if arguments.worst and not predicted:
        raise ConfigError("--worst sorts by a network's errors: choose one with --model")
    return gallery.show(
        arguments.folder,
        arguments.csv,
        options.load_aligner(arguments),
        predicted,
        arguments.worst,
        arguments.out,
    )
