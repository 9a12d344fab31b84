"""`facealign compare`."""

from __future__ import annotations

import argparse

from facealign.cli import options


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "compare",
        "how similar the faces of two images are",
        "Print the cosine similarity of each face in one image to each face in the other, 1 for "
        "identical images, and how many pairs of real photographs are more similar. It is no "
        "verdict: people in one photograph are often as similar as two photographs of one person.",
    )
    parser.add_argument("one", metavar="A", help="an image")
    parser.add_argument("other", metavar="B", help="another image")
    parser.add_argument(
        "--json", action="store_true", help="print pairs and what was measured as JSON"
    )
    options.add_recogniser(parser)
    options.add_model(parser)
    options.add_selection(parser)


def run(arguments: argparse.Namespace) -> int:
    from facealign.recognition import commands

    recogniser = commands.load(arguments.recogniser, arguments.device)
    aligner = options.load_aligner(arguments)
    return commands.compare(arguments.one, arguments.other, recogniser, aligner, arguments.json)
