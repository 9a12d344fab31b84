"""The pipeline's stages, one file each: `python -m stages.NAME PATH...` as dvc.yaml calls them."""

import inspect
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from facealign.errors import FacealignError


def run(main: Callable[..., None]) -> None:
    """Call a stage with the paths of its command line; bad input ends in one line, no trace."""
    logging.basicConfig(format="%(levelname)s: %(message)s")
    parameters = inspect.signature(main).parameters.values()
    fixed = [its.name for its in parameters if its.kind is not its.VAR_POSITIONAL]
    more = [f"[{its.name} ...]" for its in parameters if its.kind is its.VAR_POSITIONAL]
    given = len(sys.argv) - 1
    if given < len(fixed) or (given > len(fixed) and not more):
        usage = f"usage: python -m {main.__module__} {' '.join(fixed + more)}"
        sys.exit(usage.replace("__main__", "stages"))
    try:
        main(*map(Path, sys.argv[1:]))
    except FacealignError as error:
        sys.exit(f"error: {error}")
