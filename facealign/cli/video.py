"""`facealign video`."""

from __future__ import annotations

import argparse
from pathlib import Path

from facealign.cli import options
from facealign.core.errors import ConfigError


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "video",
        "track the faces of a video and draw their landmarks",
        "Track the faces of a video and draw their smoothed points. The fast detector runs "
        "on every frame, dlib's once a second and when a face is lost. Sound is not kept.",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="VIDEO",
        help="a video file; with --folder any number of videos, folders or glob patterns",
    )
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
    parser.add_argument(
        "--folder",
        type=options.folder,
        metavar="DIR",
        help="for any number of videos, in parallel: write VIDEO.jsonl (talk.mp4.jsonl) of each "
        "to this folder, and manifest.jsonl, which lists them and the videos that cannot be read",
    )
    options.add_list(parser)
    parser.add_argument(
        "--resume",
        action="store_true",
        help="with --folder: leave out the videos that an earlier run finished",
    )
    options.add_smooth(parser)
    options.add_model(parser)
    options.add_selection(parser)
    options.add_scheduler(parser)


def run(arguments: argparse.Namespace) -> int:
    from facealign.inference import video

    if arguments.folder is not None:
        return _run_many(arguments)
    if len(arguments.paths) > 1 or arguments.lists or arguments.resume:
        raise ConfigError("--list, --resume and several videos need --folder DIR")
    if not arguments.paths:
        raise ConfigError("expected a VIDEO")
    source, out = Path(arguments.paths[0]), arguments.out
    if out is None and arguments.json is None:
        out = Path(f"{source.stem}_landmarks.mp4")
    video.annotate(source, out, arguments.json, options.load_tracker(arguments))
    return 0


def _run_many(arguments: argparse.Namespace) -> int:
    from facealign.inference import films, listing

    if arguments.out is not None or arguments.json is not None:
        raise ConfigError("--folder takes the place of --out and --json")
    if not arguments.paths and not arguments.lists:
        raise ConfigError("expected a VIDEO, or a list of videos with --list")
    smooth = not arguments.no_smooth
    return films.track(
        listing.find_videos(arguments.paths, arguments.lists),
        arguments.folder,
        arguments.resume,
        options.load_film_aligner(arguments, threads=1),
        smooth,
        options.made_with(arguments) | {"smooth": smooth},
    )
