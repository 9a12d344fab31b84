"""Write the report on recognition: one page for the browser, and a PDF."""

from pathlib import Path

from facealign.core import config
from facealign.core.command import run
from facealign.core.files import read_json
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
        counts=read_json(counts),
        figures=read_json(figures),
        details=read_json(details),
        curves=curves,
        params=config.flatten({"recognition": config.load_all()["recognition"]}),
    )
    written = report.build(material, config.load("report", Report).language)
    document.write(written, page, pdf)


if __name__ == "__main__":
    run(main)
