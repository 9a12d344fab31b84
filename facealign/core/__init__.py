"""Facts, files and numbers that every other package uses."""
