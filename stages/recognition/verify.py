"""Compare all variants: identification of trained people, verification of held-out ones."""

from pathlib import Path

from facealign.core import config, tables
from facealign.core.command import run
from facealign.core.files import write_json
from facealign.recognition import comparing
from facealign.recognition.recipe import Variants
from facealign.recognition.verification import Verify
from facealign.reports.markdown import recognition_table


def main(aligned: Path, networks: Path, figures: Path, details: Path, curves: Path) -> None:
    names = config.load("recognition.compare", Variants).names()
    compared = comparing.compare(
        names, aligned, networks, config.load("recognition.verify", Verify)
    )
    write_json(figures, compared.figures)
    write_json(details, compared.details)
    for name, curve in compared.curves.items():
        tables.write(curves / f"{name}.csv", curve)
    print(recognition_table(compared.figures))


if __name__ == "__main__":
    run(main)
