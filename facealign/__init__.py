"""The 68 iBUG/300-W landmarks of a face: find them; train, measure and compare detectors.

>>> from facealign import Aligner
>>> [face.points for face in Aligner().predict("photo.jpg")]
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facealign.core.errors import FacealignError as FacealignError
    from facealign.core.faces import Face as Face
    from facealign.core.faces import Pose as Pose
    from facealign.core.geometry import Box as Box
    from facealign.inference.aligner import Aligner as Aligner

__version__ = "0.1.0"

_HOMES = {
    "Aligner": "inference.aligner",
    "Box": "core.geometry",
    "Face": "core.faces",
    "FacealignError": "core.errors",
    "Pose": "core.faces",
}
__all__ = ["Aligner", "Box", "Face", "FacealignError", "Pose", "__version__"]


def __getattr__(name: str) -> Any:
    """Loaded when they are asked for, so that `import facealign` takes no time."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
