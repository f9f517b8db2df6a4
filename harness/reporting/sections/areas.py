"""Areas and suites: pass rates with their intervals drawn against what was asked, and what a trial costs and takes."""

from __future__ import annotations

from harness.core.blocks import Cell, SectionPage, Table
from harness.core.comparison import Comparison
from harness.core.record import PlannedSuite, Run
from harness.core.scorecard import Row, Scorecard
from harness.reporting import numbers
from harness.reporting.row_cells import estimate_cell, interval_cell, measured_cell
from harness.reporting.row_text import row_picture, share_scale

MOST_ROWS = 500


class Areas:
    """One row an area, under it its suites; the whole run last."""

    id = "areas"

    def __init__(self, scorecard: Scorecard) -> None:
        self._scorecard = scorecard

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None when nothing has a pass rate."""
        rows = self._ordered()
        if not rows:
            return None
        planned = {(suite.suite, suite.arm): suite for suite in run.manifest.planned}
        plans = [planned.get((row.suite, row.arm)) for row in rows]
        limits = [None if plan is None else plan.pass_rate for plan in plans]
        scale = share_scale([v for row in rows for v in (row.estimate, row.low, row.high)] + limits)
        level = numbers.share(rows[0].level, decimals=0)
        table = Table(
            columns=("Area", "Suite", "Pass rate", f"{level} interval", "", "Measured", "Cost a trial", "p95"),
            rows=tuple(self._line(row, plan, scale) for row, plan in zip(rows, plans, strict=True)),
            caption=_caption(rows, limits, any(plan is not None and plan.observe for plan in plans)),
            numeric=(2, 5, 6, 7),
        )
        return SectionPage(id=self.id, title="Areas", blocks=(table,))

    def _ordered(self) -> list[Row]:
        rates = [row for row in self._scorecard.rows if row.metric == "pass_rate"]
        areas = list(dict.fromkeys(row.area for row in rates if row.area))
        ordered: list[Row] = []
        for area in areas:
            suites = [row for row in rates if row.area == area and row.suite]
            wholes = [row for row in rates if row.area == area and not row.suite]
            # An area of one suite is that suite: one line says it.
            ordered += suites if len(suites) == 1 else [*wholes, *suites]
        ordered += [row for row in rates if not row.area and row.suite]
        if len(ordered) != 1:
            ordered += [row for row in rates if not row.area and not row.suite]
        return ordered[:MOST_ROWS]

    def _line(self, row: Row, plan: PlannedSuite | None, scale: tuple[float, float]) -> tuple[Cell, ...]:
        limit = None if plan is None else plan.pass_rate
        suite = f"{row.suite} [{row.arm}]" if row.arm else row.suite
        if plan is not None and plan.observe:
            suite += " (observed)"
        cost = self._beside(row, "cost_usd", kind="mean")
        slow = self._beside(row, "latency_s", quantile=0.95)
        return (
            Cell(text=row.area or ("everything" if not row.suite else "")),
            Cell(text=suite or ("whole area" if row.area else "all suites"), tone="" if suite else "muted"),
            estimate_cell(row, limit=limit),
            Cell(text="", interval=row_picture(row, scale, limit=limit)),
            interval_cell(row, limit=limit),
            measured_cell(row),
            estimate_cell(cost),
            estimate_cell(slow),
        )

    def _beside(self, row: Row, metric: str, **match: object) -> Row | None:
        return self._scorecard.row(metric, suite=row.suite, arm=row.arm, area=row.area, **match)


def _caption(rows: list[Row], limits: list[float | None], observed: bool) -> str:
    methods = "; ".join(dict.fromkeys(row.method for row in rows if row.method))
    seen = " Observed suites are shown and never gate." if observed else ""
    asked = " Dashed line: the declared pass rate." if any(limit is not None for limit in limits) else ""
    return f"Dot: estimate. Bar: interval{f' ({methods})' if methods else ''}.{asked}{seen}"
