"""Equivalence: the candidate is the same as the baseline within a margin, both ways; for a change that must not show.

Two one-sided tests (Schuirmann 1987): pass when both bounds of the difference lie inside the margin; fail when one of
them shows a difference beyond it; else inconclusive.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.verdict import Answer
from harness.gates.claims import Claim
from harness.gates.fields import FieldError
from harness.gates.paired_rule import PairedRule


@dataclass(frozen=True, kw_only=True)
class Equivalence(PairedRule):
    """The metric has changed by less than the margin, in either direction."""

    confidence: float = 0.95
    """Of each one-sided bound; two one-sided tests at 5 % are the usual form."""

    def _check(self) -> None:
        if self.margin_points is None and self.margin is None and self.margin_percent is None:
            field = "margin_points" if self.metric == "pass_rate" else "margin"
            raise FieldError("", f"a rule of kind equivalence needs {field}")

    def claims(self) -> tuple[tuple[Claim, ...], tuple[Claim, ...]]:
        """Above minus the margin and below the margin; against it, beyond either."""
        down = self._at(0.0)
        up = Claim(side="below", at=-down.at, per_base=-down.per_base)
        beyond = (
            Claim(side="below", at=down.at, per_base=down.per_base),
            Claim(side="above", at=up.at, per_base=up.per_base),
        )
        return (down, up), beyond

    def _words(self, answer: Answer) -> str:
        told = self._margin(0.0)
        if answer == "inconclusive":
            return f"a change of {told} or more is not ruled out"
        return f"the same within {told}" if answer == "pass" else f"changed by more than {told}"
