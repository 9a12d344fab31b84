"""Damaged files end in success or in an error of one line: no traceback, crash or hang.

`make fuzz FUZZ=50` runs fifty times as many cases.
"""

import os
import signal
import time
from pathlib import Path
from random import Random

import pytest

from facealign.core.errors import InputError
from tests.fuzz.groups import GROUPS, Group
from tests.fuzz.running import failures
from tests.fuzz.sections import SCALE, SEED


@pytest.mark.parametrize("name", GROUPS)
def test_a_damaged_file_gives_a_result_or_an_error_that_names_it(name: str) -> None:
    count = max(1, round(GROUPS[name].count * SCALE))
    wrong: dict[str, list[str]] = {}  # by the kind and place of the problem
    for number, problem in failures(GROUPS[name], SEED, count):
        again = f"python -m tests.fuzz.running {name} {SEED} {number}"
        wrong.setdefault(problem.partition(": ")[0], []).append(f"{problem} ({again})")
    lines = [f"{len(alike)} like: {alike[0]}" for alike in wrong.values()]
    assert not lines, "\n".join(lines)


def every_outcome() -> list[str]:
    return []


def outcome(done: list[str], rng: Random) -> None:
    """The next of all outcomes that a case may have."""
    Path("face.pts").touch()
    done.append("")
    match len(done):
        case 1:
            raise InputError("face.pts: an error")
        case 2:
            raise InputError("an error")
        case 3:
            raise InputError("face.pts: a\nb")
        case 4:
            os.kill(os.getpid(), signal.SIGSEGV)


def out_of_memory(done: list[str], rng: Random) -> None:
    bytearray(8 * 2**30)


def endless(done: list[str], rng: Random) -> None:
    time.sleep(60)


def test_the_run_reports_errors_crashes_hangs_and_memory() -> None:
    found = dict(failures(Group(1, every_outcome, outcome), SEED, 5))
    assert list(found) == [1, 2, 3]
    assert found[1] == "a message without a file's name: 'an error'"
    assert found[2].startswith("a message of more than one short line")
    assert found[3] == "the process ends with status -11"
    [(_, problem)] = failures(Group(1, every_outcome, out_of_memory), SEED, 1)
    assert problem.startswith("MemoryError")
    [(_, problem)] = failures(Group(1, every_outcome, endless), SEED, 1, patience=0.5)
    assert problem == "it takes more than 0.5 s"
