"""Options that several commands share."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facealign import detectors
from facealign.core import cluster
from facealign.core.errors import ConfigError, FacealignError
from facealign.inference import weights

if TYPE_CHECKING:
    from facealign.inference.aligner import Aligner
    from facealign.inference.tracker import Tracker

SELECTION = ("min_score", "min_size", "largest")
Commands = argparse._SubParsersAction  # argparse has no public name for it


def add_command(
    commands: Commands[argparse.ArgumentParser],
    run: Callable[[argparse.Namespace], int],
    name: str,
    summary: str,
    description: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=description)
    parser.set_defaults(run=run)
    return parser


def add_images(parser: argparse.ArgumentParser, least: str = "+") -> None:
    parser.add_argument(
        "paths", nargs=least, metavar="PATH", help="images, folders or glob patterns"
    )


def add_list(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--list",
        dest="lists",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a text file with a path in each line; - is the standard input",
    )


def add_scheduler(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="work on the Dask cluster with this scheduler, such as tcp://host:8786, instead of "
        f"this machine's cores (default: the variable {cluster.VARIABLE})",
    )


def add_model(
    parser: argparse.ArgumentParser,
    default: str | None = weights.DEFAULT,
    detector: str = detectors.DEFAULT,
) -> None:
    """--model, --detector and --device."""
    parser.add_argument(
        "--model",
        default=default,
        help=f"{', '.join(weights.released())}, an .onnx file, or a checkpoint (.pt), which needs "
        f"torch (default: {default or 'draw the true points only'})",
    )
    add_detector(parser, detector)


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Which of the found faces count."""
    parser.add_argument(
        "--min-score",
        type=number,
        default=0.0,
        metavar="S",
        help="ignore faces with a lower score of the detector (fast: 0 to 1, dlib: from 0 on)",
    )
    parser.add_argument(
        "--min-size",
        type=number,
        default=0.0,
        metavar="PIXELS",
        help="ignore faces with a smaller box",
    )
    parser.add_argument(
        "--largest", action="store_true", help="only the largest face of each image"
    )


def add_detector(parser: argparse.ArgumentParser, default: str = detectors.DEFAULT) -> None:
    """--detector and --device."""
    parser.add_argument(
        "--detector",
        default=default,
        help=f"face detector: {', '.join(detectors.DETECTORS)} (default: {default})",
    )
    parser.add_argument(
        "--device",
        default="cpu",
        help="where the networks run, except the detector's: cpu, cuda or cuda:N (with "
        "onnxruntime-gpu), coreml (on macOS), openvino (with onnxruntime-openvino), or auto: the "
        "first of cuda, coreml, openvino and cpu that works (default: cpu)",
    )


def add_recogniser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--recogniser",
        type=Path,
        metavar="FILE",
        help="a recogniser.onnx from `make recognition` (default: the bundled one)",
    )


def add_table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--csv",
        type=Path,
        metavar="FILE",
        help="a table in the format of the facial-keypoints course: a header, then a row for each "
        "image with its name and 136 coordinates, in pixels counted from 1",
    )


def add_smooth(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-smooth", action="store_true", help="do not smooth the points over time"
    )


def load_aligner(
    arguments: argparse.Namespace,
    upsample: Sequence[int] = (0, 1),
    threads: int | None = 1,  # a process per core
) -> Aligner:
    """The aligner of --model, --detector and --device."""
    from facealign.inference.aligner import Aligner

    model = arguments.model or weights.DEFAULT
    if "scheduler" in arguments and os.environ.get(cluster.VARIABLE) and model.endswith(".pt"):
        # it would be exported to a temporary folder of this machine
        raise ConfigError(
            f"{model}: the workers of a cluster need an ONNX file: first facealign export {model} "
            f"--out {Path(model).stem}.onnx"
        )
    selection = {name: getattr(arguments, name) for name in SELECTION if name in arguments}
    aligner = Aligner(model, arguments.detector, arguments.device, upsample, threads, **selection)
    say_device(arguments, aligner)
    return aligner


def say_device(arguments: argparse.Namespace, aligner: Aligner) -> None:
    if arguments.device == "auto":
        print(f"device: {aligner.device}", file=sys.stderr)


def load_tracker(arguments: argparse.Namespace) -> Tracker:
    from facealign.inference.tracker import Tracker

    return Tracker(load_film_aligner(arguments, threads=None), smooth=not arguments.no_smooth)


def load_film_aligner(arguments: argparse.Namespace, threads: int | None) -> Aligner:
    """Frames are not enlarged for the detector: one without a face would take five times as
    long."""
    return load_aligner(arguments, upsample=(0,), threads=threads)


def made_with(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options of --model, --detector and --min-score and so on that decide the results."""
    from facealign.core.files import sha256

    return {name: getattr(arguments, name) for name in SELECTION} | {
        "model_sha256": sha256(weights.find_model(arguments.model)),
        "detector": arguments.detector,
    }


def find_baseline() -> Path | None:
    """The file of dlib's predictor, if it is installed."""
    from facealign.faces import dlib_predictor

    try:
        return dlib_predictor.predictor_file(dlib_predictor.PUBLISHED)
    except FacealignError:
        print("dlib's predictor is omitted: pip install '.[baseline]' in a clone", file=sys.stderr)
        return None


def number(text: str) -> float:
    try:
        if math.isfinite(value := float(text)) and value >= 0:
            return value
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r}, expected a number from 0 on")


def count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r}, expected a positive integer")
    return int(text)


def pixels(text: str) -> int:
    if not text.isdecimal() or not 16 <= int(text) <= 4096:
        raise argparse.ArgumentTypeError(f"{text!r}, expected an integer from 16 to 4096")
    return int(text)


def port(text: str) -> int:
    if not text.isdecimal() or not int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r}, expected an integer from 0 to 65535")
    return int(text)


def folder(text: str) -> Path:
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a file, expected a folder")
    return path


def folder_or_table(text: str) -> Path:
    return Path(text) if text.lower().endswith(".csv") else folder(text)


def add_own_schemes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scheme",
        dest="schemes",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a scheme of your own that the labels have, such as schemes/example.yaml or the "
        "pipeline's data/scheme.json; may be repeated",
    )


def adopt_schemes(own: Sequence[Path]) -> None:
    from facealign.core import config
    from facealign.core.schemes import files

    for path in own:
        if path.suffix == ".json":
            files.adopt(path)
        else:
            files.of(config.load_yaml(path), path)


def report_left_out(left_out: Counter[str]) -> None:
    for what, count in left_out.items():
        print(f"left out: {what}: {count}", file=sys.stderr)
