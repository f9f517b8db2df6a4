"""Estimate: a number with its interval, and the checks that every method of this package shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure and what is known about its error. Absent parts are None, never a stand-in."""

    value: float | None
    """The estimate; None when there was nothing to estimate from."""
    low: float | None = None
    """Lower end of the two-sided interval; None when it cannot be had."""
    high: float | None = None
    """Upper end of the two-sided interval; None when it cannot be had."""
    level: float = 0.95
    """Confidence of the interval, in (0, 1)."""
    method: str = ""
    """How the interval was made, in the field's words."""
    n: float = 0
    """Observations, or the effective number of them where they are clustered."""
    clusters: int = 0
    """Independent groups."""
    note: str = ""
    """Anything to know about the number."""


def check_level(level: float) -> float:
    """``level`` itself when it lies in (0, 1); ValueError otherwise."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"a confidence level lies between 0 and 1, got {level!r}")
    return level


def check_same_length(values: Sequence[float], groups: Sequence[int] | None) -> None:
    """ValueError unless there is one group label per value."""
    if groups is not None and len(groups) != len(values):
        raise ValueError(f"one group per value is needed, got {len(values)} values and {len(groups)} groups")
