"""The cases of recorded runs (tau-bench, chat messages, our journal), without their trajectories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.datasets.problems import Problem
from harness.datasets.recorded import load_recorded
from harness.datasets.rows import Row


def read(path: Path, problems: list[Problem]) -> Iterator[Row]:
    """One row per case; for tau-bench the input is the task's instruction, its gold actions are in ``custom``."""
    for line, case in enumerate(load_recorded(path).dataset, 1):
        yield line, case.to_json()
