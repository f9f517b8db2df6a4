"""Comparison: the same cases in two runs, paired by case.

The words:

- *measured*: a trial that ended passed or failed. A case without a measured trial is not in a baseline.
- *pair*: a case that both sides measured with the same content hash.
- *suite key*: the suite's node id, with the arm behind it in brackets where the test is parametrized.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.core.baseline import BASELINE_VERSION, Baseline, BaselineCase, CaseScore
from harness.core.record import Manifest, Record, Run
from harness.stats.estimate import Estimate
from harness.stats.paired import paired_difference

__all__ = [
    "BASELINE_VERSION",
    "Baseline",
    "BaselineCase",
    "CasePair",
    "CaseScore",
    "Comparison",
    "SuiteComparison",
    "baseline_text",
    "compare",
    "compare_runs",
    "family_labels",
    "make_baseline",
    "pooled_difference",
    "suite_key",
]


def suite_key(suite: str, arm: str = "") -> str:
    """How a baseline names a suite and arm."""
    return f"{suite}[{arm}]" if arm else suite


@dataclass(frozen=True, kw_only=True)
class CasePair:
    """One case in both runs."""

    case_id: str
    base_trials: int
    base_passes: int
    new_trials: int
    new_passes: int
    family: tuple[str, str] = ("", "")
    """Dataset (or suite) and cluster (or case id): pairs of a family are one cause, also over several suites. Without
    one the pair is a family of its own."""

    @property
    def difference(self) -> float:
        """Candidate pass share minus baseline pass share, in [-1, 1]."""
        return self.new_passes / self.new_trials - self.base_passes / self.base_trials


def pooled_difference(pairs: Sequence[CasePair], *, level: float = 0.95) -> Estimate:
    """Mean difference over the pairs of any suites together, with the interval that the gate's rules use.

    Every pair has the same weight; families are clusters, as in :func:`harness.gates.pairs.pair_cases`.
    """
    return paired_difference([pair.difference for pair in pairs], family_labels(pairs), level=level)


def family_labels(pairs: Sequence[CasePair]) -> list[int] | None:
    """One number per pair for the family its case belongs to; None when every pair is one of its own."""
    numbers: dict[tuple[Any, ...], int] = {}
    labels = [
        numbers.setdefault(pair.family if any(pair.family) else ("", "", at), len(numbers))
        for at, pair in enumerate(pairs)
    ]
    return None if len(numbers) == len(labels) else labels


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
    baseline: Baseline | None = field(default=None, repr=False, compare=False)
    """What the candidate was compared with, case by case: rules on scores, cost and latency read it."""

    def suite(self, name: str) -> SuiteComparison | None:
        """The comparison of one suite, or None."""
        return next((item for item in self.suites if item.suite == name), None)


def baseline_text(baseline: Baseline) -> str:
    """The committed form of a baseline; see :meth:`Baseline.to_text`."""
    return baseline.to_text()


def make_baseline(manifest: Manifest, records: Iterable[Record]) -> Baseline:
    """The summary of a run to compare later runs with. Cases that were not measured are left out.

    Whether a run may become a baseline (not partial, finished, passed) is decided by who asks.
    """
    from harness.core.pairing import summarise

    return summarise(manifest, records)


def compare(baseline: Baseline, manifest: Manifest, records: Iterable[Record], *, level: float = 0.95) -> Comparison:
    """The candidate against the baseline, suite by suite, in one pass over its records.

    Suites that only one side has are compared as far as they go: all their cases are in ``only_base`` or ``only_new``.

    :param level: confidence of the two-sided interval of each difference.
    """
    from harness.core.pairing import datasets_of, pair_up, summarise

    return pair_up(baseline, summarise(manifest, records), level=level, datasets=datasets_of(manifest))


def compare_runs(old: Run, new: Run, *, level: float = 0.95) -> Comparison:
    """Two stored runs, the older one as the baseline."""
    return compare(make_baseline(old.manifest, old.records), new.manifest, new.records, level=level)
