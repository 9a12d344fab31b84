"""`facealign webcam`."""

from __future__ import annotations

import argparse
from pathlib import Path

from facealign.cli import options


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "webcam",
        "show a camera's video with landmarks",
        "Show a camera's video with the landmarks drawn, until q or Esc is pressed.",
    )
    parser.add_argument(
        "--camera",
        default="0",
        metavar="N",
        help="the camera's number, or a stream's URL (default: 0)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="also write the video, .mp4 or .avi"
    )
    options.add_smooth(parser)
    options.add_model(parser)
    options.add_selection(parser)


def run(arguments: argparse.Namespace) -> int:
    from facealign.inference import video

    video.watch(arguments.camera, arguments.out, options.load_tracker(arguments))
    return 0
