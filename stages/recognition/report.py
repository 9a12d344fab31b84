"""Write the report on recognition: one page for the browser, and a PDF."""

import json
from pathlib import Path

from facealign.core import config
from facealign.core.command import run
from facealign.recognition import report
from facealign.recognition.report import Material
from facealign.reports import document
from facealign.reports.wording import Report


def main(
    aligned: Path,
    networks: Path,
    counts: Path,
    figures: Path,
    details: Path,
    curves: Path,
    page: Path,
    pdf: Path,
) -> None:
    material = Material(
        aligned=aligned,
        networks=networks,
        counts=json.loads(counts.read_text(encoding="utf-8")),
        figures=json.loads(figures.read_text(encoding="utf-8")),
        details=json.loads(details.read_text(encoding="utf-8")),
        curves=curves,
        params=config.flatten({"recognition": config.load_all()["recognition"]}),
    )
    written = report.build(material, config.load("report", Report).language)
    document.write(written, page, pdf)


if __name__ == "__main__":
    run(main)
