"""Run the command `facealign` in this process."""

import sys

import pytest

from facealign.cli import main


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int | str, str, str]:
    """Exit status or message, and what was written to the two outputs."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", ["facealign", *map(str, words)])
        main.main()
    out, err = capsys.readouterr()
    assert ended.value.code is not None
    return ended.value.code, out, err


def run_refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """What is said of a command line that cannot be parsed."""
    status, _, err = run(capsys, *words)
    assert status == 2
    return err
