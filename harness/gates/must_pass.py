"""Must-pass cases: the first failed trial fails the gate, whatever the rate."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.comparison import Comparison
from harness.core.scorecard import Scorecard
from harness.core.verdict import Verdict
from harness.gates.says import Says
from harness.gates.scope import lines_in_scope, no_data
from harness.gates.wording import count, some


@dataclass(frozen=True, kw_only=True)
class MustPass(Says):
    """Every case of severity ``must_pass`` in scope, and every case that the rule names, passes all its trials."""

    name: str
    cases: tuple[str, ...] = ()
    """Ids of further cases to treat as must-pass."""
    suite: str = ""
    area: str = ""
    advisory: bool = False

    def judge(self, scorecard: Scorecard, comparison: Comparison | None) -> Verdict:
        """Fail on a failed trial; inconclusive when one could not be measured, or when there is no such case."""
        lines = lines_in_scope(scorecard, suite=self.suite, area=self.area)
        if not lines:
            return no_data(self.name, scorecard, suite=self.suite, area=self.area, advisory=self.advisory)
        every = [case for line in lines for case in scorecard.cases[line.start : line.stop]]
        chosen = [case for case in every if case.severity == "must_pass" or case.case_id in self.cases]
        absent = sorted(set(self.cases) - {case.case_id for case in chosen})
        failed = [case for case in chosen if case.failed]
        open_cases = [case for case in chosen if not case.failed and case.errored + case.not_run]
        trials = f"{sum(case.passed for case in chosen):,} of {count(sum(case.trials for case in chosen), 'trial')}"
        if failed:
            told = some([f"{case.case_id} ({case.failed} of {case.trials} failed)" for case in failed])
            return self._say("fail", f"{count(len(failed), 'must-pass case')} failed: {told}")
        if open_cases or absent:
            told = some([case.case_id for case in open_cases] + [f"{case_id} (no record)" for case_id in absent])
            return self._say("inconclusive", f"must-pass cases not fully measured: {told}", "a run that measures them")
        unseen = sum(line.missing_cases for line in lines)
        if unseen:
            reason = f"{count(unseen, 'planned case')} left no record; any of them may be a must-pass case"
            return self._say("inconclusive", reason, "a run that measures them")
        if not chosen:
            return self._say("inconclusive", "no data: no must-pass case in scope", "a case with severity = must_pass")
        return self._say("pass", f"all {count(len(chosen), 'must-pass case')} passed ({trials})")
