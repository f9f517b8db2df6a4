"""Cases that did not pass, worst first, each with its reason and a way to its trajectory."""

from __future__ import annotations

from harness.core.blocks import Cell, Prose, SectionPage, Table
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import CaseLine, Scorecard
from harness.reporting import numbers
from harness.reporting.case_order import SIGNS, STATUSES, TONES, WORDS, case_anchor, case_name, line_key, not_passed
from harness.reporting.visible_text import one_line

MOST_CASES = 20


class Failures:
    """The first of them; the case browser has all."""

    id = "failures"

    def __init__(self, scorecard: Scorecard) -> None:
        self._scorecard = scorecard

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None when every case passed."""
        bad = not_passed(self._scorecard.cases)
        if not bad:
            return None
        table = Table(
            columns=("Status", "Case", "Suite", "Trials passed", "Reason"),
            rows=tuple(_row(line) for line in bad[:MOST_CASES]),
            numeric=(3,),
        )
        more = len(bad) - MOST_CASES
        blocks = (table, Prose(text=f"And {numbers.count(more)} more; see all cases.")) if more > 0 else (table,)
        return SectionPage(id=self.id, title="Not passed", blocks=blocks)


def _row(line: CaseLine) -> tuple[Cell, ...]:
    trials = line.passed + line.failed + line.errored + line.not_run
    name = f"{case_name(line)} (must pass)" if line.severity == "must_pass" else case_name(line)
    rank = STATUSES.index(line.status)
    return (
        Cell(text=f"{SIGNS[line.status]} {WORDS[line.status]}", tone=TONES[line.status], sort=rank),
        Cell(text=name, href=f"#{case_anchor(line_key(line))}"),
        Cell(text=line.suite),
        Cell(text=numbers.n_of(line.passed, trials), sort=line.passed / trials if trials else None),
        Cell(text=one_line(line.reason, 240)),
    )
