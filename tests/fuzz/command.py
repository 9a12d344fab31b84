"""The command, run within the process of a case."""

from __future__ import annotations

import contextlib
import io
import re
import sys

from facealign.core.errors import InputError


def facealign(*words: object) -> None:
    """The command; an InputError with the message of a command that fails."""
    from facealign.cli import main

    sys.argv = ["facealign", *map(str, words)]
    with contextlib.redirect_stderr(io.StringIO()) as printed:
        try:
            main.main()
        except SystemExit as error:
            if error.code:
                text = error.code if isinstance(error.code, str) else printed.getvalue()
                [message] = re.findall(r"^.*error: (.*)$", text, re.MULTILINE)
                raise InputError(message) from None
