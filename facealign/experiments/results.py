"""Print the results table of the last `make demo` or `make recognition`."""

from pathlib import Path

from facealign.core.command import run
from facealign.core.errors import InputError
from facealign.core.files import read_json
from facealign.reports.markdown import recognition_table, results_table


def main(figures: Path) -> None:
    table = recognition_table if figures.stem == "recognition" else results_table
    values = read_json(figures)
    try:
        text = table(values)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        raise InputError(f"{figures}: not the figures of a pipeline") from None
    print(text)


if __name__ == "__main__":
    run(main)
