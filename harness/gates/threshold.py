"""Threshold: a metric is at least, or at most, a limit, with a stated confidence.

Pass when the one-sided bound on the limit's side clears it, fail when the other bound is on the wrong side, else
inconclusive with the number of cases that would decide. Missing trials count as failures in the one bound and as
passes in the other, so a rule may decide although some trials broke, and never because they did.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from harness.core.comparison import Comparison
from harness.core.figures import figure, metric_names
from harness.core.scorecard import Row, Scorecard, SuiteLine
from harness.core.verdict import Answer, Verdict
from harness.gates.early import judge_in_order
from harness.gates.fields import FieldError, check_between, check_confidence, check_looks
from harness.gates.says import Says
from harness.gates.scope import lines_in_scope, no_data
from harness.gates.wording import count, number, percent
from harness.stats.planning import size_to_decide


@dataclass(frozen=True, kw_only=True)
class Threshold(Says):
    """A limit on a metric over the suites in scope, pooled, every case with the same weight."""

    name: str
    metric: str = "pass_rate"
    """``pass_rate``, ``pass^k``, ``pass@k``, ``cost_usd``, ``tokens``, ``latency_s`` or an evaluator's name."""
    at_least: float | None = None
    at_most: float | None = None
    """Exactly one of the two limits; the limit itself is good enough."""
    confidence: float = 0.95
    """Of the one-sided bound, in (0.5, 1)."""
    suite: str = ""
    area: str = ""
    arm: str | None = None
    """Only this arm of a parametrized suite; None: all."""
    k: int | None = None
    """For ``pass^k`` and ``pass@k``."""
    quantile: float | None = None
    """Judge this quantile instead of the mean, in (0, 1)."""
    looks: int | None = None
    """With ``--harness-until-decided``: decide at so many planned looks only, see :mod:`harness.gates.looks`."""
    advisory: bool = False
    holm: bool = False
    """Set by ``[gate] holm = true``; see :mod:`harness.gates.family`."""

    def __post_init__(self) -> None:
        limits = [name for name in ("at_least", "at_most") if getattr(self, name) is not None]
        if len(limits) != 1:
            got = "both" if limits else "neither"
            raise FieldError("at_most" if limits else "", f"a threshold needs one of at_least and at_most, got {got}")
        check_confidence(self.confidence)
        check_between("quantile", self.quantile, 0, 1)
        check_looks(self.looks, decides=self.metric == "pass_rate" and self.at_least is not None)
        rates = ("pass_rate", "pass^k", "pass@k")
        if self.metric.startswith(("pass^", "pass@")) and self.metric not in rates:
            raise FieldError("metric", f"write metric = {self.metric[:5] + 'k'!r} and k = {self.metric[5:]}")
        if (self.metric in rates[1:]) != (self.k is not None):
            wrong = f"{self.metric} needs k" if self.k is None else f"only pass^k and pass@k take k, got k={self.k}"
            raise FieldError("metric" if self.k is None else "k", wrong)
        if self.k is not None and self.k < 1:
            raise FieldError("k", f"must be at least 1, got {self.k}")
        if self.metric in rates:
            if self.quantile is not None:
                raise FieldError("quantile", f"{self.metric} has no quantile; leave it out")
            limit = getattr(self, limits[0])
            check_between(limits[0], limit, 0, 1, ends=True)
            if self.at_least == 1:
                why = "no number of passes shows 100 %; use a must_pass rule, or a limit such as 0.99 (299 passes)"
                raise FieldError("at_least", why)

    def judge(self, scorecard: Scorecard, comparison: Comparison | None) -> Verdict:
        """See the head of this file. Never fails a run because trials could not be measured."""
        lines = lines_in_scope(scorecard, suite=self.suite, area=self.area)
        if self.arm is not None:
            lines = [line for line in lines if line.arm == self.arm]
        if not lines:
            return no_data(self.name, scorecard, suite=self.suite, area=self.area, advisory=self.advisory)
        if scorecard.until_decided and self.metric == "pass_rate" and self.at_least is not None and self.at_least < 1:
            answer, reason, needs = judge_in_order(
                scorecard, lines, at_least=self.at_least, confidence=self.confidence, looks=self.looks
            )
            return self._say(answer, reason, needs)
        row = figure(scorecard, self.metric, lines, level=self.confidence, k=self.k, quantile=self.quantile)
        return self._decide(row, scorecard, lines)

    def _decide(self, row: Row, scorecard: Scorecard, lines: list[SuiteLine]) -> Verdict:
        limit = self.at_least if self.at_least is not None else self.at_most
        assert limit is not None
        upward = self.at_least is not None
        name = _metric_words(self.metric, self.k, self.quantile)
        of = f"{row.n:,} of {count(row.of, 'trial')}"
        if row.n == 0:
            reason = f"{name}: nothing measured ({of})"
            names = metric_names(scorecard)
            if self.metric not in names:
                near = difflib.get_close_matches(self.metric, names, n=3, cutoff=0.4) or names
                reason = f"no data: no metric {self.metric!r} in this run; there is {', '.join(near)}"
            return self._say("inconclusive", reason, "a run that measures it")
        # The tolerance is far below anything that is printed; it keeps 0.9 from missing a bound of 0.9.
        low, high = row.gate_low, row.gate_high
        good, bad = (low, high) if upward else (high, low)
        sign, side, other = ("at least", "lower", "upper") if upward else ("at most", "upper", "lower")
        shown = number(row.estimate, limit=limit, unit=row.unit)
        start = f"{name} {shown} ({of}, {count(row.clusters, 'case')})"
        want = f"{sign} {number(limit, unit=row.unit)}"
        at = f"at {percent(self.confidence)}"
        if good is not None and (good >= limit - 1e-12 if upward else good <= limit + 1e-12):
            return self._say("pass", f"{start}: {side} bound {number(good, limit=limit, unit=row.unit)} {at} is {want}")
        if bad is not None and (bad < limit - 1e-12 if upward else bad > limit + 1e-12):
            end = f"{other} bound {number(bad, limit=limit, unit=row.unit)} {at} is not {want}"
            return self._say("fail", f"{start}: {end}")
        if (answer := self._without_spread(row, limit, upward=upward)) is not None:
            return self._say(answer, f"{start}: every case has the same value, which is {_not(answer)}{want}")
        bounds = f"bounds {number(low, limit=limit)} to {number(high, limit=limit)} {at}"
        why = f" ({row.note})" if row.note else ""
        return self._say(
            "inconclusive", f"{start}: {bounds} do not settle whether it is {want}{why}", self._needs(row, limit, lines)
        )

    def _without_spread(self, row: Row, limit: float, *, upward: bool) -> Answer | None:
        # A t interval shrinks onto its mean as the spread goes to nothing; equal values are the end of that way.
        if row.kind != "mean" or row.n < row.of or row.clusters < 2 or row.low is not None or row.estimate is None:
            return None
        return "pass" if (row.estimate >= limit if upward else row.estimate <= limit) else "fail"

    def _needs(self, row: Row, limit: float, lines: list[SuiteLine]) -> str:
        missing = row.of - row.n
        parts = [f"the {count(missing, 'unmeasured trial')}"] if missing else []
        if row.kind in ("rate", "pass_k") and row.estimate is not None and 0 < limit < 1:
            cases = max(1, sum(line.stop - line.start + line.missing_cases for line in lines))
            needed = size_to_decide(row.estimate, limit, confidence=self.confidence)
            if needed is None:
                parts.append("no number of cases decides a rate that is the limit itself")
            elif needed > cases:
                parts.append(f"about {count(needed - cases, 'more case')}")
        elif row.kind == "quantile":
            parts.append("more trials")
        elif not parts:
            parts.append("more cases")
        return " and ".join(parts) or "more cases"


def _metric_words(metric: str, k: int | None, quantile: float | None) -> str:
    if k is not None:
        return metric.replace("k", str(k))
    return metric if quantile is None else f"{metric} p{100 * quantile:g}"


def _not(answer: str) -> str:
    return "" if answer == "pass" else "not "
