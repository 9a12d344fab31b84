"""The command `facealign`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from facealign import __version__
from facealign.errors import FacealignError

# What a command needs is imported when it runs: `facealign --help` must not take a second.


def main() -> None:
    arguments = _parser().parse_args()
    try:
        sys.exit(arguments.run(arguments))
    except FacealignError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # whoever read the output has seen enough
        sys.stderr.close()
        sys.exit(141)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="facealign", description="The 68 iBUG/300-W landmarks of the faces in pictures."
    )
    parser.add_argument("--version", action="version", version=f"facealign {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    predict = commands.add_parser(
        "predict",
        help="landmarks of pictures, as json, pts or csv",
        description="Find the faces of pictures and their 68 points. Without --out the result goes "
        "to the standard output: a line of JSON for each picture, or one table.",
    )
    predict.add_argument("paths", nargs="+", metavar="PATH", help="pictures, folders or patterns")
    predict.add_argument("--format", choices=["json", "pts", "csv"], default="json")
    predict.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="write NAME.json or NAME.pts for each picture, or landmarks.csv, into this folder",
    )
    predict.add_argument(
        "--overlay", action="store_true", help="write NAME.jpg with the points drawn into DIR, too"
    )
    _add_model(predict)
    predict.set_defaults(run=_predict)
    return parser


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", default="cascade", help="released weights, or an .onnx file (default: cascade)"
    )


def _predict(arguments: argparse.Namespace) -> int:
    from facealign import folders

    return folders.predict(
        arguments.paths, arguments.format, arguments.out, arguments.overlay, arguments.model
    )


if __name__ == "__main__":
    main()
