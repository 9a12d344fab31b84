"""Errors that the user can fix; the command and the stages print them as one line.

FacealignError
├── ConfigError        a value of params.yaml, of a list of experiments, or an argument
├── InputError         a file or folder that cannot be used
│   ├── AnnotationError    points: a .pts file or a table of them
│   ├── ArchiveError       an archive, or the layout of the data set in it
│   ├── ImageError         a picture or a video
│   └── ModelError         a checkpoint, an ONNX file, dlib's predictor
├── DependencyError    an optional package that is not installed
├── TrainingError      a training run that cannot go on
├── WorkerError        a process of a parallel run that was killed
└── ExperimentError    Git, DVC or MLflow: no such experiment, uncommitted changes
"""


class FacealignError(Exception):
    """The base class; the message names the file, line or key and what was expected.

    >>> import facealign
    >>> try:
    ...     facealign.Aligner().predict("missing.jpg")
    ... except facealign.FacealignError as error:
    ...     print(error)
    missing.jpg: No such file or directory
    """


class ConfigError(FacealignError):
    """A value that is missing, unknown or out of range."""


class InputError(FacealignError):
    """A file or folder that cannot be used."""


class AnnotationError(InputError):
    """Points that cannot be read."""


class ArchiveError(InputError):
    """An archive that cannot be unpacked, or whose layout is unknown."""


class ImageError(InputError):
    """A picture or video that cannot be read."""


class ModelError(InputError):
    """A model file that cannot be used."""


class DependencyError(FacealignError):
    """An optional package, or a library it needs, that is not installed."""


class TrainingError(FacealignError):
    """A training run that cannot go on."""


class WorkerError(FacealignError):
    """A process of a parallel run that was killed, or a cluster that cannot be used."""


class ExperimentError(FacealignError):
    """Git, DVC or MLflow cannot do what was asked."""
