"""Write the report on an experiment: one page for the browser, and a PDF."""

import os
from pathlib import Path

from facealign.core import config, tables
from facealign.core.command import run
from facealign.core.faces import Faces
from facealign.core.schemes import files
from facealign.evaluation import scoring
from facealign.evaluation.scoring import Ced
from facealign.reports import document, landmarks
from facealign.reports.material import Material
from facealign.reports.wording import Report


def main(
    faces: Path,
    index: Path,
    scheme: Path,
    dropped: Path,
    boxes: Path,
    model: Path,
    baselines: Path,
    training: Path,
    page: Path,
    pdf: Path,
) -> None:
    files.adopt(scheme)
    truth, found, ced = Faces.read(index), Faces.read(boxes), config.load("ced", Ced)
    test = found.join(truth).where(split="test")
    tested = scoring.measure(test, scoring.predictions(model, baselines))
    material = Material(
        faces=faces,
        index=truth,
        dropped=tables.read(dropped),
        boxes=found,
        tested=tested,
        training=tables.read(training),
        figures=scoring.summarise(tested, scoring.undetected(truth, found), ced),
        params=config.load_flat(without={"recognition", "suspects"}),
        ced=ced,
        # DVC sets these two in experiments
        experiment=os.environ.get("DVC_EXP_NAME", ""),
        revision=os.environ.get("DVC_EXP_BASELINE_REV", ""),
    )
    written = landmarks.build(material, config.load("report", Report).language)
    document.write(written, page, pdf)


if __name__ == "__main__":
    run(main)
