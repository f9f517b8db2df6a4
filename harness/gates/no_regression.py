"""No regression: the candidate is not worse than the baseline by more than a margin, paired by case.

Non-inferiority, not "no significant difference": pass when the lower bound of the difference is above minus the
margin; fail when the upper bound is below 0 (or below minus the margin, by policy); else inconclusive with the number
of cases that would decide. A trial that broke counts as lost in the lower bound and as won in the upper one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.core.comparison import Comparison
from harness.core.verdict import Answer
from harness.gates.claims import Claim
from harness.gates.fields import FieldError
from harness.gates.paired_rule import PairedRule

POINTS = 5.0
"""Margin of the pass rate where none is given."""
POLICIES = ("zero", "margin")


@dataclass(frozen=True, kw_only=True)
class NoRegression(PairedRule):
    """The metric has not become worse by the margin; for the pass rate 5 percentage points unless told otherwise."""

    fail_below: str = "zero"
    """``zero``: a drop that is shown at all fails, however small. ``margin``: only a drop shown to exceed the margin
    fails; a smaller one passes once it is shown to be smaller."""

    def _check(self) -> None:
        if self.fail_below not in POLICIES:
            raise FieldError("fail_below", f"must be 'zero' or 'margin', got {self.fail_below!r}")
        if self.metric != "pass_rate" and self.margin is None and self.margin_percent is None:
            raise FieldError("metric", f"no regression in {self.metric} needs margin (in its unit) or margin_percent")

    def claims(self) -> tuple[tuple[Claim, ...], tuple[Claim, ...]]:
        """Above minus the margin; against it, below 0 or below minus the margin."""
        above = self._at(POINTS)
        if self.fail_below == "margin":
            return (above,), (Claim(side="below", at=above.at, per_base=above.per_base),)
        return (above,), (Claim(side="below"),)

    def _words(self, answer: Answer) -> str:
        if answer == "fail":
            return f"worse by {self._margin(POINTS)}" if self.fail_below == "margin" else "worse than the baseline"
        word = "a drop of" if self.metric == "pass_rate" else "a loss of"
        told = f"{self._margin(POINTS)} or more"
        return f"no {word.removeprefix('a ')} {told}" if answer == "pass" else f"{word} {told} is not ruled out"


def unpaired_notes(comparison: Comparison) -> Iterator[str]:
    """One line per suite that has cases on one side only, for a report."""
    for suite in comparison.suites:
        parts = [(len(suite.changed), "changed"), (len(suite.only_base), "only before"), (len(suite.only_new), "new")]
        if any(n for n, _ in parts):
            yield f"{suite.suite}: " + ", ".join(f"{n} {word}" for n, word in parts if n)
