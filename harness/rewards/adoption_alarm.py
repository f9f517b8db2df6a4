"""An alarm for adoption: does a tool get used less than it was? Watched call by call, with exact error rates.

A chart of misses (tabular CUSUM, :mod:`harness.stats.cusum`), looked at after every ten runs in which the tool fits.
Its behaviour is an exact Markov chain: the chance of a false alarm within the stated number of runs, and the number of
runs within which a drop is found with the stated chance, are computed, not simulated. Ten runs a look because a chart
that is looked at after every run has too coarse a lattice for so high a rate.

Runs are taken to be independent; feed one value per run, not one per call of a run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.core.errors import UsageError
from harness.stats.cusum import Cusum, alarm_chance, design_cusum

BATCH = 10


@dataclass(frozen=True, kw_only=True)
class AlarmDesign:
    """What an alarm promises. Runs are those in which a tool fits."""

    chart: Cusum
    horizon: int
    """Runs within which the chance of a false alarm is at most ``false_alarms``."""
    false_alarms: float
    """That chance, exactly, for an agent whose rate has not changed."""
    found_within: int
    """Runs after the drop within which it is found with a chance of at least ``power``; the chart starting at 0,
    which is the worst case."""
    power: float


def design_alarm(
    rate: float = 0.937,
    drop_to: float = 0.85,
    *,
    horizon: int = 1000,
    false_alarms: float = 0.01,
    power: float = 0.9,
) -> AlarmDesign:
    """The alarm for a known rate and a drop worth finding.

    :param rate: adoption in control, in (0, 1). :param drop_to: the lower rate to be found.
    :param horizon: runs that one judges together, a multiple of 10 at least 10.
    :param false_alarms: chance of any false alarm within the horizon, in (0, 1).
    :raises UsageError: for values out of range, or when no threshold is rare enough.
    """
    if not 0.0 < drop_to < rate < 1.0:
        raise UsageError(f"0 < drop_to < rate < 1 is needed, got rate={rate!r}, drop_to={drop_to!r}")
    if horizon < BATCH or horizon % BATCH:
        raise UsageError(f"a horizon is a multiple of {BATCH} runs, got {horizon!r}")
    if not (0.0 < false_alarms < 1.0 and 0.0 < power < 1.0):
        raise UsageError(f"false_alarms and power are chances in (0, 1), got {false_alarms!r} and {power!r}")
    looks = horizon // BATCH
    try:
        chart = design_cusum(BATCH, rate, drop=rate - drop_to, runs_between_false_alarms=max(2.0, looks / false_alarms))
    except ValueError as error:
        raise UsageError(f"no alarm keeps {false_alarms:g} false alarms within {horizon} runs: {error}") from error
    chance = alarm_chance(chart, looks)
    if chance > false_alarms:
        raise UsageError(f"the chart would alarm falsely with {chance:.4f} within {horizon} runs; ask for a longer one")
    needed = 1
    while alarm_chance(chart, needed, rate=drop_to) < power:
        needed *= 2
    low = needed // 2
    while low + 1 < needed:
        middle = (low + needed) // 2
        found = alarm_chance(chart, middle, rate=drop_to) >= power
        low, needed = (low, middle) if found else (middle, needed)
    return AlarmDesign(chart=chart, horizon=horizon, false_alarms=chance, found_within=needed * BATCH, power=power)


class AdoptionAlarm:
    """Fed run by run with whether a fitting tool was called; says when the misses have become too many."""

    def __init__(self, design: AlarmDesign | None = None) -> None:
        """None: from .937 to .85, at most 1 % false alarms within 1,000 runs."""
        self.design = design or design_alarm()
        self.runs = 0
        self.sum = 0.0
        """Misses beyond what is usual, where the chart stands."""
        self.alarmed_at: int | None = None
        """Number of the run, from 1, at which it first alarmed; it stays."""
        self._misses = 0

    def update(self, adopted: bool | None) -> bool:
        """One more run; whether the alarm has gone off by now. None (no tool fits) is not a run and changes nothing."""
        if adopted is not None:
            self.runs += 1
            self._misses += not adopted
            if self.runs % BATCH == 0:
                self.sum = max(0.0, self.sum + self._misses - self.design.chart.reference)
                self._misses = 0
                if self.alarmed_at is None and self.sum >= self.design.chart.threshold:
                    self.alarmed_at = self.runs
        return self.alarmed_at is not None

    def follow(self, adopted: Iterable[bool | None]) -> int | None:
        """Take in many runs; the number of the run that alarmed, or None."""
        for value in adopted:
            self.update(value)
        return self.alarmed_at
