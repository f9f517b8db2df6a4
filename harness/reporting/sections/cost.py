"""Cost: per suite, per model, and the cases that cost most."""

from __future__ import annotations

from collections.abc import Mapping

from harness.core.blocks import Block, Cell, SectionPage, Table
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import CaseLine, Scorecard
from harness.reporting import numbers
from harness.reporting.case_order import case_anchor, case_name, line_key
from harness.reporting.row_cells import estimate_cell, interval_cell, measured_cell
from harness.reporting.row_places import Place, places
from harness.reporting.row_text import amount_scale, row_picture
from harness.reporting.walk import ModelTally

MOST_CASES = 5


class Cost:
    """Money and tokens; what is unknown is said to be unknown."""

    id = "cost"

    def __init__(self, scorecard: Scorecard, models: Mapping[str, ModelTally]) -> None:
        self._scorecard = scorecard
        self._models = models

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None when neither money nor tokens are known."""
        found = [place for place in places(self._scorecard.rows) if place.row("cost_usd") or place.row("tokens")]
        means = [row for place in found if (row := place.row("cost_usd", kind="mean"))]
        blocks: list[Block] = []
        if found:
            scale = amount_scale(means)
            blocks.append(
                Table(
                    columns=(
                        "Suite",
                        "A trial",
                        "Interval, US dollars",
                        "",
                        "Priced",
                        "Total",
                        "Tokens a trial",
                        "Note",
                    ),
                    rows=tuple(_place(place, scale) for place in found),
                    numeric=(1, 4, 5, 6),
                )
            )
        if self._models:
            blocks.append(self._by_model())
        dear = sorted((c for c in self._scorecard.cases if c.cost_usd), key=lambda c: c.cost_usd or 0, reverse=True)
        if len(dear) > MOST_CASES and len({line.cost_usd for line in dear}) > 1:
            blocks.append(
                Table(
                    columns=("Case", "Suite", "Cost"),
                    rows=tuple(_case(line) for line in dear[:MOST_CASES]),
                    caption="Most expensive cases",
                    numeric=(2,),
                )
            )
        return SectionPage(id=self.id, title="Cost", blocks=tuple(blocks)) if blocks else None

    def _by_model(self) -> Table:
        ordered = sorted(self._models.items(), key=lambda item: -item[1].cost_usd)
        columns = ("Model", "Calls", "Retries", "From recordings", "Tokens in", "cached", "Tokens out", "Cost")
        return Table(
            columns=columns,
            rows=tuple(_model(name, tally) for name, tally in ordered),
            caption="By model",
            numeric=tuple(range(1, len(columns))),
        )


def _place(place: Place, scale: tuple[float, float]) -> tuple[Cell, ...]:
    mean = place.row("cost_usd", kind="mean")
    return (
        Cell(text=place.name),
        estimate_cell(mean),
        Cell(text="", interval=row_picture(mean, scale) if mean else None),
        interval_cell(mean),
        measured_cell(mean),
        estimate_cell(place.row("cost_usd", kind="total")),
        estimate_cell(place.row("tokens")),
        Cell(text=mean.note if mean else "", tone="muted"),
    )


def _model(name: str, tally: ModelTally) -> tuple[Cell, ...]:
    cost = numbers.usd(tally.cost_usd)
    if tally.unpriced:
        known = tally.calls - tally.unpriced
        cost = f"{cost} for {numbers.n_of(known, tally.calls)} calls" if known else "unknown"
    counts = (tally.calls, tally.retries, tally.replayed, tally.input_tokens, tally.cached_tokens, tally.output_tokens)
    cells = (Cell(text=numbers.count(value), sort=value) for value in counts)
    return (Cell(text=name), *cells, Cell(text=cost, sort=float(tally.cost_usd)))


def _case(line: CaseLine) -> tuple[Cell, ...]:
    return (
        Cell(text=case_name(line), href=f"#{case_anchor(line_key(line))}"),
        Cell(text=line.suite),
        Cell(text=numbers.usd(line.cost_usd), sort=None if line.cost_usd is None else float(line.cost_usd)),
    )
