"""A network in an ONNX file, run by ONNX Runtime: no torch, no training."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from facealign.core import images
from facealign.core.cluster import load_once
from facealign.core.errors import ConfigError, DependencyError, ModelError
from facealign.core.faces import Detection, as_detection
from facealign.core.geometry import Box, crop_map
from facealign.core.points import is_known, mirror
from facealign.core.schemes import files as schemes
from facealign.inference import providers

LARGEST = 1024  # side of a crop, as in params.yaml
FARTHEST = 1e6  # pixels of the crop: a coordinate beyond is no point of a face
BATCH = "faces"  # the name of the first dimension of crops, as `facealign.export` writes it
# The crops of repeated runs: by how many degrees and by which factor they differ from the
# detector's box. Each is seen flipped, too.
CROPS = ((0.0, 1.0), (7.0, 1.06), (-7.0, 0.94))
PATIENCE = 60.0  # seconds for a network's first crop, which takes milliseconds


def _open(path: Path, kind: str, threads: int | None, device: str) -> Any:
    """An ONNX Runtime session; `kind` is what error messages call the file."""
    provider = providers.find(device)
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3  # errors only
    if provider.singly:
        options.add_free_dimension_override_by_name(BATCH, 1)
    try:
        # its bytes, not its path: then ONNX Runtime opens no file that it names as its weights
        session = onnxruntime.InferenceSession(
            path.read_bytes(),
            options,
            [(provider.name, providers.options(device, threads))],
            enable_fallback=0,
        )
    except Exception as error:  # ONNX Runtime's own errors share no base but Exception
        reason = _first_line(error)
        if device != "cpu":
            raise DependencyError(f"device {device}: cannot run {path}: {reason}") from None
        raise ModelError(f"{path}: not a {kind} of facealign: {reason}") from None
    # without the libraries that a provider needs, ONNX Runtime warns and uses the CPU
    if session.get_providers()[0] != provider.name:
        raise DependencyError(
            f"device {device}: ONNX Runtime could not start {provider.name}; check {provider.check}"
        )
    return session


class Session:
    """An ONNX file that takes crops, as `facealign.export` writes them; anyone's file, checked."""

    def __init__(self, path: Path, kind: str, fact: str, threads: int | None, device: str) -> None:
        """`threads` None means all cores."""
        if threads is not None and (type(threads) is not int or threads < 1):
            raise ConfigError(f"threads: {threads!r}, expected None or a positive integer")
        self._path, self._kind, self._fact = path, kind, fact
        tried = providers.candidates(device)
        for self.device in tried:  # the one that was taken
            try:
                self._start(threads)
                break
            except DependencyError:
                if self.device == tried[-1]:
                    raise

    def _start(self, threads: int | None) -> None:
        self._session = _open(self._path, self._kind, threads, self.device)
        self.facts: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        if f"facealign.{self._fact}" not in self.facts:
            raise self.error(f"its metadata has no facealign.{self._fact}")
        inputs = [(one.name, one.type, one.shape[1:]) for one in self._session.get_inputs()]
        side = inputs[0][2][0] if inputs and inputs[0][2] else None
        if inputs != [("crops", "tensor(uint8)", [side, side, 3])] or not isinstance(side, int):
            raise self.error(f"its inputs are {inputs}, expected crops of bytes (N, side, side, 3)")
        if not 8 <= side <= LARGEST:
            raise self.error(f"its input has {side} pixels a side, expected 8 to {LARGEST}")
        self.size: int = side
        self.trial = self._try_out()

    def error(self, reason: str) -> ModelError:
        return ModelError(f"{self._path}: not a {self._kind} of facealign: {reason}")

    def number(self, name: str, low: float, high: float) -> float:
        """A number of the metadata."""
        text = self.facts.get(f"facealign.{name}", "0")
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise self.error(
                f"facealign.{name} is {text[:40]!r}, expected a number from {low} to {high}"
            )
        return value

    def _try_out(self) -> list[np.ndarray]:
        """The outputs for one crop; an error if they take long, so that a loop without an end
        stops."""
        options = onnxruntime.RunOptions()
        stop = threading.Timer(PATIENCE, setattr, (options, "terminate", True))
        stop.start()
        try:
            return self._run(np.zeros((1, self.size, self.size, 3), np.uint8), options)
        finally:
            stop.cancel()

    def run(self, crops: np.ndarray) -> list[np.ndarray]:
        """All outputs for crops (N, size, size, 3)."""
        if not providers.find(self.device).singly:
            return self._run(crops)
        none = [output[:0] for output in self.trial]
        each = [self._run(crop[None]) for crop in crops]
        return [np.concatenate(its) for its in zip(none, *each, strict=True)]

    def _run(self, crops: np.ndarray, options: Any = None) -> list[np.ndarray]:
        try:
            found: list[np.ndarray] = self._session.run(None, {"crops": crops}, options)
        except Exception as error:  # as in `_open`
            reason = _first_line(error)
            if self.device != "cpu":
                raise DependencyError(
                    f"device {self.device}: cannot run {self._path}: {reason}"
                ) from None
            raise self.error(reason) from None
        return found


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__


class Network:
    """A landmark network in an ONNX file as `facealign.export` writes it.

    Pickled as its settings: each process that receives it loads the file once.
    """

    def __init__(self, path: Path, threads: int | None = None, device: str = "cpu") -> None:
        self.path = path
        self._session = Session(path, "network", "margin", threads, device)
        self.device = self._session.device
        self._settings = path, threads, self.device
        self.margin = self._session.number("margin", -0.4, 100)
        self.rim = int(self._session.number("rim", 0, LARGEST))  # of the training crops
        self.size = self._session.size
        if own := self._session.facts.get("facealign.scheme"):
            schemes.of_text(own, path)
        self.count: int = self._check(self._session.trial)[0].shape[1]  # of points

    def __reduce__(self) -> tuple[Any, ...]:
        return _load_once, self._settings

    def __call__(
        self, image: np.ndarray, boxes: Sequence[Box | Detection]
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Points (N, K, 2) in the picture's pixels, and scores (N, K) if the network has them."""
        return self.of_many([(image, box) for box in boxes])

    def of_many(
        self, faces: Sequence[tuple[np.ndarray, Box | Detection]]
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """The same for faces of several pictures."""
        found = [as_detection(box) for _, box in faces]
        to_crops = [crop_map(one.box, self.margin, self.size, one.roll) for one in found]
        crops = [
            images.warp(image, to_crop, self.size, self.rim)
            for (image, _), to_crop in zip(faces, to_crops, strict=True)
        ]
        stacked = np.array(crops, np.uint8).reshape(-1, self.size, self.size, 3)
        in_crops, *scores = self._check(self._session.run(stacked))
        points = [
            to_crop.inverse()(face.astype(np.float64))
            for to_crop, face in zip(to_crops, in_crops, strict=True)
        ]
        return np.array(points, np.float64).reshape(in_crops.shape), scores[0] if scores else None

    def _check(self, outputs: list[np.ndarray]) -> list[np.ndarray]:
        """Points (N, K, 2), and maybe scores (N, K)."""
        shapes = [output.shape for output in outputs]
        if not shapes or len(shapes[0]) != 3 or shapes[0][2] != 2 or not is_known(shapes[0][1]):
            raise self._session.error(f"outputs of {shapes}, expected the points of a scheme")
        if shapes[1:] not in ([], [shapes[0][:2]]):
            raise self._session.error(f"outputs of {shapes}, expected points and their scores")
        if not all((np.abs(output) < FARTHEST).all() for output in outputs):
            raise self._session.error("it gives points that are no numbers, or far outside")
        return outputs


@load_once
def _load_once(path: Path, threads: int | None, device: str) -> Network:
    return Network(path, threads, device)


def repeated(network: Network, image: np.ndarray, face: Detection) -> np.ndarray:
    """(runs, K, 2): the points in the image's pixels, by a run on each of the CROPS, as it is and
    flipped."""
    width = image.shape[1]
    plain = [_moved(face, turn, scale) for turn, scale in CROPS]
    flipped = [_flipped(one, width) for one in plain]
    straight, _ = network(image, plain)
    mirrored, _ = network(np.ascontiguousarray(image[:, ::-1]), flipped)
    back = mirrored[:, mirror(mirrored.shape[1])]
    back[..., 0] = width - 1 - back[..., 0]
    return np.concatenate([straight, back])


def _moved(face: Detection, turn: float, scale: float) -> Detection:
    (x, y), box = face.box.centre, face.box
    across, down = box.width * scale / 2, box.height * scale / 2
    return Detection(Box(x - across, y - down, x + across, y + down), roll=face.roll + turn)


def _flipped(face: Detection, width: int) -> Detection:
    left, top, right, bottom = face.box.corners
    return Detection(Box(width - 1 - right, top, width - 1 - left, bottom), roll=-face.roll)
