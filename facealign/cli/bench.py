"""`facealign bench`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from facealign.cli import options
from facealign.core import cluster
from facealign.core.errors import ConfigError
from facealign.detectors import DEFAULT, DETECTORS
from facealign.inference import weights

FACES, PICTURES, FEW = 40, 200, 20


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "bench",
        "measure inference speed, compared with dlib's predictor",
        "Measure inference speed: time the landmark step after the detector, and dlib's 68-point "
        "predictor after dlib's detector, on images with one face. Also time the import and a "
        "folder of images. With --detectors, compare all face detectors on annotated images "
        "instead.",
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
    parser.add_argument(
        "--detectors",
        type=Path,
        metavar="DIR",
        help="compare all face detectors on this folder of images with a .pts file beside each: "
        "faces found and missed, false ones (also real faces that the .pts do not mark), median "
        f"processor time, and errors of the landmarks of --model (default: {weights.DEFAULT}) in "
        "their boxes; also MediaPipe's face mesh, where mediapipe is installed",
    )
    parser.add_argument(
        "--turned",
        action="store_true",
        help="with --detectors: also on each image turned by a random angle, seeded by its name",
    )
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")


def run(arguments: argparse.Namespace) -> int:
    os.environ.pop(cluster.VARIABLE, None)  # the times are this machine's
    if arguments.detectors:
        return _compare_detectors(arguments)
    if arguments.turned:
        raise ConfigError("--turned: expected --detectors DIR, too")
    from facealign.inference import benchmark
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


def _compare_detectors(arguments: argparse.Namespace) -> int:
    from facealign.inference import annotated, detector_comparison, face_mesh
    from facealign.inference.aligner import Aligner
    from facealign.reports import markdown

    for name, default in (("detector", DEFAULT), ("faces", FACES), ("pictures", PICTURES)):
        if getattr(arguments, name) != default:
            raise ConfigError(f"--{name}: not with --detectors, which compares all of them")
    model, *more = arguments.model or [weights.DEFAULT]
    if more:
        raise ConfigError("--detectors compares with one network: give --model once")
    aligners = {name: Aligner(model, name, arguments.device, threads=1) for name in DETECTORS}
    options.say_device(arguments, next(iter(aligners.values())))
    known, dropped = annotated.known_faces(arguments.detectors, None)
    others = {"MediaPipe's face mesh": face_mesh.find_faces} if face_mesh.is_installed() else {}
    compared = {
        "turned" if turned else "unturned": detector_comparison.compare(
            known, aligners, others, turned
        )
        for turned in ([False, True] if arguments.turned else [False])
    }
    for reason in dropped + compared["unturned"].unreadable:
        print(f"dropped: {reason}", file=sys.stderr)
    if arguments.json:
        print(json.dumps({name: asdict(one) for name, one in compared.items()}, indent=2))
        return 0
    for name, one in compared.items():
        print(f"{one.images} images, {name}; landmarks by {model}\n")
        print(markdown.detectors_table(one.methods))
        print(f"\nCommon: the {one.common} faces that every detector finds.\n")
    return 0
