"""What the attacks on a run say, read back and put where the gate, the reports and the screen look for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.core.scorecard import Scorecard
    from harness.core.sensitivity import Sensitivity

MOST_LINES = 12


def with_sensitivity(scorecard: Scorecard, folder: Path) -> Scorecard:
    """The scorecard with what the suites noticed; as it was where no fault was put into the run.

    :raises FormatError: a newer harness wrote it.
    """
    if next(folder.glob("sensitivity-*.jsonl"), None) is None:
        return scorecard
    from harness.sensitivity import NAMES
    from harness.sensitivity.store import read
    from harness.sensitivity.summary import summarise

    attacks, notices = read(folder)
    return replace(scorecard, sensitivity=summarise(attacks, order=NAMES, notices=notices))


def operators() -> dict[str, str]:
    """What each operator's faulty agent does, by the operator's name."""
    from harness.sensitivity import OPERATORS, PARTS

    return {**{one.name: one.what for one in OPERATORS}, **{one.name: one.what for one in PARTS}}


def noticed_lines(told: Sensitivity, *, ascii_only: bool = False) -> Iterator[str]:
    """For the screen: the kill rate, what survived most, idle judges, toothless cases, agents let through."""
    from harness.reporting import numbers

    if not told.judged:
        yield f"sensitivity: {told.attacked:,} trials attacked, and no suite claims to notice any fault"
        return
    rate, of = numbers.share(told.killed / told.judged), numbers.n_of(told.killed, told.judged)
    yield f"sensitivity: {rate} of the faults that the suites claim are noticed ({of}; {told.attacked:,} trials)"
    whole = [line for line in told.faults if not line.suite and line.claimed and line.judged]
    for line in sorted(whole, key=lambda line: line.rate or 0.0)[:MOST_LINES]:
        low, high = numbers.share(line.low), numbers.share(line.high)
        share = f"{numbers.share(line.rate):>6} [{low}, {high}]"
        yield f"  {line.operator:<20} {share}, {numbers.n_of(line.killed, line.judged)} killed"
    unclaimed = sum(line.survived for line in told.faults if not line.suite and not line.claimed)
    if unclaimed:
        yield f"  and {unclaimed:,} faults survived that no suite claims to notice"
    shown = [one for one in told.survivors if one.claimed][:3]
    for one in shown:
        yield f"  survivor: {one.case_id} of {_name(one.suite)}, {one.operator}"
        yield f"    before: {_line(one.before)}"
        yield f"    after:  {_line(one.after)}"
    if told.idle:
        names = [f"{line.judge} of {_name(line.suite)}" for line in told.idle]
        yield f"  never failed a fault: {', '.join(names[:6])}" + (f" and {len(names) - 6} more" if names[6:] else "")
    if told.toothless:
        names = [f"{case.case_id} of {_name(case.suite)}" for case in told.toothless]
        yield f"  no fault can fail: {', '.join(names[:6])}" + (f" and {len(names) - 6} more" if names[6:] else "")
    for bound in told.bounds:
        if bound.agent != "gold" and bound.trials and not bound.refused:
            passed = numbers.n_of(bound.passed, bound.trials)
            yield f"  let through: a {bound.agent} agent by {_name(bound.suite)} ({passed} passed)"
    yield from (f"  note: {notice}" for notice in told.notices[:5])


def _name(suite: str) -> str:
    return suite.rpartition("::")[2]


def _line(text: str) -> str:
    from harness.reporting.visible_text import visible

    return visible(" ".join(text.split()))[:160]
