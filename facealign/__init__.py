"""Find the 68 iBUG/300-W landmarks of faces; train, measure and compare landmark detectors.

>>> from facealign import Aligner
>>> for face in Aligner().predict("photo.jpg"):
...     print(face.points.shape)
(68, 2)
"""

import os
from typing import TYPE_CHECKING, Any

# Cameras have up to 150 megapixels. OpenCV reads the variable once, when it is imported, and checks
# an image's header before it decodes the pixels.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "200000000")

if TYPE_CHECKING:
    from facealign.core.errors import (
        AnnotationError,
        ArchiveError,
        ConfigError,
        DependencyError,
        ExperimentError,
        FacealignError,
        ImageError,
        InputError,
        ModelError,
        TrainingError,
        WorkerError,
    )
    from facealign.core.faces import Detection, Face, Pose
    from facealign.core.geometry import Box
    from facealign.faces.drawing import draw
    from facealign.inference.aligner import Aligner
    from facealign.inference.tracker import TrackedFace, Tracker

__version__ = "0.1.0"
__all__ = [
    "Aligner",
    "AnnotationError",
    "ArchiveError",
    "Box",
    "ConfigError",
    "DependencyError",
    "Detection",
    "ExperimentError",
    "Face",
    "FacealignError",
    "ImageError",
    "InputError",
    "ModelError",
    "Pose",
    "TrackedFace",
    "Tracker",
    "TrainingError",
    "WorkerError",
    "__version__",
    "draw",
]

_MODULES = dict.fromkeys([name for name in __all__ if name.endswith("Error")], "core.errors") | {
    "Aligner": "inference.aligner",
    "Box": "core.geometry",
    "Detection": "core.faces",
    "Face": "core.faces",
    "Pose": "core.faces",
    "TrackedFace": "inference.tracker",
    "Tracker": "inference.tracker",
    "draw": "faces.drawing",
}


def __getattr__(name: str) -> Any:
    """Public names are loaded on first use, so that `import facealign` is fast."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
