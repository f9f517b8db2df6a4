"""Latency: quantiles per suite with their intervals, the distribution over cases, model calls, the slowest cases."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from harness.core.blocks import Block, Cell, Curve, SectionPage, Series, Table
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import CaseLine, Row, Scorecard
from harness.reporting import numbers
from harness.reporting.case_order import case_anchor, case_name, line_key
from harness.reporting.row_cells import estimate_cell, interval_cell, measured_cell
from harness.reporting.row_places import Place, places
from harness.reporting.row_text import amount_scale, row_picture
from harness.reporting.walk import ModelTally

MOST_CASES = 5
MOST_SERIES = 6
POINTS = 60


class Latency:
    """Seconds a trial takes, evaluators not counted."""

    id = "latency"

    def __init__(self, scorecard: Scorecard, models: Mapping[str, ModelTally]) -> None:
        self._scorecard = scorecard
        self._models = models

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None when nothing was timed."""
        found = [place for place in places(self._scorecard.rows) if place.row("latency_s")]
        slow = [row for place in found if (row := _slow(place))]
        timed = [line for line in self._scorecard.cases if line.latency_s is not None]
        blocks: list[Block] = []
        if curve := _distribution(timed):
            blocks.append(curve)
        if found:
            scale = amount_scale(slow)
            blocks.append(
                Table(
                    columns=("Suite", "p50", "p50 interval", "p95", "p95 interval, seconds", "", "Measured", "Note"),
                    rows=tuple(_place(place, scale) for place in found),
                    numeric=(1, 3, 6),
                )
            )
        if any(tally.latency_s for tally in self._models.values()):
            blocks.append(self._by_model())
        if len(timed) > MOST_CASES and len({line.latency_s for line in timed}) > 1:
            slowest = sorted(timed, key=lambda line: -(line.latency_s or 0.0))[:MOST_CASES]
            blocks.append(
                Table(
                    columns=("Case", "Suite", "Median of its trials"),
                    rows=tuple(_case(line) for line in slowest),
                    caption="Slowest cases",
                    numeric=(2,),
                )
            )
        return SectionPage(id=self.id, title="Latency", blocks=tuple(blocks)) if blocks else None

    def _by_model(self) -> Table:
        rows = []
        for name, tally in self._models.items():
            if tally.latency_s:
                spans, first = sorted(tally.latency_s), sorted(tally.ttft_s)
                cells = [Cell(text=numbers.seconds(_quantile(spans, q)), sort=_quantile(spans, q)) for q in (0.5, 0.95)]
                cells += [Cell(text=numbers.seconds(_quantile(first, 0.5)) if first else "")]
                rows.append((Cell(text=name), *cells, Cell(text=numbers.n_of(len(spans), tally.calls))))
        return Table(
            columns=("Model", "Call p50", "Call p95", "First token p50", "Calls timed"),
            rows=tuple(rows),
            caption="By model; calls of one trial depend on each other, so there is no interval",
            numeric=(1, 2, 3, 4),
        )


def _quantile(ordered: Sequence[float], q: float) -> float:
    """The smallest value with at least the share ``q`` at or below it (type 1 of Hyndman and Fan 1996)."""
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)]


def _distribution(timed: Sequence[CaseLine]) -> Curve | None:
    suites: dict[str, list[float]] = {}
    for line in timed:
        suites.setdefault(f"{line.suite} [{line.arm}]" if line.arm else line.suite, []).append(line.latency_s or 0.0)
    largest = sorted(suites.items(), key=lambda item: -len(item[1]))[:MOST_SERIES]
    series = []
    for name, values in largest:
        values.sort()
        if len(values) < 5 or values[0] == values[-1]:
            continue
        shares = [(index + 1) / POINTS for index in range(POINTS)]
        points = [(values[0], 0.0), *((_quantile(values, share), share) for share in shares)]
        series.append(Series(name=name, points=tuple(points)))
    if not series:
        return None
    return Curve(
        series=tuple(series),
        x_label="seconds",
        y_label="share of cases",
        caption="Share of cases whose median trial took at most so long",
    )


def _slow(place: Place) -> Row | None:
    """The row of the upper quantile: p95, or the highest there is above the median."""
    high = [row for row in place.rows if row.metric == "latency_s" and row.quantile is not None and row.quantile > 0.5]
    return place.row("latency_s", quantile=0.95) or max(high, key=lambda row: row.quantile or 0.0, default=None)


def _place(place: Place, scale: tuple[float, float]) -> tuple[Cell, ...]:
    middle, slow = place.row("latency_s", quantile=0.5), _slow(place)
    return (
        Cell(text=place.name),
        estimate_cell(middle),
        interval_cell(middle),
        estimate_cell(slow),
        Cell(text="", interval=row_picture(slow, scale) if slow else None),
        interval_cell(slow),
        measured_cell(slow or middle),
        Cell(text=slow.note if slow else "", tone="muted"),
    )


def _case(line: CaseLine) -> tuple[Cell, ...]:
    return (
        Cell(text=case_name(line), href=f"#{case_anchor(line_key(line))}"),
        Cell(text=line.suite),
        Cell(text=numbers.seconds(line.latency_s), sort=line.latency_s),
    )
