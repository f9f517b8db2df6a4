"""Pytest plugins of this repository's own tests, and nothing else."""

pytest_plugins = ["pytester"]
