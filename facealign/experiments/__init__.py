"""Comparing, reviewing, releasing and tracking experiments of the pipeline."""
