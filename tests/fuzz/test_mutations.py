"""Damaged files end in success or in an error of one line: no traceback, crash or hang.

`make fuzz FUZZ=50` runs fifty times as many cases.
"""

import pytest

from tests.fuzz.groups import GROUPS
from tests.fuzz.running import failures
from tests.fuzz.sections import SCALE, SEED


@pytest.mark.parametrize("name", GROUPS)
def test_a_damaged_file_gives_a_result_or_an_error_that_names_it(name: str) -> None:
    count = max(1, round(GROUPS[name].count * SCALE))
    wrong: dict[str, list[str]] = {}  # by the kind and place of the problem
    for number, problem in failures(name, SEED, count):
        again = f"python -m tests.fuzz.running {name} {SEED} {number}"
        wrong.setdefault(problem.partition(": ")[0], []).append(f"{problem} ({again})")
    lines = [f"{len(alike)} like: {alike[0]}" for alike in wrong.values()]
    assert not lines, "\n".join(lines)
