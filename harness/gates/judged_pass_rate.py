"""JudgedPassRate: the share of work that a judge passes, corrected for the judge's errors, against a limit.

The bounds carry both uncertainties: of the cases, and of what is known of the judge. Trials without a verdict count as
failures in the lower bound and as passes in the upper one.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from harness.core.comparison import Comparison
from harness.core.judged_figures import MIN_LABELS, JudgedRate, judged_rate
from harness.core.scorecard import Scorecard
from harness.core.verdict import Verdict
from harness.gates.fields import FieldError, check_between, check_confidence
from harness.gates.says import Says
from harness.gates.scope import lines_in_scope, no_data
from harness.gates.wording import count, number, percent


@dataclass(frozen=True, kw_only=True)
class JudgedPassRate(Says):
    """A limit on a judge's corrected pass rate over the suites in scope, every case with the same weight."""

    name: str
    metric: str = ""
    """The judge's name, as evaluator."""
    at_least: float | None = None
    """The limit, in (0, 1)."""
    confidence: float = 0.95
    """Of the one-sided bound, in (0.5, 1)."""
    suite: str = ""
    area: str = ""
    advisory: bool = False
    holm: bool = False
    """Set by ``[gate] holm = true``; see :mod:`harness.gates.family`."""

    def __post_init__(self) -> None:
        if not self.metric:
            raise FieldError("metric", "name the judge, as it is called among the evaluators")
        if self.at_least is None:
            raise FieldError("", "a judged_pass_rate rule needs at_least")
        check_between("at_least", self.at_least, 0, 1)
        check_confidence(self.confidence)

    def judge(self, scorecard: Scorecard, comparison: Comparison | None) -> Verdict:
        """See the head of this file."""
        assert self.at_least is not None
        lines = lines_in_scope(scorecard, suite=self.suite, area=self.area)
        if not lines:
            return no_data(self.name, scorecard, suite=self.suite, area=self.area, advisory=self.advisory)
        found = judged_rate(scorecard, self.metric, lines, level=self.confidence)
        if found is None or found.n == 0:
            names = sorted({line.metric for line in scorecard.judges})
            near = difflib.get_close_matches(self.metric, names, n=1) or names
            there = f"there is {', '.join(near)}" if near else "no judge judged it"
            return self._say("inconclusive", f"no data: no verdict of a judge {self.metric!r} here; {there}", "a run")
        words = said(found)
        if found.low is not None and found.low >= self.at_least - 1e-12:
            bound = number(found.low, limit=self.at_least)
            return self._say(
                "pass", f"{words}: lower bound {bound} at {percent(self.confidence)} is at least {self.at_least:g}"
            )
        if found.high is not None and found.high < self.at_least - 1e-12:
            bound = number(found.high, limit=self.at_least)
            return self._say(
                "fail", f"{words}: upper bound {bound} at {percent(self.confidence)} is not at least {self.at_least:g}"
            )
        if found.corrected.value is None:
            return self._say("inconclusive", f"{words}: {found.corrected.note}", "an exam: harness calibrate")
        bounds = f"{number(found.low, limit=self.at_least)} to {number(found.high, limit=self.at_least)}"
        return self._say(
            "inconclusive",
            f"{words}: bounds {bounds} at {percent(self.confidence)} do not settle {self.at_least:g}",
            "more cases, more rows in the judge's exam, or human labels",
        )


def said(found: JudgedRate) -> str:
    """Both rates and n of N in words."""
    of = f"{found.n:,} of {count(found.of, 'trial')}, {count(found.cases, 'case')}"
    raw = number(found.raw.value)
    if found.corrected.value is None:
        return f"the judge passes {raw} ({of})"
    how = f"{found.labels} human labels" if found.labels >= MIN_LABELS else "its exam"
    return f"the judge passes {raw}, {number(found.corrected.value)} corrected by {how} ({of})"
