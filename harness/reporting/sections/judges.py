"""Judges: who judged, whether they passed an exam, how much came from the cache; pass rates as said and corrected."""

from __future__ import annotations

from harness.core.blocks import Block, Cell, SectionPage, Table
from harness.core.comparison import Comparison
from harness.core.judged_figures import judged_rate
from harness.core.judges import JudgeLine
from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.reporting import numbers
from harness.stats.estimate import Estimate

MOST = 200


class Judges:
    """One table of the judges, one of the pass rates they give."""

    id = "judges"

    def __init__(self, scorecard: Scorecard) -> None:
        self._scorecard = scorecard

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None when no model judged."""
        lines = self._scorecard.judges[:MOST]
        if not lines:
            return None
        columns = ("Judge", "Model", "Exam", "Kappa", "TPR", "TNR", "Verdicts", "From the cache", "Members agree")
        blocks: list[Block] = [
            Table(columns=columns, rows=tuple(_row(line) for line in lines), numeric=(3, 4, 5, 6, 7)),
        ]
        rates = [row for metric in sorted({line.metric for line in lines}) for row in self._rates(metric)]
        if rates:
            blocks.append(
                Table(
                    columns=("Judge", "Suite", "Passed by the judge", "Corrected for its errors", "Measured", "How"),
                    rows=tuple(rates),
                    caption="Pass rates by a judge's word",
                    numeric=(2, 3, 4),
                )
            )
        return SectionPage(id=self.id, title="Judges", blocks=tuple(blocks))

    def _rates(self, metric: str) -> list[tuple[Cell, ...]]:
        rows: list[tuple[Cell, ...]] = []
        for line in self._scorecard.suites:
            found = judged_rate(self._scorecard, metric, [line])
            if found is None:
                continue
            name = f"{line.suite}[{line.arm}]" if line.arm else line.suite
            rows.append(
                (
                    Cell(text=metric),
                    Cell(text=name),
                    Cell(text=_said(found.raw)),
                    Cell(text=_said(found.corrected)),
                    Cell(text=numbers.n_of(found.n, found.of)),
                    Cell(text="; ".join(filter(None, (found.corrected.method, found.corrected.note))), tone="muted"),
                )
            )
        return rows[:MOST]


def _row(line: JudgeLine) -> tuple[Cell, ...]:
    figures = line.record.figures if line.record is not None else {}
    asked = line.verdicts + line.unmeasured
    rate = line.hit_rate
    return (
        Cell(text=line.metric),
        Cell(text=line.model),
        Cell(text=line.standing, tone="good" if line.valid else "warn"),
        *(Cell(text=_said(figures.get(name))) for name in ("kappa", "tpr", "tnr")),
        Cell(text=numbers.n_of(line.verdicts, asked)),
        Cell(text="" if rate is None else f"{100 * rate:.1f}% of {line.asked:,}", sort=rate),
        Cell(text=_said(line.alpha, nothing="")),
    )


def _said(figure: Estimate | None, *, nothing: str = "not measured") -> str:
    if figure is None or figure.value is None:
        return nothing
    if figure.low is None or figure.high is None:
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"
