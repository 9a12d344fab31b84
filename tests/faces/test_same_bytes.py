"""Rectangles, crops and dlib's points are the same on every processor."""

import hashlib
import os
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from facealign.data.annotations import format_pts
from facealign.data.archive import pack
from facealign.synthesis.pictures import Plan, plan_pictures, render
from stages import crop, detect, dlib_baseline, dlib_train, extract, label
from stages import filter as filtering
from tests.processors import on_every_processor, on_x86_64


def annotated(plan: Plan) -> list[tuple[str, bytes]]:
    picture, points = render(plan)
    pts = format_pts(points).encode()
    return [(plan.name, picture), (str(Path(plan.name).with_suffix(".pts")), pts)]


def digest() -> str:
    """The stages from `extract` to `dlib_baseline`, on twelve images."""
    os.environ["FACEALIGN_WORKERS"] = "1"
    plans = plan_pictures(12, seed=68)
    with TemporaryDirectory() as folder:
        archive, faces, index, dropped, counts, boxes, undetected, crops, baselines = (
            Path(folder) / name
            for name in (
                "a.tgz",
                "faces",
                "index",
                "dropped",
                "c",
                "boxes",
                "un",
                "crops",
                "others",
            )
        )
        labels, refused, scheme, trained = (
            Path(folder) / name for name in ("labels", "refused", "scheme", "trained")
        )
        pack(archive, chain.from_iterable(map(annotated, plans)))
        extract.main(archive, faces)
        filtering.main(faces, Path("schemes"), Path("patches"), index, dropped, scheme, counts)
        detect.main(faces, index, scheme, boxes, undetected)
        label.main(faces, Path("unused.onnx"), scheme, labels, refused, counts)
        crop.main(faces, index, scheme, boxes, labels, crops)
        dlib_train.main(faces, index, scheme, boxes, labels, trained)
        dlib_baseline.main(faces, index, scheme, boxes, trained, baselines)
        total = hashlib.sha256()
        folders = (*sorted(crops.iterdir()), *sorted(baselines.iterdir()))
        for path in (index, dropped, counts, boxes, undetected, *folders):
            total.update(path.read_bytes())
    return total.hexdigest()


@pytest.mark.slow
@on_x86_64
def test_the_bytes_are_the_same_on_every_processor() -> None:
    digests = on_every_processor("tests.faces.test_same_bytes")
    assert len(set(digests.values())) == 1, digests
