"""Tabular CUSUM of a suite's failures over its runs, with a threshold for the suite's own size and rate.

After each run with x failures of n: S = max(0, S + x - k), alarm when S >= h. S lives on a lattice, so its behaviour
is an exact Markov chain (Brook and Evans 1972, Biometrika 59:539-549), not a normal approximation, which at 200 cases
and a rate of .9 alarms a quarter too often.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_FINEST = 8
"""The reference value k is a multiple of 1/8 failure."""


@dataclass(frozen=True, kw_only=True)
class Cusum:
    """A chart for runs of ``n`` trials with a known rate. Failures are counted, so a rise is a regression."""

    n: int
    rate: float
    """Pass rate in control, in (0, 1)."""
    drop: float
    """Drop of the rate that it is tuned to see, in (0, rate)."""
    reference: float
    """k: failures per run that leave S where it is."""
    threshold: float
    """h: alarm at or above, in failures."""
    runs_between_false_alarms: float
    """Average number of runs to a false alarm, exactly, at this rate."""
    runs_to_alarm: float
    """Average number of runs to the alarm after the drop, from S = 0."""


@dataclass(frozen=True, kw_only=True)
class CusumPath:
    """A chart after a history of runs."""

    sums: tuple[float, ...]
    """S after each run; it starts anew after an alarm."""
    alarms: tuple[int, ...]
    """Positions, from 0, of the runs that alarmed."""
    since: int | None
    """Position of the first run of the rise that led to the last alarm: an estimate of when it began."""


def design_cusum(n: int, rate: float, *, drop: float, runs_between_false_alarms: float = 200.0) -> Cusum:
    """The chart with the lowest threshold that keeps the stated false-alarm rate.

    The reference value is the likelihood-ratio one between the two rates (Reynolds and Stoumbos 1999, Journal of
    Quality Technology 31:87-108), rounded to an eighth of a failure.

    :param n: trials per run; a history with other sizes needs a chart for each size.
    :param runs_between_false_alarms: at least this many on average, above 1.
    :raises ValueError: for values out of range, or when even every run failing completely would not be rare enough.
    """
    if n < 1 or not 0.0 < rate < 1.0 or not 0.0 < drop < rate:
        raise ValueError(f"n from 1, rate in (0, 1) and drop in (0, rate) are needed, got {n!r}, {rate!r}, {drop!r}")
    if not runs_between_false_alarms > 1:
        raise ValueError(f"runs between false alarms are above 1, got {runs_between_false_alarms!r}")
    q0, q1 = 1 - rate, 1 - rate + drop
    best = n * math.log((1 - q0) / (1 - q1)) / math.log(q1 * (1 - q0) / (q0 * (1 - q1)))
    reference = round(best * _FINEST) / _FINEST
    low, high = 0, 1
    while run_length(n, q0, reference, high / _FINEST) < runs_between_false_alarms:
        low, high = high, 2 * high
        if high > 4 * _FINEST * max(n, 50):
            raise ValueError(f"no threshold gives {runs_between_false_alarms:g} runs at n={n} and a rate of {rate:g}")
    while low + 1 < high:
        middle = (low + high) // 2
        enough = run_length(n, q0, reference, middle / _FINEST) >= runs_between_false_alarms
        low, high = (low, middle) if enough else (middle, high)
    threshold = high / _FINEST
    return Cusum(
        n=n,
        rate=rate,
        drop=drop,
        reference=reference,
        threshold=threshold,
        runs_between_false_alarms=run_length(n, q0, reference, threshold),
        runs_to_alarm=run_length(n, q1, reference, threshold),
    )


def run_length(n: int, failure_rate: float, reference: float, threshold: float) -> float:
    """Average runs until S reaches ``threshold``, from S = 0, when each trial fails with ``failure_rate``; exact.

    :param reference: k, a multiple of an eighth of a failure, as the threshold is.
    """
    import numpy as np

    moves = _moves(n, failure_rate, reference, round(threshold * _FINEST))
    size = moves.shape[0]
    return float(np.linalg.solve(np.eye(size) - moves, np.ones(size))[0])


def alarm_chance(chart: Cusum, runs: int, *, rate: float | None = None) -> float:
    """Chance of at least one alarm within so many runs at a true ``rate`` (None: in control); exact."""
    import numpy as np

    failure = 1 - (chart.rate if rate is None else rate)
    moves = _moves(chart.n, failure, chart.reference, round(chart.threshold * _FINEST))
    state = np.zeros(moves.shape[0])
    state[0] = 1.0
    for _ in range(runs):
        state = state @ moves
    return float(1 - state.sum())


def follow(chart: Cusum, failures: Sequence[int]) -> CusumPath:
    """The chart over a history of failures per run, oldest first.

    :raises ValueError: for counts outside 0 to the chart's n.
    """
    total, start = 0.0, 0
    sums, alarms, since = [], [], None
    for position, count in enumerate(failures):
        if not 0 <= count <= chart.n:
            raise ValueError(f"failures lie between 0 and the {chart.n} trials of a run, got {count!r}")
        total = max(0.0, total + count - chart.reference)
        sums.append(total)
        if total == 0.0:
            start = position + 1
        if total >= chart.threshold:
            alarms.append(position)
            since, total, start = start, 0.0, position + 1
    return CusumPath(sums=tuple(sums), alarms=tuple(alarms), since=since)


def _moves(n: int, failure_rate: float, reference: float, states: int) -> npt.NDArray[np.float64]:
    """Chances of moving between the values of S below the threshold."""
    import numpy as np
    from scipy.stats import binom

    pmf = binom.pmf(np.arange(n + 1), n, failure_rate)
    step = _FINEST * np.arange(n + 1) - round(reference * _FINEST)
    at = np.arange(states)[:, None] + step[None, :]
    moves = np.zeros((states, states))
    rows = np.broadcast_to(np.arange(states)[:, None], at.shape)
    inside = at < states
    np.add.at(moves, (rows[inside], np.maximum(at[inside], 0)), np.broadcast_to(pmf, at.shape)[inside])
    return moves
