"""`facealign dataset`."""

from __future__ import annotations

import argparse
from pathlib import Path

from facealign.cli import options


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "dataset",
        "read a published data set as it is released",
        "Make a published data set folders of images with a .pts beside each, OUT/NAME/train and "
        "OUT/NAME/test, which the other commands read, and a table of the images' attributes, "
        "attributes.csv, where it has some. The files are linked where possible, so that the "
        "images take no more space. The names and what is read of each: docs/how-to/datasets.md.",
    )
    parser.add_argument(
        "source",
        type=Path,
        metavar="SOURCE",
        help="the folder with the unpacked files of the data set, or a .tgz of it",
    )
    parser.add_argument("out", type=options.folder, metavar="OUT", help="an empty or a new folder")


def run(arguments: argparse.Namespace) -> int:
    from facealign.core import images
    from facealign.data import archive

    archive.extract(arguments.source, arguments.out)
    for dataset in sorted(arguments.out.iterdir()):
        for split in sorted(path for path in dataset.iterdir() if path.is_dir()):
            count = sum(1 for _ in images.walk(split))
            print(f"{split}: {count} images")
    return 0
