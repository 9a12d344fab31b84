"""`facealign bench`."""

from __future__ import annotations

import argparse
import json
import sys

from facealign.cli import options

FACES, PICTURES, FEW = 40, 200, 20


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "bench",
        "measure inference speed, compared with dlib's predictor",
        "Measure inference speed: time the landmark step after the detector, and dlib's 68-point "
        "predictor after dlib's detector, on images with one face. Also time the import and a "
        "folder of images.",
    )
    parser.add_argument(
        "--model",
        action="append",
        help="as in `facealign predict`; may be repeated (default: all released weights)",
    )
    options.add_detector(parser)
    parser.add_argument(
        "--faces",
        type=options.count,
        default=FACES,
        metavar="N",
        help=f"faces to time (default: {FACES})",
    )
    parser.add_argument(
        "--pictures",
        type=options.count,
        default=PICTURES,
        metavar="N",
        help=f"images in the folder (default: {PICTURES})",
    )
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")


def run(arguments: argparse.Namespace) -> int:
    from facealign.inference import benchmark, weights
    from facealign.inference.aligner import Aligner
    from facealign.reports import markdown

    if min(arguments.faces, arguments.pictures // 5) < FEW:
        print(
            f"few faces or images, so the figures vary; the defaults are {FACES} and {PICTURES}",
            file=sys.stderr,
        )
    models = arguments.model or weights.released()
    aligners = {
        model: Aligner(model, arguments.detector, arguments.device, (0,), 1) for model in models
    }
    options.say_device(arguments, aligners[models[0]])
    figures = benchmark.bench(
        aligners,
        options.find_baseline(),
        arguments.faces,
        arguments.pictures,
    )
    print(json.dumps(figures, indent=2) if arguments.json else markdown.bench_table(figures))
    return 0
