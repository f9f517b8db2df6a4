"""Tables: CSV, YAML, JSON lists, Parquet and pandas frames as rows."""

from __future__ import annotations

from typing import Any

from harness.datasets.problems import Problem
from harness.datasets.rows import Row


def rows_of_frame(frame: Any, problems: list[Problem]) -> list[Row]:
    """Rows of a frame."""
    raise NotImplementedError
