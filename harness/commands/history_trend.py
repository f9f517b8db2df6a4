"""The trend of a project: each suite over its comparable runs, with a chart of its failures and shifts of its level.

- *chart*: a tabular CUSUM of the failed trials of a run. The rate in control comes from the first half of the runs (at
  least 3, at most 20); the later ones are followed. Its limit is computed for the suite's own size and that rate, so
  that a suite that does not change alarms about once in 200 runs or less often: the same cases run every time vary
  less than the binomial distribution that is assumed.
- *shift*: a change point of pass rate, cost or latency, at 5 % over all lines of the trend together.
- Runs of another size are shown and not charted; a run of which up to 5 % broke is charted by what failed in it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from harness.reporting import numbers
from harness.reporting.sections.trend import TrendLine, TrendPoint
from harness.results.suite_history import RunFigures, SuiteFigures, likeness, lineage

FEWEST = 3
"""Comparable runs from which on there is a trend."""
FEWEST_REFERENCE, MOST_REFERENCE = 3, 20
BETWEEN_FALSE_ALARMS = 200.0
DROP = 0.05
"""Drop of the pass rate that the chart is tuned to see."""
MOST_BROKEN = 0.05
LARGEST = 2_000
"""Trials of a run up to which a chart is computed; larger suites see any drop in a single comparison."""
SAME_CASES = 0.9
WHOLE = "all suites"


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A suite's chart after its history."""

    text: str
    """Limit, false alarms, and where it stands; or why there is none."""
    alarms: tuple[int, ...] = ()
    """Positions, in the history, of the runs that alarmed."""
    since: int | None = None
    """Position of the run in which the rise to the first alarm began."""
    value: float = 0.0
    limit: float = 0.0
    false_alarm_runs: float = 0.0
    path: tuple[tuple[int, float], ...] = ()
    """Number of the run in the history, from 1, and the sum of failures after it."""


def trend_lines(runs: Sequence[RunFigures]) -> list[TrendLine]:
    """The trend of the newest run's suites, all gating ones together first; empty with fewer than 3 runs.

    :param runs: comparable ones, oldest first, the newest last.
    """
    if len(runs) < FEWEST:
        return []
    chains = lineage(runs)
    gating = {key: chain for key, chain in chains.items() if chain[-1] is not None and not chain[-1].observe}
    whole = [suite for suite in gating.values() if all(item is not None for item in suite)]
    found: list[tuple[str, list[SuiteFigures | None]]] = []
    if len(gating) > 1 and whole:
        found.append((WHOLE, [_together([chain[n] for chain in whole]) for n in range(len(runs))]))
    found += list(chains.items())
    # Three figures a line, all looked at together.
    alpha = max(0.05 / (3 * max(1, len(found))), 0.001)
    lines = [_line(name, chain, runs, alpha) for name, chain in found]
    if lines[0].name == WHOLE:
        # What shifted everywhere is said once.
        everywhere = {_when(note) for note in lines[0].notes}
        lines[1:] = [replace(x, notes=tuple(n for n in x.notes if _when(n) not in everywhere)) for x in lines[1:]]
    if lines[0].name == WHOLE and len(whole) < len(gating):
        note = f"{len(whole)} of {len(gating)} gating suites were there in every run; only they are in this line"
        lines[0] = replace(lines[0], notes=(note, *lines[0].notes))
    return lines


def chart(chain: Sequence[SuiteFigures | None]) -> Chart:
    """The chart of a suite's failures over its history, oldest first; the newest run says which size is charted."""
    from harness.stats.cusum import follow, run_length
    from harness.stats.rates import wilson

    newest = chain[-1]
    if newest is None or not newest.planned:
        return Chart(text="")
    n = newest.planned
    fit = [at for at, item in enumerate(chain) if item is not None and _charted(item, n)]
    count = min(MOST_REFERENCE, max(FEWEST_REFERENCE, len(fit) // 2))
    reference, watched = fit[:count], fit[count:]
    if n > LARGEST:
        return Chart(text=f"no chart above {numbers.count(LARGEST)} trials a run")
    if not watched:
        missing = FEWEST_REFERENCE + 1 - len(fit)
        return Chart(text=f"no chart yet: {missing} more run{'' if missing == 1 else 's'} of {n} trials needed")
    past = [chain[at] for at in reference]
    passed, measured = sum(s.passed for s in past if s), sum(s.measured for s in past if s)
    rate = (passed + 0.5) / (measured + 1)
    try:
        made = _design(n, round(rate, 6))
    except ValueError as error:
        return Chart(text=f"no chart: {error}")
    failures = [item.failed for at in watched if (item := chain[at]) is not None]
    path = follow(made, failures)
    low = wilson(passed, measured)[0]
    often = run_length(n, 1 - low, made.reference, made.threshold)
    text = (
        f"{numbers.plain(path.sums[-1])} of {numbers.plain(made.threshold)} failures, counted from "
        f"{numbers.plain(made.reference)} a run; a suite at {numbers.share(rate)} alarms falsely about once in "
        f"{_runs(made.runs_between_false_alarms)} runs ({_runs(often)} at {numbers.share(low)}, the low end of its "
        f"{len(reference)} first runs)"
    )
    # A chart starts anew after each alarm; when the trouble began is what the first one says.
    began = follow(made, failures[: path.alarms[0] + 1]).since if path.alarms else None
    return Chart(
        text=text,
        alarms=tuple(watched[at] for at in path.alarms),
        since=None if began is None else watched[began],
        value=path.sums[-1],
        limit=made.threshold,
        false_alarm_runs=made.runs_between_false_alarms,
        path=tuple((at + 1, value) for at, value in zip(watched, path.sums, strict=True)),
    )


@functools.lru_cache(maxsize=256)
def _design(n: int, rate: float):  # type: ignore[no-untyped-def]
    from harness.stats.cusum import design_cusum

    return design_cusum(n, rate, drop=min(DROP, rate / 2), runs_between_false_alarms=BETWEEN_FALSE_ALARMS)


def _line(name: str, chain: Sequence[SuiteFigures | None], runs: Sequence[RunFigures], alpha: float) -> TrendLine:
    newest = chain[-1]
    points = tuple(_point(run, suite) for run, suite in zip(runs, chain, strict=True))
    made = Chart(text="") if name == WHOLE else chart(chain)
    alarm = ""
    if made.alarms:
        alarm = _alarm(made, [run.run_id for run in runs])
    notes = [*_shifts(points, alpha), *_renames(name, chain, runs), *_edits(chain, runs)]
    return TrendLine(
        name=name,
        points=points,
        observe=newest is not None and newest.observe,
        chart=made.text,
        alarm=alarm,
        fresh=bool(made.alarms) and made.alarms[-1] == len(chain) - 1,
        chart_value=made.value,
        chart_limit=made.limit,
        false_alarm_runs=made.false_alarm_runs,
        chart_path=made.path,
        levels=_levels(points, alpha),
        notes=tuple(notes),
    )


def _alarm(made: Chart, names: Sequence[str]) -> str:
    first, again = names[made.alarms[0]], len(made.alarms) - 1
    text = f"the chart of failures crossed its limit in run {first}"
    if again:
        text += f" and {again} time{'' if again == 1 else 's'} more up to {names[made.alarms[-1]]}"
    if made.since is not None and made.since != made.alarms[0]:
        text += f"; the rise began with {names[made.since]}"
    return text


def _point(run: RunFigures, suite: SuiteFigures | None) -> TrendPoint:
    from harness.stats.rates import wilson

    point = TrendPoint(run_id=run.run_id, created_at=run.created_at, commit=run.commit, dirty=run.dirty)
    if suite is None:
        return point
    low = high = None
    if suite.rate is not None and suite.worth > 0:
        low, high = wilson(suite.rate * suite.worth, suite.worth)
        low, high = min(low, suite.rate), max(high, suite.rate)
    return replace(
        point, rate=suite.rate, low=low, high=high, n=suite.measured, of=suite.planned, cost_usd=suite.cost_usd,
        latency_s=suite.latency_s,
    )  # fmt: skip


def _together(suites: Sequence[SuiteFigures | None]) -> SuiteFigures | None:
    """The gating suites of one run as one."""
    known = [suite for suite in suites if suite is not None]
    judged = [suite for suite in known if suite.rate is not None]
    cases = sum(suite.cases for suite in judged)
    ran = [suite.measured + suite.errored for suite in known]
    timed = [suite for suite in known if suite.latency_s is not None and suite.measured]
    return SuiteFigures(
        key=WHOLE,
        cases=sum(suite.cases for suite in known),
        passed=sum(suite.passed for suite in known),
        failed=sum(suite.failed for suite in known),
        errored=sum(suite.errored for suite in known),
        not_run=sum(suite.not_run for suite in known),
        worth=sum(suite.worth for suite in judged),
        rate=sum((suite.rate or 0.0) * suite.cases for suite in judged) / cases if cases else None,
        cost_usd=sum((s.cost_usd or 0.0) * n for s, n in zip(known, ran, strict=True)) / sum(ran)
        if sum(ran) and all(suite.cost_usd is not None for suite in known)
        else None,
        # A mean of the suites' medians: there is no median of all without the values.
        latency_s=sum((s.latency_s or 0.0) * s.measured for s in timed) / sum(s.measured for s in timed)
        if timed and len(timed) == len(known)
        else None,
    )


def _charted(suite: SuiteFigures, n: int) -> bool:
    return suite.planned == n and suite.measured >= (1 - MOST_BROKEN) * n and not suite.decided


def _shifts(points: Sequence[TrendPoint], alpha: float) -> list[str]:
    from harness.stats.change_points import change_points

    found = []
    for word, name, unit in (
        ("pass rate", "rate", "share"),
        ("cost", "cost_usd", "USD"),
        ("latency", "latency_s", "s"),
    ):
        known = [(point, value) for point in points if (value := getattr(point, name)) is not None]
        for shift in change_points([value for _, value in known], alpha=alpha):
            before, after = numbers.measured(shift.before, unit), numbers.measured(shift.after, unit)
            found.append(f"{word} shifted from {before} to {after} with run {known[shift.at][0].run_id}")
    return found


def _levels(points: Sequence[TrendPoint], alpha: float) -> tuple[tuple[int, int, float], ...]:
    """The stretches between shifts of the pass rate, with their means; empty where it did not shift."""
    from harness.stats.change_points import change_points

    known = [(at, point.rate) for at, point in enumerate(points, 1) if point.rate is not None]
    shifts = [shift.at for shift in change_points([rate for _, rate in known], alpha=alpha)]
    if not shifts:
        return ()
    ends = [0, *shifts, len(known)]
    return tuple(
        (known[first][0], known[last - 1][0], sum(rate for _, rate in known[first:last]) / (last - first))
        for first, last in pairwise(ends)
    )


def _when(note: str) -> tuple[str, str]:
    """Which figure shifted, and with which run."""
    return note.partition(" shifted ")[0], note.rpartition(" ")[2]


def _renames(name: str, chain: Sequence[SuiteFigures | None], runs: Sequence[RunFigures]) -> list[str]:
    if name == WHOLE:
        return []
    found, now = [], name
    for suite, run in zip(reversed(chain), reversed(runs), strict=True):
        if suite is not None and suite.key != now:
            found.append(f"up to run {run.run_id} it was called {suite.key}; its cases say that it is the same")
            now = suite.key
    return found


def _edits(chain: Sequence[SuiteFigures | None], runs: Sequence[RunFigures]) -> list[str]:
    """Where the cases themselves changed, which moves every figure for no fault of the agent."""
    found = []
    known = [(suite, run) for suite, run in zip(chain, runs, strict=True) if suite is not None and suite.sketch]
    for (old, _), (new, run) in pairwise(known):
        if (share := likeness(old, new)) < SAME_CASES:
            found.append(f"its cases changed with run {run.run_id}: about {numbers.share(share, decimals=0)} stayed")
    return found[-3:]


def _runs(length: float) -> str:
    return numbers.count(round(length)) if length < 1e6 else "a million"
