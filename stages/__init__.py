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
    names = list(inspect.signature(main).parameters)
    if len(sys.argv) - 1 != len(names):
        sys.exit(
            f"usage: python -m {main.__module__} {' '.join(names)}".replace("__main__", "stages")
        )
    try:
        main(*map(Path, sys.argv[1:]))
    except FacealignError as error:
        sys.exit(f"error: {error}")
