"""`python -m facealign` is the command `facealign`."""

from facealign.cli import main

main()
