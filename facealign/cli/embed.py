"""`facealign embed`."""

from __future__ import annotations

import argparse

from facealign.cli import options


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "embed",
        "compute face embeddings",
        "Print a line of JSON for each image: the boxes and embeddings of its faces. Embeddings "
        "have length 1: dot product = cosine similarity.",
    )
    options.add_images(parser)
    options.add_recogniser(parser)
    options.add_model(parser)
    options.add_selection(parser)
    options.add_scheduler(parser)


def run(arguments: argparse.Namespace) -> int:
    from facealign.recognition import commands

    recogniser = commands.load(arguments.recogniser, arguments.device)
    return commands.embed(arguments.paths, recogniser, options.load_aligner(arguments))
