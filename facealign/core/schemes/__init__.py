"""Schemes of points: the published ones, and those that users describe in YAML files."""
