"""Enough evidence: the share, and the number, of trials that were measured at all."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.comparison import Comparison
from harness.core.scorecard import Scorecard
from harness.core.verdict import Verdict
from harness.gates.fields import FieldError, check_between
from harness.gates.scope import lines_in_scope, no_data
from harness.gates.wording import count, number


@dataclass(frozen=True, kw_only=True)
class EnoughEvidence:
    """Inconclusive, never fail, when too little was measured: missing evidence says nothing about the agent."""

    name: str
    measured_share: float = 1.0
    """Smallest share of the planned trials that must be measured, in [0, 1]."""
    cases: int = 1
    """Smallest number of cases with at least one measured trial."""
    suite: str = ""
    area: str = ""
    advisory: bool = False

    def __post_init__(self) -> None:
        check_between("measured_share", self.measured_share, 0, 1, ends=True)
        if self.cases < 1:
            raise FieldError("cases", f"must be at least 1, got {self.cases}")

    def judge(self, scorecard: Scorecard, comparison: Comparison | None) -> Verdict:
        """Pass or inconclusive."""
        lines = lines_in_scope(scorecard, suite=self.suite, area=self.area)
        if not lines:
            return no_data(self.name, scorecard, suite=self.suite, area=self.area, advisory=self.advisory)
        measured, planned = sum(line.measured for line in lines), sum(line.planned for line in lines)
        groups = {
            (line.dataset or line.suite, case.case_id)
            for line in lines
            for case in scorecard.cases[line.start : line.stop]
            if case.measured
        }
        share = measured / planned if planned else 0.0
        told = f"{measured:,} of {count(planned, 'trial')} measured ({number(share, limit=self.measured_share)})"
        told += f", {count(len(groups), 'case')}"
        want = f"asked for a share of {self.measured_share:g} and {count(self.cases, 'case')}"
        enough = measured > 0 and share >= self.measured_share - 1e-12 and len(groups) >= self.cases
        needs = []
        if share < self.measured_share - 1e-12 or not measured:
            needs.append(f"the {count(planned - measured, 'unmeasured trial')}" if planned else "cases")
        if len(groups) < self.cases:
            needs.append(f"{count(self.cases - len(groups), 'more case')}")
        return Verdict(
            rule=self.name,
            answer="pass" if enough else "inconclusive",
            reason=f"{told}; {want}",
            suite=self.suite,
            area=self.area,
            needs=" and ".join(needs),
            advisory=self.advisory,
        )
