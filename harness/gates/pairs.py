"""Pairs: one oriented difference per case between a baseline and a run, and which cases stand on one side only.

The words:

- *pair*: a case of the run that the baseline has with the same content hash and, for a metric, with a value.
- *changed*: in both, with another content. *gone*: only in the baseline. *new*: only in the run. *unpaired*: all three.
- *worst* and *best*: the difference with every unmeasured trial of the run counted against, and for, the candidate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.core.baseline import short
from harness.core.comparison import BaselineCase, Comparison, SuiteComparison, suite_key
from harness.core.scorecard import CaseLine, Sample, Scorecard, SuiteLine

Key = tuple[str, str, str]
"""Suite, arm and case id."""


@dataclass(kw_only=True)
class Pairs:
    """Collected case by case; see :func:`pair_cases`."""

    worst: list[float] = field(default_factory=list)
    best: list[float] = field(default_factory=list)
    base: list[float] = field(default_factory=list)
    """The baseline's value of each pair."""
    places: list[tuple[str, str]] = field(default_factory=list)
    """Suite and arm of each pair."""
    labels: list[tuple[str, str]] = field(default_factory=list)
    """Independence group of each pair: dataset and cluster."""
    worse: list[str] = field(default_factory=list)
    """Ids of the cases that came out worse, or broke."""
    missing: int = 0
    """Unmeasured trials of paired cases."""
    changed: int = 0
    gone: int = 0
    new: int = 0
    unvalued: int = 0
    """Cases in both that have a value of the metric on one side only."""
    left_out: int = 0
    """Pairs that were not run because every rule was decided."""
    new_suites: list[str] = field(default_factory=list)
    """Suites that the baseline does not have; their cases are not counted."""
    bounded: bool = True
    """Whether all differences lie in [-1, 1] by their nature."""
    unit: str = ""
    lower_is_better: bool = False

    @property
    def groups(self) -> list[int] | None:
        """One label per pair; None when every case is on its own."""
        numbers: dict[tuple[str, str], int] = {}
        found = [numbers.setdefault(label, len(numbers)) for label in self.labels]
        return None if len(numbers) == len(found) else found

    @property
    def means(self) -> tuple[float, float]:
        """Of the worst and of the best differences, oriented; the same where everything was measured."""
        return math.fsum(self.worst) / len(self.worst), math.fsum(self.best) / len(self.best)

    @property
    def unpaired(self) -> int:
        """Cases on one side only, and changed ones."""
        return self.changed + self.gone + self.new + self.unvalued

    @property
    def share_unpaired(self) -> float:
        """Of all cases on either side."""
        return self.unpaired / max(1, self.unpaired + len(self.worst) + self.left_out)


def baseline_cases(
    comparison: Comparison, line: SuiteLine, cases: Mapping[str, CaseLine]
) -> Mapping[str, BaselineCase] | None:
    """The baseline's cases of a suite; None when it does not have the suite.

    A comparison that was put together without its baseline knows the pairs only, and no scores.
    """
    key = suite_key(line.suite, line.arm)
    if comparison.baseline is not None:
        return comparison.baseline.suites.get(key) or None
    suite = comparison.suite(key)
    if suite is None or not (suite.pairs or suite.changed or suite.only_base):
        return None
    return _from_pairs(suite, cases)


def _from_pairs(suite: SuiteComparison, cases: Mapping[str, CaseLine]) -> dict[str, BaselineCase]:
    found = {
        pair.case_id: BaselineCase(
            case_hash=cases[pair.case_id].case_hash if pair.case_id in cases else "",
            trials=pair.base_trials,
            passes=pair.base_passes,
        )
        for pair in suite.pairs
    }
    other = {name: BaselineCase(case_hash="another content", trials=1, passes=1) for name in suite.changed}
    # Their share is not in the comparison; a case that passed is the worst that breaking it can cost.
    broken = {
        name: BaselineCase(case_hash=cases[name].case_hash if name in cases else "", trials=1, passes=1)
        for name in suite.only_base
    }
    return {**found, **other, **broken}


def base_shares(scorecard: Scorecard, lines: Sequence[SuiteLine], comparison: Comparison) -> dict[Key, float]:
    """The baseline's pass share of every case of the run that it has with the same content."""
    shares: dict[Key, float] = {}
    for line in lines:
        cases = {case.case_id: case for case in scorecard.cases[line.start : line.stop]}
        for name, before in (baseline_cases(comparison, line, cases) or {}).items():
            if name in cases and cases[name].case_hash == before.case_hash:
                shares[line.suite, line.arm, name] = before.passes / before.trials
    return shares


def pair_cases(scorecard: Scorecard, lines: Sequence[SuiteLine], comparison: Comparison, metric: str) -> Pairs:
    """The pairs of some suites for ``pass_rate`` or any measured metric; empty where nothing can be paired."""
    pairs = Pairs()
    tables = []
    for line in lines:
        cases = {case.case_id: case for case in scorecard.cases[line.start : line.stop]}
        table = baseline_cases(comparison, line, cases)
        if table is None:
            pairs.new_suites.append(suite_key(line.suite, line.arm))
        else:
            tables.append((line, table, scorecard.samples.get((line.suite, line.arm, metric))))
    if metric == "pass_rate":
        for line, table, _ in tables:
            _pair_suite(pairs, scorecard, line, table, metric, None)
        return pairs
    before = (case.scores[metric].mean for _, table, _ in tables for case in table.values() if metric in case.scores)
    _describe(pairs, [sample for _, _, sample in tables if sample is not None], before)
    for line, table, sample in tables:
        _pair_suite(pairs, scorecard, line, table, metric, _values(sample))
    return pairs


def _pair_suite(
    pairs: Pairs,
    scorecard: Scorecard,
    line: SuiteLine,
    table: Mapping[str, BaselineCase],
    metric: str,
    values: Mapping[int, list[float]] | None,
) -> None:
    seen = 0
    for index in range(line.start, line.stop):
        case = scorecard.cases[index]
        before = table.get(case.case_id)
        if before is None:
            pairs.new += 1
            continue
        seen += 1
        if before.case_hash != case.case_hash:
            pairs.changed += 1
        elif case.decided and not case.trials:
            pairs.left_out += 1
        elif values is None:
            _add_share(pairs, line, case, before)
        else:
            score = before.scores.get(metric)
            own = values.get(index, [])
            if score is not None and (own or case.errored or case.not_run):
                _add(pairs, line, case, score.mean, own)
            elif score is not None or own:
                pairs.unvalued += 1
    gone = len(table) - seen
    # Planned cases without any record have no id here; they are among those the baseline has and this run lacks.
    unseen = min(line.missing_cases, gone)
    pairs.gone += gone - unseen
    for _ in range(unseen):
        pairs.missing += line.trials
        if not pairs.bounded:
            continue
        pairs.worst.append(-1.0)
        pairs.best.append(1.0)
        pairs.base.append(1.0)
        pairs.places.append((line.suite, line.arm))
        pairs.labels.append((line.dataset or line.suite, f"no record {len(pairs.labels)}"))


def _add(pairs: Pairs, line: SuiteLine, case: CaseLine, before: float, values: Sequence[float]) -> None:
    n = len(values)
    lost = min(case.errored + case.not_run, max(0, case.trials - n))
    pairs.missing += lost
    if not pairs.bounded:
        # There is no worst value to put in its place; while anything is missing, nothing is shown.
        if not n:
            return
        lost = 0
    # Cut like the baseline's own value: a run against itself must differ by nothing, not by the last stored digit.
    total = math.fsum(values)
    ends = short(total / (n + lost)) - before, short((total + lost) / (n + lost)) - before
    _keep(pairs, line, case, before, (-ends[1], -ends[0]) if pairs.lower_is_better else ends)


def _add_share(pairs: Pairs, line: SuiteLine, case: CaseLine, before: BaselineCase) -> None:
    base, unmeasured = before.passes / before.trials, case.errored + case.not_run
    pairs.missing += unmeasured
    ends = case.passed / case.trials - base, (case.passed + unmeasured) / case.trials - base
    _keep(pairs, line, case, base, ends)


def _keep(pairs: Pairs, line: SuiteLine, case: CaseLine, before: float, ends: tuple[float, float]) -> None:
    pairs.worst.append(ends[0])
    pairs.best.append(ends[1])
    pairs.base.append(before)
    pairs.places.append((line.suite, line.arm))
    pairs.labels.append((line.dataset or line.suite, case.cluster or case.case_id))
    if ends[0] < 0:
        pairs.worse.append(case.case_id)


def _describe(pairs: Pairs, samples: Sequence[Sample], before: Iterable[float]) -> None:
    if samples:
        pairs.unit, pairs.lower_is_better = samples[0].unit, samples[0].direction == "lower"
    shares = bool(samples) and all(sample.evaluator and not sample.unit for sample in samples)
    now = (value for sample in samples for value in sample.values)
    pairs.bounded = shares and all(0.0 <= value <= 1.0 for values in (now, before) for value in values)


def _values(sample: Sample | None) -> dict[int, list[float]]:
    found: dict[int, list[float]] = {}
    if sample is not None:
        for case, value in zip(sample.cases, sample.values, strict=True):
            found.setdefault(case, []).append(value)
    return found
