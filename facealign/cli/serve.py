"""`facealign serve`."""

from __future__ import annotations

import argparse

from facealign.cli import options
from facealign.core.errors import DependencyError


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "serve",
        "answer HTTP requests: an image in, its faces as JSON out",
        "POST the bytes of an image to /predict and get what `predict` prints for it. GET /health, "
        "/metrics (for Prometheus) and /openapi.json. Needs pip install '.[serve]' in a clone.",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="0.0.0.0 for all networks (default: 127.0.0.1)"
    )
    parser.add_argument(
        "--port", type=options.port, default=8000, help="0 for any that is free (default: 8000)"
    )
    parser.add_argument(
        "--waiting",
        type=options.count,
        default=64,
        metavar="N",
        help="requests at a time; more get status 503 at once (default: 64)",
    )
    parser.add_argument(
        "--megabytes",
        type=options.count,
        default=20,
        metavar="MB",
        help="the largest image; larger ones get status 413 (default: 20)",
    )
    options.add_model(parser)
    options.add_selection(parser)


def run(arguments: argparse.Namespace) -> int:
    try:
        from facealign.inference import server
    except ModuleNotFoundError as error:
        raise DependencyError(
            f"serve needs {error.name}: pip install '.[serve]' in a clone"
        ) from None
    limits = server.Limits(arguments.waiting, arguments.megabytes * 1_000_000)
    aligner = options.load_aligner(arguments)
    server.serve(aligner, arguments.host, arguments.port, limits)
    return 0
