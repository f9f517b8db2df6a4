"""Kill rate: the suites notice at least so large a share of the faults that they claim to notice.

A verdict about the suites and not about the agent: a gate that a broken agent passes decides nothing. Needs a run made
with ``--harness-sensitivity``, or one that ``harness sensitivity RUN`` has attacked since.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.comparison import Comparison
from harness.core.scorecard import Scorecard
from harness.core.sensitivity import Sensitivity
from harness.core.verdict import Verdict
from harness.gates.fields import FieldError, check_between, check_confidence
from harness.gates.says import Says
from harness.gates.scope import lines_in_scope, no_data
from harness.gates.wording import count, number, percent, some
from harness.stats.rates import rate_bounds


@dataclass(frozen=True, kw_only=True)
class KillRate(Says):
    """The share of claimed faults that were killed, over the suites in scope; faults of a case are one cluster."""

    name: str
    at_least: float = 0.9
    """Smallest share, in (0, 1)."""
    confidence: float = 0.95
    """Of the one-sided bound, in (0.5, 1)."""
    bounds: bool = True
    """Also fail where a suite lets a null or a random agent through."""
    suite: str = ""
    area: str = ""
    advisory: bool = False

    def __post_init__(self) -> None:
        check_confidence(self.confidence)
        check_between("at_least", self.at_least, 0, 1, ends=True)
        if self.at_least in (0, 1):
            raise FieldError("at_least", f"must lie between 0 and 1, for example 0.9; got {self.at_least!r}")

    def judge(self, scorecard: Scorecard, comparison: Comparison | None) -> Verdict:
        """Pass where the lower bound reaches the limit, fail where the upper one does not, else inconclusive."""
        lines = lines_in_scope(scorecard, suite=self.suite, area=self.area)
        if not lines:
            return no_data(self.name, scorecard, suite=self.suite, area=self.area, advisory=self.advisory)
        told = scorecard.sensitivity
        if told is None:
            how = f"harness sensitivity {scorecard.run_id}, or a run with --harness-sensitivity"
            return self._say("inconclusive", "no data: no fault was put into this run's trials", how)
        scope = {(line.suite, line.arm) for line in lines}
        if self.bounds and (through := _let_through(told, scope)):
            return self._say("fail", f"let through as if they were good: {some(through)}")
        values, groups = [], []
        clusters: dict[tuple[str, str], int] = {}
        for case in told.cases:
            if (case.suite, case.arm) in scope and case.judged:
                group = clusters.setdefault((case.suite, case.cluster), len(clusters))
                values += [1.0] * case.killed + [0.0] * (case.judged - case.killed)
                groups += [group] * case.judged
        if not values:
            return self._say("inconclusive", "no data: the suites in scope claim no fault", "golden(..., faults=[...])")
        return self._decide(values, groups, len(clusters))

    def _decide(self, values: list[float], groups: list[int], clusters: int) -> Verdict:
        low, high = rate_bounds(values, groups, confidence=self.confidence)
        assert low is not None
        assert high is not None
        killed, limit = int(sum(values)), self.at_least
        of = f"{killed:,} of {count(len(values), 'fault')}"
        start = f"kill rate {number(killed / len(values), limit=limit)} ({of}, {count(clusters, 'case')})"
        at = f"at {percent(self.confidence)}"
        if low >= limit - 1e-12:
            return self._say("pass", f"{start}: lower bound {number(low, limit=limit)} {at} is at least {limit:g}")
        if high < limit - 1e-12:
            return self._say("fail", f"{start}: upper bound {number(high, limit=limit)} {at} is not at least {limit:g}")
        between = f"bounds {number(low, limit=limit)} to {number(high, limit=limit)} {at}"
        return self._say("inconclusive", f"{start}: {between} do not settle it", "more cases, or fewer survivors")


def _let_through(told: Sensitivity, scope: set[tuple[str, str]]) -> list[str]:
    return [
        f"{line.agent} agent by {line.suite.rpartition('::')[2]} ({line.passed} of {line.trials} passed)"
        for line in told.bounds
        if line.agent in ("null", "random") and (line.suite, line.arm) in scope and line.trials and not line.refused
    ]
