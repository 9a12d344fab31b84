"""The command `facealign`: parser, dispatch and errors."""

from __future__ import annotations

import argparse
import os
import sys

from facealign import __version__
from facealign.cli import (
    align,
    bench,
    compare,
    dataset,
    embed,
    evaluate,
    export,
    labels,
    predict,
    score,
    serve,
    show,
    video,
    webcam,
)
from facealign.core import cluster
from facealign.core.command import print_any_text, stop_on_sigterm
from facealign.core.errors import FacealignError

# Each module has `add`, which describes the command, and `run`, which imports what it needs: the
# help must be fast.
COMMANDS = (
    predict,
    video,
    webcam,
    serve,
    evaluate,
    score,
    show,
    align,
    embed,
    compare,
    export,
    labels,
    dataset,
    bench,
)


def main() -> None:
    stop_on_sigterm()
    if sys.stdout is None:  # it is closed; printing to a file that is open for reading is an error
        sys.stdout = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    print_any_text()
    arguments = _parser().parse_args()
    # Silence what OpenCV and FFmpeg print about a bad file: our one-line error replaces it
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    if scheduler := getattr(arguments, "scheduler", None):
        os.environ[cluster.VARIABLE] = scheduler
    try:
        status = arguments.run(arguments)
        sys.stdout.flush()  # while an error can still be reported
        sys.exit(status)
    except FacealignError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of the output has closed it
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:  # a folder that cannot be written, a full disk
        sys.stdout = None  # Python would flush it and fail again
        sys.exit(f"error: {error.filename or 'output'}: {error.strerror or error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="facealign",
        description="Find the 68 iBUG/300-W landmarks of faces in images and video.",
        epilog="The networks `open` and `open-small` and the face detectors may be used in "
        "products. `cascade` (the default), `small` and the recogniser of `embed` and `compare` "
        "are for research only: the terms of their training data exclude commercial use.",
    )
    parser.add_argument("--version", action="version", version=f"facealign {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
