"""`facealign predict`."""

from __future__ import annotations

import argparse
from pathlib import Path

from facealign.cli import options
from facealign.core.errors import ConfigError


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "predict",
        "find landmarks in images; output as json, pts or csv",
        "Find the faces in images and their 68 points. Without --out the result is printed to "
        "standard output: a line of JSON for each image, or one table.",
    )
    options.add_images(parser, least="*")
    parser.add_argument(
        "--format", choices=["json", "pts", "csv", "parquet"], default="json", help="default: json"
    )
    parser.add_argument(
        "--out",
        type=_folder_table_or_url,
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
    many = parser.add_argument_group(
        "any number of images",
        "With --parts a PATH may also be a .tar file or a URL such as s3://bucket/photos, and "
        "--out a URL; images are listed as they are needed.",
    )
    many.add_argument(
        "--parts",
        type=options.count,
        metavar="N",
        help="write json, csv or parquet files of N images each to --out, and manifest.jsonl, "
        "which lists them and the images that cannot be read",
    )
    options.add_list(many)
    many.add_argument(
        "--resume", action="store_true", help="go on after the last file that an earlier run wrote"
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.parts is not None:
        return _run_in_parts(arguments)
    from facealign.inference import folders

    for option, given in (
        (f"--out {arguments.out}", isinstance(arguments.out, str)),
        ("--list", arguments.lists),
        ("--resume", arguments.resume),
        ("--format parquet", arguments.format == "parquet"),
    ):
        if given:
            raise ConfigError(f"{option} is for many images: add --parts N, such as --parts 1000")
    if not arguments.paths:
        raise ConfigError("expected a PATH: an image, a folder or a glob pattern")
    aligner = options.load_aligner(arguments)
    return folders.predict(
        arguments.paths, arguments.format, arguments.out, arguments.overlay, aligner
    )


def _run_in_parts(arguments: argparse.Namespace) -> int:
    from facealign.inference import parts

    if arguments.out is None or str(arguments.out).endswith(".csv") or arguments.overlay:
        raise ConfigError("--parts writes files to a folder: name it with --out, without --overlay")
    return parts.predict(
        arguments.paths,
        arguments.lists,
        arguments.format,
        str(arguments.out),
        arguments.parts,
        arguments.resume,
        options.load_aligner(arguments),
        options.made_with(arguments),
    )


def _folder_table_or_url(text: str) -> Path | str:
    return text if "://" in text else options.folder_or_table(text)
