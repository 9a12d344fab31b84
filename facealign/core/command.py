"""Scripts run as `python -m NAME PATH...`: the pipeline's stages and what the Makefile calls."""

import inspect
import logging
import signal
import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path

from facealign.core.errors import FacealignError


def run(main: Callable[..., None]) -> None:
    """Call `main` with the paths of the command line; bad input, a missing file and a full disk
    end in one line, without a traceback."""
    stop_on_sigterm()
    print_any_text()
    logging.basicConfig(format="%(levelname)s: %(message)s")
    parameters = inspect.signature(main).parameters.values()
    fixed = [one.name for one in parameters if one.kind is not one.VAR_POSITIONAL]
    more = [f"[{one.name} ...]" for one in parameters if one.kind is one.VAR_POSITIONAL]
    given = len(sys.argv) - 1
    if given < len(fixed) or (given > len(fixed) and not more):
        # a module that is run by -m is called __main__; its spec has the real name
        spec = main.__globals__["__spec__"]
        name = spec.name if spec else main.__module__
        sys.exit(f"usage: python -m {name} {' '.join(fixed + more)}")
    try:
        main(*map(Path, sys.argv[1:]))
    except FacealignError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        if error.errno is None:  # not of the system
            raise
        where = f"{error.filename}: " if error.filename else ""
        sys.exit(f"error: {where}{error.strerror}")
    except MemoryError as error:
        sys.exit(f"error: out of memory: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def print_any_text() -> None:
    """Print escapes for characters that the terminal lacks, and for names that are not UTF-8."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def stop_on_sigterm() -> None:
    """SIGTERM ends this process as Ctrl-C does: temporary files are removed, and results kept."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
