"""The gate rules, each with its arithmetic, decisive ones first."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.blocks import Cell, Prose, SectionPage, Table, Tone
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.verdict import Answer, Verdict
from harness.reporting.headline import ANSWER_SIGNS, ANSWER_WORDS, arithmetic, decisive_first

_TONES: dict[Answer, Tone] = {"pass": "good", "fail": "bad", "inconclusive": "warn"}
_ORDER: dict[Answer, int] = {"fail": 0, "inconclusive": 1, "pass": 2}


class Rules:
    """One row a rule."""

    id = "rules"

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        self._verdicts = verdicts

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage:
        """Says so when no rule was judged."""
        if not self._verdicts:
            nothing = Prose(text="No gate rule was judged, so nothing was decided.", tone="warn")
            return SectionPage(id=self.id, title="Gate rules", blocks=(nothing,))
        rows = tuple(_row(verdict) for verdict in decisive_first(self._verdicts))
        table = Table(columns=("Answer", "Rule", "About", "Arithmetic"), rows=rows)
        return SectionPage(id=self.id, title="Gate rules", blocks=(table,))


def _row(verdict: Verdict) -> tuple[Cell, ...]:
    word = f"{ANSWER_SIGNS[verdict.answer]} {ANSWER_WORDS[verdict.answer].lower()}"
    return (
        Cell(text=word, tone="muted" if verdict.advisory else _TONES[verdict.answer], sort=_ORDER[verdict.answer]),
        Cell(text=f"{verdict.rule} (advisory)" if verdict.advisory else verdict.rule),
        Cell(text=verdict.suite or verdict.area or "the whole run", tone="muted"),
        Cell(text=arithmetic(verdict)),
    )
