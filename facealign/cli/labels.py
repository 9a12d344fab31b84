"""`facealign labels`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from facealign.cli import options


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "labels",
        help="convert labelled faces between annotation tools",
        description="Work with labelled faces in the formats of annotation tools.",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    _add_convert(actions)


def _add_convert(actions: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        actions,
        convert,
        "convert",
        "write labels in another format",
        "Convert labels between folders of .pts or LabelMe files, csv, COCO keypoints, CVAT, "
        "Label Studio, imglab (dlib) and VGG VIA. What the new format cannot hold is refused or "
        "counted. Files that are there already are never changed.",
    )
    parser.add_argument("source", type=Path, metavar="IN", help="a file or folder of labels")
    parser.add_argument("target", type=Path, metavar="OUT", help="the file or folder to write")
    names = "pts, csv, coco, cvat, label-studio, imglab, labelme or via"
    parser.add_argument(
        "--from",
        dest="source_format",
        metavar="FORMAT",
        help=f"the format of IN: {names} (default: by its contents)",
    )
    parser.add_argument(
        "--to",
        dest="target_format",
        metavar="FORMAT",
        help="the format of OUT (default: by its suffix, if one format has it)",
    )
    parser.add_argument(
        "--images",
        type=Path,
        metavar="DIR",
        help="the folder of the images, for formats that hold their names or sizes (default: the "
        "folder of IN)",
    )


def convert(arguments: argparse.Namespace) -> int:
    from facealign.labels import conversion

    done = conversion.convert(
        arguments.source,
        arguments.target,
        arguments.source_format,
        arguments.target_format,
        arguments.images,
    )
    images = len({face.image for face in done.faces})
    counts = sorted({len(face.points) for face in done.faces})
    for what, count in done.left_out.items():
        print(f"left out: {what}: {count}", file=sys.stderr)
    print(
        f"{done.source} to {done.target}: faces: {len(done.faces)}, images: {images}, "
        f"points of a face: {' or '.join(map(str, counts))}"
    )
    return 0
