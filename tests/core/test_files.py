import subprocess
import sys
from pathlib import Path

import pytest

from facealign.core.errors import InputError, TrainingError
from facealign.core.files import atomic_write, file_lock, in_fold, write_json, write_text
from tests.helpers import smallest_files

HOLD = """
import sys
from pathlib import Path
from facealign.core.files import file_lock
with file_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_process_at_a_time(tmp_path: Path) -> None:
    lock = tmp_path / "below" / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
    with (
        pytest.raises(TrainingError, match="lock: locked by another process"),
        file_lock(lock),
    ):
        pass
    holder.kill()  # whatever it holds is free when it has ended
    holder.communicate()
    with file_lock(lock):
        assert lock.exists()
    assert not lock.exists()


def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stop"), atomic_write(tmp_path / "a") as part:
        part.write_text("half", encoding="utf-8")
        raise ValueError("stop")
    assert list(tmp_path.iterdir()) == []


def test_two_writers_of_one_file_share_no_part_and_a_killed_one_leaves_nothing(
    tmp_path: Path,
) -> None:
    path = tmp_path / f"{'x' * 250}.txt"  # as long as a name can be
    write = "import sys; from pathlib import Path; from facealign.core.files import atomic_write\n"
    write += "with atomic_write(Path(sys.argv[1])) as part:\n"
    write += "    part.write_text('half'); print(part, flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", write, str(path)]
    killed = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    theirs = killed.stdout.readline().strip()
    with atomic_write(path) as part:
        assert str(part) != theirs
        part.write_text("whole", encoding="utf-8")
    killed.kill()
    killed.communicate()
    assert sorted(tmp_path.iterdir()) == sorted([path, Path(theirs)])
    with atomic_write(path) as part:
        assert str(part) == theirs and part.read_bytes() == b""
    assert list(tmp_path.iterdir()) == [path]
    longer = path.with_suffix(".text10")
    with pytest.raises(OSError, match="too long") as raised, atomic_write(longer):
        pass
    assert raised.value.filename == str(longer)


def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with smallest_files(), pytest.raises(OSError, match="File too large") as raised:
        write_text(path, "x" * 10**6)
    assert raised.value.filename == str(path) and not list(tmp_path.iterdir())


def test_a_name_keeps_its_fold_when_others_are_added() -> None:
    names = [f"300W/train/{number}.jpg" for number in range(2000)]
    few = [name for name in names if in_fold(name, 0.15)]
    assert 0.12 < len(few) / len(names) < 0.18
    # a larger share only adds
    assert all(in_fold(name, 0.3) for name in few)
    # and another fold has others
    others = [name for name in names if in_fold(name, 0.15, fold=1)]
    assert 0.12 < len(others) / len(names) < 0.18 and not set(few) & set(others)


def test_a_figure_that_is_no_number_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.json: not written: a figure would be infinite"):
        write_json(tmp_path / "a.json", {"nme": float("inf")})
    assert not list(tmp_path.iterdir())
