"""The command `facealign`."""
