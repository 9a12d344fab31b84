"""Which ONNX file a model's name or path stands for."""

from __future__ import annotations

import atexit
import os
import tempfile
from functools import cache
from pathlib import Path

from facealign.core.config import unknown_name
from facealign.core.errors import ConfigError, DependencyError, ModelError

FOLDER = Path(__file__).parents[1] / "weights"
DEFAULT = "cascade"


def released() -> list[str]:
    """The names of the bundled weights."""
    return sorted(file.stem for file in FOLDER.glob("*.onnx"))


def find_model(model: str | os.PathLike[str]) -> Path:
    """The ONNX file: of released weights, the path itself, or exported from a checkpoint."""
    if not isinstance(model, str | os.PathLike):
        raise ConfigError(f"model: {model!r}, expected a name or a path")
    path = Path(model)
    if str(model) in released() and not path.is_file():
        return FOLDER / f"{model}.onnx"
    if path.suffix == ".pt":
        if not path.is_file():
            raise ModelError(f"{path}: no such file")
        return _exported(path.resolve(), path.stat().st_mtime_ns)
    if path.suffix != ".onnx":
        message = unknown_name("model", str(model), released())
        raise ConfigError(f"{message}, or the path of an .onnx or .pt file")
    return path


def export_checkpoint(checkpoint: Path, path: Path, flip: bool = False) -> float:
    """Write a checkpoint as ONNX; by how many pixels its points differ from torch's."""
    try:
        from facealign.export import landmarks
    except ModuleNotFoundError as error:
        raise DependencyError(
            f"{checkpoint}: a checkpoint needs {error.name}: pip install '.[export]' in a clone"
        ) from None
    return landmarks.export_checked(checkpoint, path, flip)


@cache
def _exported(checkpoint: Path, modified: int) -> Path:
    """Exported once in a process, and again only if the file has been modified since."""
    path = Path(tempfile.mkdtemp(dir=_scratch())) / f"{checkpoint.stem}.onnx"
    export_checkpoint(checkpoint, path)
    return path


@cache
def _scratch() -> Path:
    """A folder that is removed when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="facealign-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    return Path(folder.name)
