"""`python -m facealign` is the command `facealign`."""

from facealign.cli.main import main

main()
