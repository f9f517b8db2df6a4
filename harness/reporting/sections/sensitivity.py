"""Sensitivity: does the suite notice anything? Kill rates per fault and per judge, survivors, idle judges, bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.core.blocks import Block, Cell, Figure, Figures, Interval, Prose, SectionPage, Table, Tone
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.core.sensitivity import BoundLine, FaultLine, JudgeLine, Sensitivity, Survivor
from harness.reporting import numbers

MOST_ROWS = 200
MOST_SHOWN = 60
"""Survivors with their example on the page; all of them are in the run's folder."""


class SensitivitySection:
    """Nothing where no fault was put into the run."""

    id = "sensitivity"

    def __init__(self, scorecard: Scorecard, operators: Mapping[str, str]) -> None:
        self._told = scorecard.sensitivity
        self._operators = operators

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None when no trial was attacked."""
        told = self._told
        if told is None:
            return None
        blocks: list[Block] = [_headline(told)]
        if told.left_out:
            text = f"{numbers.count(told.left_out)} trials did not pass as they were; a fault in them proves nothing."
            blocks.append(Prose(text=text, tone="muted"))
        whole = [line for line in told.faults if not line.suite]
        blocks.append(_faults("By fault, over all suites", whole, self._operators))
        claimed = [line for line in told.faults if line.suite and line.claimed and line.survived]
        if claimed:
            worst = sorted(claimed, key=lambda line: line.rate or 0.0)
            blocks.append(_faults("By suite and fault, where something survived", worst[:MOST_ROWS], {}))
        if told.survivors:
            blocks.append(_survivors(told.survivors))
        blocks.append(_judges(told.judges))
        if told.toothless:
            blocks.append(_toothless(told))
        blocks.append(_bounds(told.bounds))
        return SectionPage(id=self.id, title="Sensitivity: does the suite notice?", blocks=tuple(blocks))


def _headline(told: Sensitivity) -> Figures:
    idle, toothless = len(told.idle), len(told.toothless)
    through = [line for line in told.bounds if line.agent != "gold" and not line.refused]
    bad: Tone = "bad" if through else "good"
    return Figures(
        items=(
            Figure(label="Kill rate", value=numbers.share(told.killed / told.judged if told.judged else None),
                   note=f"{numbers.n_of(told.killed, told.judged)} faults that the suites claim to notice"),
            Figure(label="Trials attacked", value=numbers.count(told.attacked), note=f"seed {told.seed}"),
            Figure(label="Judges that killed nothing", value=numbers.count(idle), tone="warn" if idle else ""),
            Figure(label="Cases no fault can fail", value=numbers.count(toothless), tone="warn" if toothless else ""),
            Figure(label="Null and random agents let through", value=numbers.count(len(through)), tone=bad),
        )
    )  # fmt: skip


def _faults(title: str, lines: Sequence[FaultLine], operators: Mapping[str, str]) -> Table:
    return Table(
        columns=("An agent that" if operators else "Fault", "Suite", "Kill rate", "", "Killed", "Could not judge",
                 "Nothing to change", "Claimed"),
        rows=tuple(
            (
                Cell(text=_operator(line.operator, operators)),
                Cell(text=_place(line.suite, line.arm) or "all suites", tone="muted"),
                Cell(text=numbers.share(line.rate) if line.judged else "none", sort=line.rate,
                     tone="" if line.rate is None or line.rate >= 0.9 or not line.claimed else "bad"),
                Cell(text="", interval=_picture(line.rate, line.low, line.high, line.killed, line.judged)),
                Cell(text=numbers.n_of(line.killed, line.judged), sort=line.killed),
                Cell(text=numbers.count(line.errored), tone="warn" if line.errored else "muted", sort=line.errored),
                Cell(text=numbers.count(line.equivalent), tone="muted", sort=line.equivalent),
                Cell(text="yes" if line.claimed else "no", tone="" if line.claimed else "muted"),
            )
            for line in lines
        ),
        caption=title,
        numeric=(2, 4, 5, 6),
    )  # fmt: skip


def _survivors(survivors: Sequence[Survivor]) -> Table:
    claimed = [one for one in survivors if one.claimed] or list(survivors)
    return Table(
        columns=("Case", "Suite", "Fault", "Before", "After, and it passed", "Claimed"),
        rows=tuple(
            (
                Cell(text=one.case_id),
                Cell(text=_place(one.suite, one.arm), tone="muted"),
                Cell(text=one.operator),
                Cell(text=one.before),
                Cell(text=one.after),
                Cell(text="yes" if one.claimed else "no", tone="muted"),
            )
            for one in claimed[:MOST_SHOWN]
        ),
        caption=f"Survivors, {numbers.count(min(len(claimed), MOST_SHOWN))} shown",
    )


def _judges(lines: Sequence[JudgeLine]) -> Table:
    shown = sorted(lines, key=lambda line: (line.kills > 0, line.suite, line.judge))[:MOST_ROWS]
    return Table(
        columns=("Judge", "Suite", "Faults failed", "", "Alone", "Note"),
        rows=tuple(
            (
                Cell(text=line.judge),
                Cell(text=_place(line.suite, line.arm), tone="muted"),
                Cell(text=numbers.n_of(line.kills, line.of), sort=line.kills),
                Cell(text="", interval=_picture(line.kills / line.of if line.of else None, line.low, line.high,
                                                line.kills, line.of)),
                Cell(text=numbers.count(line.alone), sort=line.alone),
                Cell(text="" if line.kills else "never failed a fault", tone="warn"),
            )
            for line in shown
        ),
        caption="By judge: evaluators and bodies, idle ones first",
        numeric=(2, 4),
    )  # fmt: skip


def _toothless(told: Sensitivity) -> Table:
    return Table(
        columns=("Case", "Suite", "Faults it let pass"),
        rows=tuple(
            (Cell(text=case.case_id), Cell(text=_place(case.suite, case.arm), tone="muted"),
             Cell(text=numbers.count(case.judged), sort=case.judged))
            for case in told.toothless[:MOST_ROWS]
        ),
        caption="Cases that no fault can fail",
        numeric=(2,),
    )  # fmt: skip


def _bounds(lines: Sequence[BoundLine]) -> Table:
    return Table(
        columns=("Agent", "Suite", "Passed", "", "Could not judge", "Suite asks for", "So it is"),
        rows=tuple(
            (
                Cell(text=line.agent),
                Cell(text=_place(line.suite, line.arm), tone="muted"),
                Cell(text=numbers.n_of(line.passed, line.trials), sort=line.passed),
                Cell(text="", interval=_picture(line.passed / line.trials if line.trials else None, line.low,
                                                line.high, line.passed, line.trials)),
                Cell(text=numbers.count(line.errored), tone="muted"),
                Cell(text="every case" if line.limit is None else numbers.share(line.limit), tone="muted"),
                _verdict(line),
            )
            for line in sorted(lines, key=lambda line: (line.agent != "null", line.agent != "random", line.suite))
        ),
        caption="Floor and ceiling: agents that do nothing, anything, and what is expected",
        numeric=(2, 4),
    )  # fmt: skip


def _verdict(line: BoundLine) -> Cell:
    if line.agent == "gold":
        return Cell(text="not passed whole" if line.passed < line.trials else "passed", tone="muted")
    return Cell(text="refused" if line.refused else "let through", tone="good" if line.refused else "bad")


def _operator(name: str, operators: Mapping[str, str]) -> str:
    return f"{operators[name]} ({name})" if name in operators else name


def _place(suite: str, arm: str) -> str:
    name = suite.rpartition("::")[2]
    return f"{name} [{arm}]" if arm else name


def _picture(rate: float | None, low: float | None, high: float | None, n: int, of: int) -> Interval:
    bracket = "" if low is None or high is None else f" [{numbers.share(low)}, {numbers.share(high)}]"
    text = f"{numbers.share(rate)}{bracket}, {numbers.n_of(n, of)}"
    return Interval(estimate=rate, low=low, high=high, text=text)
