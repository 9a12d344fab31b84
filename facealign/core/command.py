"""Scripts run as `python -m NAME PATH...`: the pipeline's stages and what the Makefile calls."""

import inspect
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from facealign.core.errors import FacealignError


def run(main: Callable[..., None]) -> None:
    """Call `main` with the paths of the command line; bad input ends in one line, without a
    traceback."""
    logging.basicConfig(format="%(levelname)s: %(message)s")
    parameters = inspect.signature(main).parameters.values()
    fixed = [its.name for its in parameters if its.kind is not its.VAR_POSITIONAL]
    more = [f"[{its.name} ...]" for its in parameters if its.kind is its.VAR_POSITIONAL]
    given = len(sys.argv) - 1
    if given < len(fixed) or (given > len(fixed) and not more):
        # run as a module, it is called __main__ and only its spec knows its name
        spec = main.__globals__["__spec__"]
        name = spec.name if spec else main.__module__
        sys.exit(f"usage: python -m {name} {' '.join(fixed + more)}")
    try:
        main(*map(Path, sys.argv[1:]))
    except FacealignError as error:
        sys.exit(f"error: {error}")
