"""`facealign labels`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from facealign.cli import corrections, options

if TYPE_CHECKING:
    pass


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "labels",
        help="convert and correct labelled faces",
        description="Work with labelled faces in the formats of annotation tools.",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    _add_convert(actions)
    corrections.add(actions)


def _add_convert(actions: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        actions,
        convert,
        "convert",
        "write labels in another format or scheme of points",
        "Convert labels between folders of .pts or LabelMe files, csv, COCO keypoints, CVAT, "
        "Label Studio, imglab (dlib) and VGG VIA, and to other schemes of points. What cannot be "
        "converted is refused or counted. Files that are there already are never changed.",
    )
    parser.add_argument("source", type=Path, metavar="IN", help="a file or folder of labels")
    parser.add_argument(
        "target",
        type=Path,
        metavar="OUT",
        help="the file or folder to write; with --learn, labels of the same images in the other "
        "scheme, which are read",
    )
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
        "folder of IN; with --learn, of OUT for OUT)",
    )
    _add_schemes(parser)


def _add_schemes(parser: argparse.ArgumentParser) -> None:
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--points",
        type=options.count,
        metavar="N",
        help="convert the points to the scheme of N points, such as 98 points to 68",
    )
    ways.add_argument(
        "--map", type=Path, metavar="FILE", help="convert the points by a map that was learnt"
    )
    ways.add_argument(
        "--learn",
        type=Path,
        metavar="FILE",
        help="learn the map from the points of IN to those of OUT, of the same images, and write "
        "it to FILE, such as map.json",
    )
    options.add_own_schemes(parser)


def convert(arguments: argparse.Namespace) -> int:
    from facealign.labels import conversion, learnt_map, schemes

    options.adopt_schemes(arguments.schemes)
    if arguments.learn:
        return _learn(arguments)
    change = None
    if arguments.points:
        change = schemes.by_fixed_map(arguments.points)
    elif arguments.map:
        change = schemes.by_learnt_map(learnt_map.load(arguments.map))
    done = conversion.convert(
        arguments.source,
        arguments.target,
        arguments.source_format,
        arguments.target_format,
        arguments.images,
        change,
    )
    images = len({face.image for face in done.faces})
    counts = sorted({len(face.points) for face in done.faces})
    options.report_left_out(done.left_out)
    print(
        f"{done.source} to {done.target}: faces: {len(done.faces)}, images: {images}, "
        f"points of a face: {' or '.join(map(str, counts))}"
    )
    return 0


def _learn(arguments: argparse.Namespace) -> int:
    from facealign.core.files import require_new
    from facealign.labels import learning, learnt_map

    require_new(arguments.learn)
    done = learning.learn(
        arguments.source,
        arguments.target,
        arguments.source_format,
        arguments.target_format,
        arguments.images,
    )
    options.report_left_out(done.left_out)
    learnt_map.save(done.map, arguments.learn)
    fixed = "there is none" if done.fixed_nme is None else f"{done.fixed_nme:.4f}"
    print(
        f"{done.map.source} to {done.map.target}: faces: {done.map.faces}"
        f"{', and their mirror images' if done.map.mirrored else ''}\n"
        f"NME on faces that it was not learnt from: {done.map.held_out_nme:.4f}, by the fixed map: "
        f"{fixed}"
    )
    return 0
