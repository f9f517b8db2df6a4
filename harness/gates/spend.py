"""Spend: what the run cost, per trial and in all. Money spent is a count, not a sample, so it is compared as it is."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from harness.core.comparison import Comparison
from harness.core.figures import figure
from harness.core.scorecard import Scorecard
from harness.core.verdict import Verdict, combine
from harness.gates.fields import FieldError, check_between, check_confidence
from harness.gates.scope import lines_in_scope, no_data
from harness.gates.threshold import Threshold
from harness.gates.wording import count, number


@dataclass(frozen=True, kw_only=True)
class Spend:
    """The agent's cost stays within limits. A trial of unknown price makes it inconclusive, unless already too dear."""

    name: str
    per_trial_usd: float | None = None
    """Largest mean cost per trial, US dollars, judged with ``confidence`` as any mean."""
    total_usd: float | None = None
    """Largest cost of all trials in scope together, US dollars; at least one of the two limits is given."""
    confidence: float = 0.95
    suite: str = ""
    area: str = ""
    advisory: bool = False
    holm: bool = False
    """Set by ``[gate] holm = true``; see :mod:`harness.gates.family`."""

    def __post_init__(self) -> None:
        if self.per_trial_usd is None and self.total_usd is None:
            raise FieldError("", "a cost rule needs per_trial_usd or total_usd, got neither")
        check_between("per_trial_usd", self.per_trial_usd, 0, float("inf"), ends=True)
        check_between("total_usd", self.total_usd, 0, float("inf"), ends=True)
        check_confidence(self.confidence)

    def judge(self, scorecard: Scorecard, comparison: Comparison | None) -> Verdict:
        """The worse of the two answers, with both reasons."""
        lines = lines_in_scope(scorecard, suite=self.suite, area=self.area)
        if not lines:
            return no_data(self.name, scorecard, suite=self.suite, area=self.area, advisory=self.advisory)
        found: list[Verdict] = []
        if self.per_trial_usd is not None:
            rule = Threshold(
                name=self.name,
                metric="cost_usd",
                at_most=self.per_trial_usd,
                confidence=self.confidence,
                suite=self.suite,
                area=self.area,
            )
            found.append(rule.judge(scorecard, comparison))
        if self.total_usd is not None:
            row = figure(scorecard, "cost_usd", lines)
            samples = (scorecard.samples.get((line.suite, line.arm, "cost_usd")) for line in lines)
            # Decimal of the shortest text of each float: a sum of 0.1s is then a sum of tenths.
            total = sum((Decimal(repr(v)) for s in samples if s is not None for v in s.values), Decimal(0))
            found.append(self._total(float(total), self.total_usd, n=row.n, of=row.of or sum(x.planned for x in lines)))
        answer = combine(found)
        return Verdict(
            rule=self.name,
            answer=answer,
            reason="; ".join(verdict.reason for verdict in found),
            suite=self.suite,
            area=self.area,
            needs=" and ".join(verdict.needs for verdict in found if verdict.needs and verdict.answer == answer),
            advisory=self.advisory,
        )

    def _total(self, total: float, limit: float, *, n: int, of: int) -> Verdict:
        told = f"total {number(total, limit=limit, unit='USD')} ({n:,} of {count(of, 'trial')} priced)"
        if n and total > limit:
            return Verdict(rule=self.name, answer="fail", reason=f"{told} is above {number(limit, unit='USD')}")
        if n < of or not n:
            needs = f"a price for {count(of - n, 'trial')}" if of > n else "priced trials"
            return Verdict(rule=self.name, answer="inconclusive", reason=f"{told}: the rest is unknown", needs=needs)
        return Verdict(rule=self.name, answer="pass", reason=f"{told} is at most {number(limit, unit='USD')}")
