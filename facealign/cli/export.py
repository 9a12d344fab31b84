"""`facealign export`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from facealign.cli import options
from facealign.core.errors import ConfigError, ModelError


def add(commands: options.Commands[argparse.ArgumentParser]) -> None:
    parser = options.add_command(
        commands,
        run,
        "export",
        "convert a trained checkpoint to ONNX",
        "Convert a checkpoint of the pipeline (data/model.pt) to an ONNX file for --model, and "
        "check its points against torch's. Needs torch: pip install '.[export]' in a clone.",
    )
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="a .pt file")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="default: CHECKPOINT with the suffix .onnx"
    )
    parser.add_argument(
        "--flip",
        action="store_true",
        help="average with the flipped crop: more accurate, 2x slower",
    )


def run(arguments: argparse.Namespace) -> int:
    from facealign.inference.weights import export_checkpoint

    source: Path = arguments.checkpoint
    if not source.is_file():
        raise ModelError(f"{source}: no such file")
    path = arguments.out or source.with_suffix(".onnx")
    if path.exists() and path.samefile(source):
        raise ConfigError(f"{path}: would overwrite the checkpoint itself")
    difference = export_checkpoint(source, path, arguments.flip)
    print(f"{source}: at most {difference:.1e} px from torch's points", file=sys.stderr)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, the same points as torch's")
    return 0
