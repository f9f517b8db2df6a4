"""Headline figures: what a release manager reads in ten seconds, after the verdict."""

from __future__ import annotations

from harness.core.blocks import Figure, Figures, SectionPage, Tone
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.reporting import numbers
from harness.reporting.case_order import WORDS
from harness.reporting.headline import case_counts, saved_text
from harness.reporting.row_text import estimate_text, interval_text


class Summary:
    """Cases, trials measured, pass rate, cost, time and errors."""

    id = "summary"

    def __init__(self, scorecard: Scorecard) -> None:
        self._scorecard = scorecard

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage:
        """Always has something to say."""
        items = (self._cases(), self._trials(), *self._pass_rate(), self._cost(), self._time(), self._errors())
        return SectionPage(id=self.id, title="At a glance", blocks=(Figures(items=items),))

    def _cases(self) -> Figure:
        counts = case_counts(self._scorecard)
        passed = counts.pop("passed", 0)
        note = ", ".join(f"{numbers.count(count)} {WORDS[status]}" for status, count in counts.items())
        tone: Tone = "bad" if "failed" in counts else ""
        total = passed + sum(counts.values())
        return Figure(label="Cases passed", value=numbers.n_of(passed, total), note=note or "all of them", tone=tone)

    def _trials(self) -> Figure:
        card = self._scorecard
        missing = card.planned - card.measured
        note = f"{numbers.count(missing)} not measured" if missing > 0 else saved_text(card) or "all of them"
        if not card.planned:
            note = "nothing was planned"
        return Figure(
            label="Trials measured",
            value=numbers.n_of(card.measured, card.planned),
            note=note,
            tone="warn" if missing > 0 or not card.measured else "",
        )

    def _pass_rate(self) -> tuple[Figure, ...]:
        row = self._scorecard.row("pass_rate")
        if row is None:
            return ()
        note = (
            f"{numbers.share(row.level, decimals=0)} interval {interval_text(row)}"
            if interval_text(row)
            else "no interval"
        )
        return (Figure(label="Pass rate", value=estimate_text(row), note=note),)

    def _cost(self) -> Figure:
        card = self._scorecard
        notes = [f"{numbers.count(card.unpriced_trials)} trials without a price"] if card.unpriced_trials else []
        if card.judge_cost_usd:
            notes.append(f"+ {numbers.usd(card.judge_cost_usd)} judging")
        if card.tokens:
            notes.append(f"{numbers.count(card.tokens)} tokens")
        value = "unknown" if card.agent_cost_usd is None else numbers.usd(card.agent_cost_usd)
        return Figure(label="Cost", value=value, note=", ".join(notes), tone="" if value != "unknown" else "muted")

    def _time(self) -> Figure:
        card = self._scorecard
        row = card.row("latency_s", quantile=0.95) or card.row("latency_s", quantile=0.5)
        note = "" if row is None or row.quantile is None else f"p{row.quantile * 100:g} of a trial {estimate_text(row)}"
        return Figure(label="Time", value=numbers.seconds(card.duration_s), note=note)

    def _errors(self) -> Figure:
        errors = self._scorecard.errors
        by_count = sorted(errors.items(), key=lambda item: -item[1])
        note = ", ".join(f"{numbers.count(count)} {kind}" for kind, count in by_count)
        total = sum(errors.values())
        return Figure(
            label="Errored trials",
            value=numbers.count(total),
            note=note or "every trial could be judged" if self._scorecard.measured else note,
            tone="warn" if total else "",
        )
