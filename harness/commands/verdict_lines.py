"""A judged run as lines for the terminal: the same at the end of a session and for ``harness gate``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.core.comparison import Comparison
    from harness.plugin.judging import Judged

MOST_CASES = 5


def verdict_lines(judged: Judged, *, width: int, colour: bool, ascii_only: bool = False) -> list[str]:
    """Verdict, suites, cases that did not pass, what changed against the baseline, notices."""
    from harness.core.comparison import suite_key
    from harness.reporting import terminal_lines
    from harness.reporting.visible_text import one_line

    lines = terminal_lines(
        judged.scorecard, judged.verdicts, judged.answer, width=width, colour=colour, ascii_only=ascii_only
    )
    if judged.comparison is not None:
        observed = {suite_key(line.suite, line.arm) for line in judged.scorecard.suites if line.observe}
        created_at = judged.run.manifest.created_at
        lines += changed_lines(judged.comparison, observed, created_at=created_at, width=width, ascii_only=ascii_only)
    return [*lines, *(f"note: {one_line(notice, 1000)}" for notice in judged.run.notices)]


def changed_lines(
    comparison: Comparison,
    observed: Collection[str] = (),
    *,
    created_at: str = "",
    width: int,
    ascii_only: bool = False,
) -> list[str]:
    """How many cases changed against the baseline, the pooled difference, and the first cases that got worse.

    :param observed: suites (by key) that never gate; they are left out here, the scorecard has them.
    :param created_at: when the run began, for the baseline's age; empty: not told.
    """
    from harness.core.comparison import pooled_difference
    from harness.reporting import numbers
    from harness.reporting.flips import flips
    from harness.reporting.sections.changes import age_of
    from harness.reporting.visible_text import one_line

    width = max(40, width)
    comparison = replace(comparison, suites=tuple(s for s in comparison.suites if s.suite not in observed))
    worse, better = flips(comparison)
    pairs = [pair for suite in comparison.suites for pair in suite.pairs]
    made = pooled_difference(pairs)
    source = str(comparison.meta.get("source", ""))
    name = f"{comparison.base} ({source})" if source and source != comparison.base else comparison.base
    age, stale = age_of(comparison, created_at)
    text = f"against baseline {name}: "
    if pairs:
        text += f"{len(worse)} worse, {len(better)} better, {len(pairs) - len(worse) - len(better)} the same; "
        text += f"{numbers.points(made.value)} {numbers.points_interval(made.low, made.high)}"
    else:
        text += "no case could be paired"
    if age:
        text += f"; it is {age}" + (", so accept a newer run: harness baseline accept RUN" if stale else "")
    lines = [one_line(text, 400)]
    arrow = "->" if ascii_only else "→"
    for flip in worse[:MOST_CASES]:
        said = flip.text.replace("→", arrow)
        lines.append("  - " + one_line(f"{flip.pair.case_id}  {said}  {flip.suite}", width - 4))
    if len(worse) > MOST_CASES:
        base = source.removesuffix(".json") or comparison.base
        lines.append(f"  and {len(worse) - MOST_CASES} more; all of them: harness compare {base} {comparison.new}")
    gone = sum(len(suite.changed) + len(suite.only_base) for suite in comparison.suites)
    if gone:
        lines.append(f"  {gone} cases of the baseline were changed or not measured, and are not in these numbers")
    lines += [f"  {one_line(note, 300)}" for note in comparison.notes]
    return lines
