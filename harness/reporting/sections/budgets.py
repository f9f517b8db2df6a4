"""Budgets on functions: each limit with the estimate, its bounds and the answer."""

from __future__ import annotations

from harness.core.blocks import Cell, Interval, SectionPage, Table, Tone
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.score import Score

MOST_ROWS = 500
TONES: dict[str, Tone] = {"pass": "good", "fail": "bad", "inconclusive": "warn"}


class Budgets:
    """One table, a row per test and limit."""

    id = "budgets"

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None where no budgeted test was planned; then the records are not walked at all."""
        if not any(item.dataset == "budget" for item in run.manifest.planned):
            return None
        rows: list[tuple[Cell, ...]] = []
        for record in run.records:
            if record.dataset == "budget":
                name = record.nodeid or record.suite
                rows += [_row(name, score) for score in record.scores if "limit" in score.evidence]
        if not rows:
            return None
        columns = ("Test", "Limit on", "Found", "At most", "Answer", "Calls")
        caption = f"{len(rows)} limits" + (f", the first {MOST_ROWS} shown" if len(rows) > MOST_ROWS else "")
        table = Table(columns=columns, rows=tuple(rows[:MOST_ROWS]), caption=caption, numeric=(5,))
        return SectionPage(id=self.id, title="Budgets", blocks=(table,))


def _row(name: str, score: Score) -> tuple[Cell, ...]:
    known = score.evidence
    limit, answer = float(known["limit"]), str(known.get("answer", "inconclusive"))
    low, high = known.get("low"), known.get("high")
    calls = int(known.get("n") or 0)
    text = "not measured" if score.value is None else f"{score.value:.4g} {score.unit}"
    reach = max(limit, score.value or 0.0, high or 0.0) * 1.1 or 1.0
    picture = Interval(
        estimate=score.value, low=low, high=high, minimum=min(0.0, low or 0.0), maximum=reach, limit=limit, text=text
    )
    return (
        Cell(text=name),
        Cell(text=score.name),
        Cell(text=text, interval=picture if score.value is not None else None, sort=score.value),
        Cell(text=f"{limit:g} {score.unit}", sort=limit),
        Cell(text=answer, tone=TONES.get(answer, "")),
        Cell(text=f"{calls:,}", sort=calls),
    )
