"""Print the results table of the last `make demo` or `make recognition`."""

import json
from pathlib import Path

from facealign.core.command import run
from facealign.reports.markdown import recognition_table, results_table


def main(figures: Path) -> None:
    table = recognition_table if figures.stem == "recognition" else results_table
    print(table(json.loads(figures.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    run(main)
