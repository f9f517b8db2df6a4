"""What changed against the baseline: the mean difference per suite, then every case that flipped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from harness.core.blocks import Block, Cell, Interval, Prose, SectionPage, Table, Tone
from harness.core.comparison import Comparison, SuiteComparison, suite_key
from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.reporting import numbers
from harness.reporting.case_order import case_anchor, line_key
from harness.reporting.flips import Flip, flips

MOST_CASES = 200
STALE_DAYS, STALE_COMMITS = 30, 200
"""From where on a baseline's age is a warning: what was accepted then may not be what anybody means today."""


def age_of(comparison: Comparison, created_at: str) -> tuple[str, bool]:
    """How much older the baseline is than the run of ``created_at``, and whether that is a warning.

    ``12 days and 34 commits old``; commits only where ``comparison.meta["base_commits"]`` says how many. Empty where
    neither is known.
    """
    days, commits = _days(str(comparison.meta.get("base_created_at", "")), created_at), _commits(comparison)
    parts = []
    if days is not None:
        parts.append("less than a day" if days < 1 else "1 day" if days < 2 else f"{numbers.count(int(days))} days")
    if commits is not None:
        parts.append(f"{numbers.count(commits)} commit{'' if commits == 1 else 's'}")
    stale = (days or 0) >= STALE_DAYS or (commits or 0) >= STALE_COMMITS
    return (f"{' and '.join(parts)} old" if parts else ""), stale


def _days(old: str, new: str) -> float | None:
    try:
        span = datetime.fromisoformat(new) - datetime.fromisoformat(old)
    except (ValueError, TypeError):
        return None
    # A clock that was wrong makes no baseline of the future.
    return max(0.0, span.total_seconds() / 86_400)


def _commits(comparison: Comparison) -> int | None:
    count = comparison.meta.get("base_commits")
    return count if isinstance(count, int) else None


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
        age, stale = age_of(comparison, run.manifest.created_at)
        if age:
            more = "; accept a newer run: harness baseline accept RUN" if stale else ""
            blocks.append(Prose(text=f"The baseline is {age}{more}.", tone="warn" if stale else "muted"))
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
