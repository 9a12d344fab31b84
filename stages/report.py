"""Write the report on an experiment: one page for the browser, and a PDF."""

import json
from pathlib import Path

from facealign import config, document, evaluation, report, tables
from facealign.evaluation import Ced
from facealign.report import Material
from facealign.wording import Report
from stages import run


def main(
    faces: Path,
    index: Path,
    dropped: Path,
    boxes: Path,
    model: Path,
    dlib: Path,
    training: Path,
    figures: Path,
    page: Path,
    pdf: Path,
) -> None:
    truth, found = tables.read(index), tables.read(boxes)
    predicted = {"model": tables.read(model), "dlib": tables.read(dlib)}
    count = predicted["model"].points().shape[1]
    material = Material(
        faces=faces,
        index=truth,
        dropped=tables.read(dropped),
        boxes=found,
        tested={
            name: evaluation.measure(truth, found, table, count)
            for name, table in predicted.items()
        },
        training=tables.read(training),
        figures=json.loads(figures.read_text(encoding="utf-8")),
        params=config.load_flat(without={"recognition"}),
        ced=config.load("ced", Ced),
    )
    written = report.build(material, config.load("report", Report).language)
    document.write_html(written, page)
    document.write_pdf(written, pdf)


if __name__ == "__main__":
    run(main)
