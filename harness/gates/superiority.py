"""Superiority: the candidate is better than the baseline, paired by case; for a change that promised to be one.

Pass when the lower bound of the difference is above 0, or above a margin; fail when the upper bound is below it; else
inconclusive. "Looks better" is never a pass.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.verdict import Answer
from harness.gates.claims import Claim
from harness.gates.paired_rule import PairedRule


@dataclass(frozen=True, kw_only=True)
class Superiority(PairedRule):
    """The metric has become better, by more than the margin where one is given."""

    def claims(self) -> tuple[tuple[Claim, ...], tuple[Claim, ...]]:
        """Above the margin; against it, below the margin."""
        down = self._at(0.0)
        by, share = abs(down.at), abs(down.per_base)
        return (Claim(side="above", at=by, per_base=share),), (Claim(side="below", at=by, per_base=share),)

    def _words(self, answer: Answer) -> str:
        given = self.margin_points or self.margin or self.margin_percent
        by = f" by more than {self._margin(0.0)}" if given else ""
        if answer == "inconclusive":
            return f"not settled whether it is better{by}"
        return f"better{by}" if answer == "pass" else f"not better{by}"
