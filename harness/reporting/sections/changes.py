"""What changed against the baseline: the mean difference per suite, then every case that flipped."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.blocks import Block, Cell, Interval, Prose, SectionPage, Table, Tone
from harness.core.comparison import Comparison, SuiteComparison, suite_key
from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.reporting import numbers
from harness.reporting.case_order import case_anchor, line_key
from harness.reporting.flips import Flip, flips

MOST_CASES = 200


class Changes:
    """Cases paired with the baseline."""

    id = "changes"

    def __init__(self, scorecard: Scorecard) -> None:
        self._addresses = {
            (suite_key(line.suite, line.arm), line.case_id): case_anchor(line_key(line)) for line in scorecard.cases
        }

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None without a baseline."""
        if comparison is None:
            return None
        worse, better = flips(comparison)
        same = sum(len(suite.pairs) for suite in comparison.suites) - len(worse) - len(better)
        words = f"{numbers.count(len(worse))} cases worse, {numbers.count(len(better))} better, "
        blocks: list[Block] = [Prose(text=f"{words}{numbers.count(same)} the same, against run {comparison.base}.")]
        blocks += [Prose(text=note, tone="warn") for note in comparison.notes]
        if comparison.suites:
            blocks.append(_suites(comparison.suites))
        if worse:
            blocks.append(self._flipped("Worse than the baseline", worse, "bad"))
        if better:
            blocks.append(self._flipped("Better than the baseline", better, "good"))
        blocks += _unpaired(comparison.suites)
        return SectionPage(id=self.id, title="Changes", blocks=tuple(blocks))

    def _flipped(self, caption: str, found: Sequence[Flip], tone: Tone) -> Table:
        if len(found) > MOST_CASES:
            caption = f"{caption}: the first {MOST_CASES} of {numbers.count(len(found))}"
        rows = tuple(
            (
                Cell(
                    text=flip.pair.case_id,
                    href=f"#{address}" if (address := self._addresses.get((flip.suite, flip.pair.case_id))) else "",
                ),
                Cell(text=flip.suite),
                Cell(text=flip.text),
                Cell(text=numbers.points(flip.pair.difference), tone=tone, sort=flip.pair.difference),
            )
            for flip in found[:MOST_CASES]
        )
        columns = ("Case", "Suite", "Trials passed", "Difference")
        return Table(columns=columns, rows=rows, caption=caption, numeric=(2, 3))


def _suites(suites: Sequence[SuiteComparison]) -> Table:
    bounds = [abs(v) for suite in suites for v in (suite.difference, suite.low, suite.high) if v is not None]
    reach = next((end for end in (0.05, 0.1, 0.25, 0.5) if end >= max(bounds, default=0.0)), 1.0)
    return Table(
        columns=("Suite", "Difference", "Interval", "", "Cases paired", "Method"),
        rows=tuple(_suite(suite, reach) for suite in suites),
        caption="Mean change of the pass share over the paired cases. Dashed line: no change.",
        numeric=(1, 4),
    )


def _suite(suite: SuiteComparison, reach: float) -> tuple[Cell, ...]:
    known = suite.low is not None and suite.high is not None
    text = numbers.points_interval(suite.low, suite.high) if known else ""
    difference = numbers.points(suite.difference)
    picture = Interval(
        estimate=suite.difference,
        low=suite.low,
        high=suite.high,
        minimum=-reach,
        maximum=reach,
        limit=0.0,
        text=f"{difference} {text}".rstrip(),
    )
    return (
        Cell(text=suite.suite),
        Cell(text=difference, sort=suite.difference),
        Cell(text="", interval=picture),
        Cell(text=text, tone="muted"),
        Cell(text=numbers.count(len(suite.pairs)), sort=len(suite.pairs)),
        Cell(text=suite.method, tone="muted"),
    )


def _unpaired(suites: Sequence[SuiteComparison]) -> list[Block]:
    kinds = (
        ("changed", "Left out, because the case itself changed"),
        ("only_base", "Only in the baseline"),
        ("only_new", "New since the baseline"),
    )
    blocks: list[Block] = []
    for name, title in kinds:
        found = [case_id for suite in suites for case_id in getattr(suite, name)]
        if found:
            more = f" and {numbers.count(len(found) - 50)} more" if len(found) > 50 else ""
            text = f"{title} ({numbers.count(len(found))}): {', '.join(found[:50])}{more}."
            blocks.append(Prose(text=text, tone="muted"))
    return blocks
