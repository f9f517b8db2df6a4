"""Comparison and Baseline: the same cases in two runs, paired by case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class BaselineCase:
    """What an accepted run says about one case of one suite."""

    case_hash: str
    trials: int
    """Trials measured (passed or failed)."""
    passes: int


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A committed, diff-stable summary of an accepted run."""

    run_id: str
    created_at: str
    suites: Mapping[str, Mapping[str, BaselineCase]]
    """Per suite, per case id."""
    agent: str = ""
    commit: str = ""
    models: tuple[str, ...] = ()
    datasets: Mapping[str, str] = field(default_factory=dict)
    costs_usd: Mapping[str, str] = field(default_factory=dict)
    """Per suite: mean cost per trial, decimal text."""
    latency_p50_s: Mapping[str, float] = field(default_factory=dict)
    """Per suite."""


@dataclass(frozen=True, kw_only=True)
class CasePair:
    """One case in both runs."""

    case_id: str
    base_trials: int
    base_passes: int
    new_trials: int
    new_passes: int

    @property
    def difference(self) -> float:
        """Candidate pass share minus baseline pass share, in [-1, 1]."""
        return self.new_passes / self.new_trials - self.base_passes / self.base_trials


@dataclass(frozen=True, kw_only=True)
class SuiteComparison:
    """One suite in both runs."""

    suite: str
    pairs: tuple[CasePair, ...]
    """Cases measured on both sides with the same content."""
    changed: tuple[str, ...] = ()
    """Cases left out because their content changed."""
    only_base: tuple[str, ...] = ()
    """Cases of the baseline that the candidate did not measure."""
    only_new: tuple[str, ...] = ()
    difference: float | None = None
    """Mean over pairs; None without pairs."""
    low: float | None = None
    high: float | None = None
    """Interval of the mean difference; None where it cannot be had."""
    level: float = 0.95
    method: str = ""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Baseline against candidate."""

    base: str
    """Run id of the baseline."""
    new: str
    suites: tuple[SuiteComparison, ...]
    notes: tuple[str, ...] = ()
    """What makes the two hard to compare (another model, other data, an old baseline)."""
    meta: Mapping[str, Any] = field(default_factory=dict)

    def suite(self, name: str) -> SuiteComparison | None:
        """The comparison of one suite, or None."""
        return next((item for item in self.suites if item.suite == name), None)
