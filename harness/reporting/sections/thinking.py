"""Thinking: tokens spent by class of task against its budget, accuracy against thinking spent, and what was wasted."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from harness.core.blocks import Block, Cell, Curve, Figure, Figures, Interval, SectionPage, Series, Table
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.reporting import numbers
from harness.reporting.reward_notes import ThinkingTally, Thought
from harness.stats.rates import wilson

BINS = 5
FEWEST = 15
"""Trials of a class below which it has no curve."""
_ORDER = {"trivial": 0, "standard": 1, "complex": 2}


class Thinking:
    """Whether thinking is spent where it helps."""

    id = "thinking"

    def __init__(self, classes: Mapping[str, ThinkingTally]) -> None:
        self._classes = sorted(classes.items(), key=lambda item: (_ORDER.get(item[0], 9), item[1].budget, item[0]))

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None when no trial's thinking was measured."""
        if not self._classes:
            return None
        blocks: list[Block] = [self._figures()]
        series = tuple(made for name, tally in self._classes if (made := _series(name, list(tally.trials.values()))))
        if series:
            blocks.append(
                Curve(
                    series=series,
                    x_label="thinking tokens, median of a fifth of the trials",
                    y_label="share right",
                    caption="Accuracy against thinking spent, by class, with 95% intervals. Trials are sorted by their "
                    "tokens and cut into fifths; harder tasks take more thinking, so a falling line is no proof that "
                    "thinking harms",
                )
            )
        blocks.append(
            Table(
                columns=("Class", "Budget", "Trials", "Median", "Highest", "Within budget", "", "Right", "", "Wasted"),
                rows=tuple(_row(name, tally) for name, tally in self._classes),
                caption="Thinking tokens by class of task; wasted is what trivial tasks took beyond their budget",
                numeric=(1, 2, 3, 4, 5, 7, 9),
            )
        )
        return SectionPage(id=self.id, title="Thinking", blocks=tuple(blocks))

    def _figures(self) -> Figures:
        all_ = [thought for _, tally in self._classes for thought in tally.trials.values()]
        spent, wasted = sum(t.tokens for t in all_), sum(t.wasted for t in all_)
        over = sum(t.tokens > tally.budget for _, tally in self._classes for t in tally.trials.values())
        share = f"{numbers.share(wasted / spent)} of all thinking" if spent else ""
        return Figures(
            items=(
                Figure(label="Thinking tokens", value=numbers.count(spent), note=f"{len(all_):,} trials"),
                Figure(
                    label="Above their budget",
                    value=numbers.n_of(over, len(all_)),
                    tone="warn" if over else "",
                ),
                Figure(
                    label="Wasted on trivial tasks",
                    value=numbers.count(wasted),
                    note=share,
                    tone="warn" if wasted else "",
                ),
            )
        )


def _series(name: str, trials: Sequence[Thought]) -> Series | None:
    known = sorted((t.tokens, t.right) for t in trials if t.right is not None)
    if len(known) < FEWEST:
        return None
    points, low, high = [], [], []
    for number in range(BINS):
        part = known[number * len(known) // BINS : (number + 1) * len(known) // BINS]
        right = sum(bool(is_right) for _, is_right in part)
        points.append((float(statistics.median(tokens for tokens, _ in part)), right / len(part)))
        bounds = wilson(right, len(part))
        low.append(bounds[0])
        high.append(bounds[1])
    return Series(name=name, points=tuple(points), low=tuple(low), high=tuple(high))


def _row(name: str, tally: ThinkingTally) -> tuple[Cell, ...]:
    trials = list(tally.trials.values())
    tokens = sorted(t.tokens for t in trials)
    within = sum(t.tokens <= tally.budget for t in trials)
    judged = [t.right for t in trials if t.right is not None]
    wasted = sum(t.wasted for t in trials)
    middle = statistics.median(tokens)
    return (
        Cell(text=name),
        Cell(text=numbers.count(tally.budget), sort=tally.budget),
        Cell(text=numbers.count(len(trials)), sort=len(trials)),
        Cell(text=numbers.plain(middle), sort=middle),
        Cell(text=numbers.count(tokens[-1]), sort=tokens[-1], tone="warn" if tokens[-1] > tally.budget else ""),
        *_share(within, len(trials)),
        *_share(sum(judged), len(judged)),
        Cell(text=numbers.count(wasted), sort=wasted, tone="warn" if wasted else ""),
    )


def _share(part: int, whole: int) -> tuple[Cell, Cell]:
    if not whole:
        return Cell(text=numbers.NOT_MEASURED, tone="muted"), Cell(text="")
    low, high = wilson(part, whole)
    text = f"{numbers.share(part / whole)} [{numbers.share(low)}, {numbers.share(high)}], {numbers.n_of(part, whole)}"
    picture = Interval(estimate=part / whole, low=low, high=high, text=text)
    return Cell(text=numbers.share(part / whole), sort=part / whole), Cell(text="", interval=picture)
