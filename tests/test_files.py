import subprocess
import sys
from pathlib import Path

import pytest

from facealign.errors import FacealignError
from facealign.files import alone, replacing

HOLD = """
import sys
from pathlib import Path
from facealign.files import alone
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
