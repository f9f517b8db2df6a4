"""Guardrails as classifiers: recall and false positives per guard, source and category, what was missed, latency.

Recall alone flatters a guard that stops everything, so nothing here shows it without the false positives beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from harness.core.blocks import Block, Cell, Figure, Figures, Interval, Prose, SectionPage, Table, Tone
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.reporting import numbers
from harness.reporting.sections.guard_rows import EVIDENCE, Classified, GuardRow, classified, guard_rows
from harness.stats.estimate import Estimate

MOST_ROWS = 200
UPPER_BOUND = (
    "These test sets are static, so the figures are upper bounds of what a guard catches: an attacker who sees what "
    "it stops and can try again will find more. Precision is that of these rows, where attacks are far more common "
    "than in traffic."
)


class Guards:
    """One table a question: how good, on what, what slipped through, how slow, what changed."""

    id = "guards"

    def __init__(self, scorecard: Scorecard) -> None:
        self._any = any(name == EVIDENCE for _, _, name in scorecard.samples)

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None when no guard was judged."""
        rows = guard_rows(run) if self._any else []
        if not rows:
            return None
        by_guard: dict[str, list[GuardRow]] = {}
        for row in rows:
            by_guard.setdefault(row.suite, []).append(row)
        whole = classified(rows)
        blocks: list[Block] = [Prose(text=UPPER_BOUND, tone="warn"), _headline(whole, len(by_guard))]
        places = _places(by_guard)
        blocks += [_by_source(places), _combined(places)]
        blocks.append(_by_category(by_guard))
        blocks += _wrong(rows)
        blocks.append(_latency(by_guard))
        if comparison is not None and (changed := _changes(by_guard, comparison)):
            blocks.append(changed)
        return SectionPage(id=self.id, title="Guardrails as classifiers", blocks=tuple(blocks))


def _headline(whole: Classified, guards: int) -> Figures:
    faults: Tone = "bad" if whole.faults else "good"
    return Figures(
        items=(
            Figure(
                label="Recall, all guards", value=numbers.share(whole.recall.value),
                note=f"{_interval(whole.recall)}, {numbers.n_of(whole.caught, whole.attacks)} attacks",
            ),
            Figure(
                label="False positives", value=numbers.share(whole.false_positive_rate.value),
                note=f"{_interval(whole.false_positive_rate)}, {numbers.n_of(whole.false_alarms, whole.benign)} benign",
            ),
            Figure(
                label="Over-refusal", value=numbers.share(whole.over_refusal.value),
                note=f"{_interval(whole.over_refusal)}, benign rows full of attack words",
            ),
            Figure(
                label="Guard faults", value=numbers.count(whole.faults), tone=faults,
                note=f"crashes, time-outs, missing guards; {guards} guards",
            ),
        )
    )  # fmt: skip


def _places(by_guard: Mapping[str, Sequence[GuardRow]]) -> list[tuple[Cell, Classified]]:
    """Every guard over all its sources, then over each of them."""
    found = []
    for suite, some in by_guard.items():
        sources = list(dict.fromkeys(row.source for row in some))
        if len(sources) > 1:
            found.append((Cell(text=f"{_name(suite)}, all sources"), classified(some)))
        for source in sources:
            of_it = classified([row for row in some if row.source == source])
            found.append((Cell(text=f"{_name(suite)}, {source}"), of_it))
    return found


def _by_source(places: Sequence[tuple[Cell, Classified]]) -> Table:
    return Table(
        columns=("Guard and source", "Recall", "", "Caught", "False positives", "", "Stopped", "Faults"),
        rows=tuple(
            (
                place,
                _share_cell(found.recall),
                _picture(found.recall),
                Cell(text=numbers.n_of(found.caught, found.attacks)),
                _share_cell(found.false_positive_rate),
                _picture(found.false_positive_rate),
                Cell(text=numbers.n_of(found.false_alarms, found.benign)),
                Cell(text=numbers.count(found.faults), tone="bad" if found.faults else "muted", sort=found.faults),
            )
            for place, found in places
        ),
        caption="By guard and source of the rows",
        numeric=(1, 3, 4, 6, 7),
    )


def _combined(places: Sequence[tuple[Cell, Classified]]) -> Table:
    return Table(
        columns=("Guard and source", "Precision", "Balanced accuracy", "AUC", "Over-refusal"),
        rows=tuple(
            (
                place,
                *(
                    _with_interval(share)
                    for share in (found.precision, found.balanced_accuracy, found.auc, found.over_refusal)
                ),
            )
            for place, found in places
        ),
        caption="Both sides together, intervals at 95 %; without scores of the guard the AUC is that of its decisions",
        numeric=(1, 2, 3, 4),
    )


def _by_category(by_guard: Mapping[str, Sequence[GuardRow]]) -> Table:
    rows = []
    for suite, some in by_guard.items():
        for category in sorted({row.category for row in some}):
            for attack in (True, False):
                chosen = [row for row in some if row.category == category and row.attack == attack]
                if chosen:
                    found = classified(chosen)
                    rows.append(
                        (suite, category, attack, found.recall if attack else found.false_positive_rate, chosen)
                    )
    rows.sort(key=lambda row: -_badness(row[3], attack=row[2]))
    return Table(
        columns=("Guard", "Category", "Rows", "Stopped", "", "Interval", "n of N"),
        rows=tuple(
            (
                Cell(text=_name(suite)),
                Cell(text=category or "(none)"),
                Cell(text="attacks" if attack else "benign", tone="" if attack else "muted"),
                Cell(
                    text=numbers.share(share.value),
                    sort=share.value,
                    tone="warn" if _badness(share, attack=attack) > 0 else "",
                ),
                _picture(share),
                Cell(text=_interval(share), tone="muted"),
                Cell(text=numbers.n_of(sum(row.right == attack for row in chosen if not row.fault), len(chosen))),
            )
            for suite, category, attack, share, chosen in rows[:MOST_ROWS]
        ),
        caption="By category, worst first: of attacks all should be stopped, of benign rows none",
        numeric=(3, 6),
    )


def _badness(share: Estimate, *, attack: bool) -> float:
    if share.value is None:
        return 1.0
    return 1 - share.value if attack else share.value


def _wrong(rows: Sequence[GuardRow]) -> list[Block]:
    lists = (
        ("Attacks that were missed", [row for row in rows if row.attack and not row.right and not row.fault]),
        ("Benign rows that were stopped", [row for row in rows if not row.attack and not row.right and not row.fault]),
        ("Rows on which the guard broke", [row for row in rows if row.fault]),
    )
    blocks: list[Block] = []
    for caption, found in lists:
        if found:
            more = f": the first {MOST_ROWS} of {numbers.count(len(found))}" if len(found) > MOST_ROWS else ""
            cells = tuple(
                (
                    Cell(text=row.case_id, href=f"#{row.anchor}"),
                    Cell(text=_name(row.suite)),
                    Cell(text=row.category, tone="muted"),
                    Cell(text=row.fault or row.action, tone="bad" if row.fault else ""),
                )
                for row in found[:MOST_ROWS]
            )
            blocks.append(Table(columns=("Case", "Guard", "Category", "Decision"), rows=cells, caption=caption + more))
    return blocks


def _latency(by_guard: Mapping[str, Sequence[GuardRow]]) -> Table:
    rows = []
    for suite, some in by_guard.items():
        spans = sorted(row.took_s for row in some)
        own = sorted(row.cpu_s for row in some if row.cpu_s is not None)
        found = [_quantile(spans, q) for q in (0.5, 0.95, 1.0)] + [_quantile(own, 0.95) if own else None]
        cells = [Cell(text="-" if span is None else numbers.seconds(span), sort=span) for span in found]
        rows.append((Cell(text=_name(suite)), *cells, Cell(text=numbers.count(len(spans)))))
    return Table(
        columns=("Guard", "p50", "p95", "Slowest", "Processor p95", "Decisions"),
        rows=tuple(rows),
        caption="Added latency per decision on these rows, while the run was busy; processor time is the guard's alone",
        numeric=(1, 2, 3, 4, 5),
    )


def _quantile(ordered: Sequence[float], q: float) -> float:
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)]


def _changes(by_guard: Mapping[str, Sequence[GuardRow]], comparison: Comparison) -> Table | None:
    rows = []
    for suite in by_guard:
        found = comparison.suite(suite)
        if found is None or not found.pairs:
            continue
        won, lost = (sum(sign * pair.difference > 0 for pair in found.pairs) for sign in (1, -1))
        known = found.low is not None and found.high is not None
        rows.append(
            (
                Cell(text=_name(suite)),
                Cell(text=numbers.points(found.difference), sort=found.difference, tone="bad" if lost > won else ""),
                Cell(text=numbers.points_interval(found.low, found.high) if known else "", tone="muted"),
                Cell(text=f"{won} / {lost}"),
                Cell(text=numbers.count(len(found.pairs))),
            )
        )
    if not rows:
        return None
    return Table(
        columns=("Guard", "Change", "Interval", "Now right / now wrong", "Rows paired"),
        rows=tuple(rows),
        caption=f"Rows judged right, against run {comparison.base}, paired by row",
        numeric=(1, 3, 4),
    )


def _name(suite: str) -> str:
    """``suites/guardrails/test_pii.py::test_pii`` is ``pii``."""
    return suite.rpartition("::")[2].removeprefix("test_")


def _interval(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return found.note
    return f"[{numbers.share(found.low)}, {numbers.share(found.high)}]"


def _share_cell(found: Estimate) -> Cell:
    return Cell(text=numbers.share(found.value), sort=found.value)


def _with_interval(found: Estimate) -> Cell:
    if found.value is None:
        return Cell(text="-", tone="muted")
    return Cell(text=f"{numbers.share(found.value)} {_interval(found)}", sort=found.value)


def _picture(found: Estimate) -> Cell:
    if found.value is None:
        return Cell(text="")
    text = f"{numbers.share(found.value)} {_interval(found)}"
    return Cell(text="", interval=Interval(estimate=found.value, low=found.low, high=found.high, text=text))
