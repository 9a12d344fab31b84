"""Layouts of data sets other than 300-W's, converted to it."""
