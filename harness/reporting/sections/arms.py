"""Arms: settings compared inside the run, every one against the first, with the interval drawn around no difference."""

from __future__ import annotations

from harness.core.blocks import Cell, Interval, Prose, SectionPage, Table, Tone
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import ArmComparison, Scorecard
from harness.reporting import numbers

_TONES: dict[str, Tone] = {"better": "good", "worse": "bad", "not shown": "muted"}
_WORDS = {"better": "better", "worse": "worse", "not shown": "no difference shown"}


class Arms:
    """One row per arm; says that "no difference shown" is not "the same"."""

    id = "arms"

    def __init__(self, scorecard: Scorecard) -> None:
        self._scorecard = scorecard

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None when nothing is compared inside the run."""
        if not self._scorecard.arms:
            return None
        rows = tuple(_row(arm) for arm in self._scorecard.arms)
        columns = ("Suite", "Arm", "Against", "Difference", "Won / lost", "Cases", "p (Holm)", "Answer")
        note = (
            "Differences are shares of trials passed, arm minus first, paired by case; intervals are at 95 % each, the "
            "answers hold for all arms of an axis together at 5 %. No difference shown is not: no difference."
        )
        table = Table(columns=columns, rows=rows, numeric=(4, 5, 6))
        return SectionPage(id=self.id, title="Arms", blocks=(table, Prose(text=note, tone="muted")))


def _row(arm: ArmComparison) -> tuple[Cell, ...]:
    name = f"{arm.axis}={arm.arm}" + (f" ({arm.within})" if arm.within else "")
    paired = f"{numbers.count(arm.pairs)}" + (f" (+{numbers.count(arm.unpaired)} unpaired)" if arm.unpaired else "")
    return (
        Cell(text=arm.suite.rpartition("::")[2]),
        Cell(text=name),
        Cell(text=f"{arm.axis}={arm.first}"),
        Cell(text=difference_text(arm), interval=_picture(arm), sort=arm.difference),
        Cell(text=f"{arm.won} / {arm.lost}"),
        Cell(text=paired, sort=arm.pairs),
        Cell(text="-" if arm.p_holm is None else _p(arm.p_holm), sort=arm.p_holm),
        Cell(text=_WORDS[arm.answer], tone=_TONES[arm.answer]),
    )


def difference_text(arm: ArmComparison) -> str:
    """``-4.2 points [-9.8, +1.1]``; ``not measured`` without pairs."""
    if arm.difference is None:
        return "not measured"
    text = f"{100 * arm.difference:+.1f} points"
    if arm.low is None or arm.high is None:
        return text
    return f"{text} [{100 * arm.low:+.1f}, {100 * arm.high:+.1f}]"


def _picture(arm: ArmComparison) -> Interval | None:
    if arm.difference is None:
        return None
    reach = max(0.1, *(abs(bound) for bound in (arm.difference, arm.low, arm.high) if bound is not None))
    return Interval(
        estimate=arm.difference, low=arm.low, high=arm.high, minimum=-reach, maximum=reach, limit=0.0,
        text=difference_text(arm),
    )  # fmt: skip


def _p(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}".rstrip("0").rstrip(".")
