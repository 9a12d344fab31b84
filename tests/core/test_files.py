import subprocess
import sys
from pathlib import Path

import pytest

from facealign.core.errors import FacealignError
from facealign.core.files import alone, chosen, replacing

HOLD = """
import sys
from pathlib import Path
from facealign.core.files import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_process_at_a_time(tmp_path: Path) -> None:
    lock = tmp_path / "below" / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
    with pytest.raises(FacealignError, match="lock: another process is at work here"), alone(lock):
        pass
    holder.kill()  # whatever it holds is free when it has ended
    holder.communicate()
    with alone(lock):
        assert lock.exists()
    assert not lock.exists()


def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stop"), replacing(tmp_path / "a") as part:
        part.write_text("half", encoding="utf-8")
        raise ValueError("stop")
    assert list(tmp_path.iterdir()) == []


def test_who_is_chosen_by_name_stays_when_others_come() -> None:
    names = [f"300W/train/{number}.jpg" for number in range(2000)]
    few = [name for name in names if chosen(name, 0.15)]
    assert 0.12 < len(few) / len(names) < 0.18
    # a larger share only adds
    assert all(chosen(name, 0.3) for name in few)
    # and another fold has others
    others = [name for name in names if chosen(name, 0.15, fold=1)]
    assert 0.12 < len(others) / len(names) < 0.18 and not set(few) & set(others)
