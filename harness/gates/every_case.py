"""Every case passes: what plain pytest asks of a suite that no rate rule decides over."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.comparison import Comparison
from harness.core.scorecard import Scorecard
from harness.core.verdict import Verdict
from harness.gates.wording import count, some


@dataclass(frozen=True, kw_only=True)
class EveryCasePasses:
    """No failed trial in the given suites, and every trial measured."""

    name: str = "every case passes"
    suites: tuple[tuple[str, str], ...]
    """(suite, arm) of each suite."""

    def judge(self, scorecard: Scorecard, comparison: Comparison | None) -> Verdict:
        """Fail on a failed trial, inconclusive on one that could not be measured."""
        lines = [line for line in scorecard.suites if (line.suite, line.arm) in self.suites]
        cases = [case for line in lines for case in scorecard.cases[line.start : line.stop]]
        failed = [case for case in cases if case.failed]
        passed, planned = sum(line.passed for line in lines), sum(line.planned for line in lines)
        suite = lines[0].suite if len(lines) == 1 else ""
        of = f"{passed:,} of {count(planned, 'trial')} passed"
        if failed:
            told = some([case.case_id for case in failed])
            reason = f"{count(len(failed), 'case')} failed ({of}): {told}"
            return Verdict(rule=self.name, answer="fail", reason=reason, suite=suite)
        errored, not_run = sum(line.errored for line in lines), sum(line.not_run for line in lines)
        if errored or not_run or not planned:
            reason = f"{of}; {errored:,} could not be measured, {not_run:,} did not run"
            return Verdict(
                rule=self.name,
                answer="inconclusive",
                reason=reason if planned else "no data: no trial was planned",
                suite=suite,
                needs=f"the {count(errored + not_run, 'unmeasured trial')}" if planned else "cases",
            )
        return Verdict(rule=self.name, answer="pass", reason=f"all {count(passed, 'trial')} passed", suite=suite)
