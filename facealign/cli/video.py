"""`facealign video`."""

from __future__ import annotations

import argparse
from pathlib import Path

from facealign.cli import options


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "video",
        "track the faces of a video and draw their landmarks",
        "Track the faces of a video and draw their smoothed points. The detector runs once a "
        "second and when a face is lost. Sound is not kept.",
    )
    parser.add_argument("source", type=Path, metavar="VIDEO", help="a video file")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=".mp4 or .avi (default: VIDEO_landmarks.mp4 in the current folder)",
    )
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="write a line of JSON for each frame (-: to standard output); a video is then written "
        "only with --out",
    )
    options.add_smooth(parser)
    options.add_model(parser)
    options.add_selection(parser)


def run(arguments: argparse.Namespace) -> int:
    from facealign.inference import video

    source, out = arguments.source, arguments.out
    if out is None and arguments.json is None:
        out = Path(f"{source.stem}_landmarks.mp4")
    video.annotate(source, out, arguments.json, options.load_tracker(arguments))
    return 0
