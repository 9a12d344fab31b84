"""Print the results table of the last run. No stage: it shows what `ced` has measured."""

import json
from pathlib import Path

from facealign.markdown import results_table
from stages import run


def main(figures: Path) -> None:
    print(results_table(json.loads(figures.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    run(main)
