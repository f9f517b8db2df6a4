"""Memory of a function: the peak of a call, and how much stays behind after it.

Two sources, because each is blind where the other sees. ``tracemalloc`` counts what Python allocates, to the byte, and
knows nothing of memory that an extension takes by itself. The resident set (RSS) counts every page of the process, in
steps of a page.
"""

from __future__ import annotations

import gc
import os
import tracemalloc
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from harness.core.clock import SYSTEM, Clock
from harness.runs.bench.call_times import time_block
from harness.stats.growth import Growth, growth

T = TypeVar("T")
BATCHES = 24
LEAK_BYTES = 16.0
"""Growth per call that counts as none: below the smallest Python object that could be left behind by each call."""


@dataclass(frozen=True, kw_only=True)
class Leaks:
    """What stays behind after each call."""

    python: Growth
    """Bytes per call that Python still holds (tracemalloc)."""
    resident: Growth | None
    """Bytes per call by which the process grew (RSS); None where the system does not tell it."""
    limit_bytes: float
    resolution_bytes: float
    """One page spread over the calls of a batch: RSS cannot see less."""

    @property
    def answer(self) -> str:
        """``fail``: a leak is shown by one of the two; ``pass``: neither shows one; else ``inconclusive``."""
        answers = [self.python.answer(self.limit_bytes)]
        if self.resident is not None:
            answers.append(self.resident.answer(max(self.limit_bytes, self.resolution_bytes)))
        if "fail" in answers:
            return "fail"
        return "pass" if answers[0] == "pass" and answers[-1] == "pass" else "inconclusive"

    @property
    def reason(self) -> str:
        """The arithmetic in one sentence."""
        parts = [f"Python {_told(self.python)}"]
        if self.resident is not None:
            parts.append(f"process {_told(self.resident)} (to {self.resolution_bytes:.3g} B)")
        calls = self.python.calls
        return f"growth per call over {calls:,} calls: {'; '.join(parts)}; limit {self.limit_bytes:g} B"


def find_leaks(
    call: Callable[[], object],
    *,
    limit_bytes: float = LEAK_BYTES,
    within_s: float = 2.0,
    most_calls: int = 20_000,
    level: float = 0.99,
    clock: Clock = SYSTEM,
) -> Leaks:
    """Call it again and again, collect the garbage after each batch, and see what is left.

    Three batches warm caches up and are not counted. Cycles are no leak here: the collector runs before each reading.
    What leaks less often than once in a batch shows only in the growth from end to end, which then is inconclusive.

    :param within_s: about how long, for both passes together; a slow function gets smaller batches, down to one call.
    :param most_calls: upper limit over all batches.
    :raises ValueError: for limits that are not above 0.
    """
    if limit_bytes < 0 or within_s <= 0 or most_calls < BATCHES:
        raise ValueError(
            f"limit_bytes from 0, within_s above 0 and most_calls from {BATCHES}, "
            f"got {limit_bytes!r}, {within_s!r}, {most_calls!r}"
        )
    call()
    # Tracing makes a call that allocates much many times slower, so it is timed as it is going to be run.
    one = time_block(call, 1, clock=clock) + _while_tracing(lambda: time_block(call, 1, clock=clock))
    batch = max(1, min(most_calls // BATCHES, int(within_s / (BATCHES + 3) / (one + 1e-7))))
    end = clock.monotonic() + within_s
    while True:
        found = Leaks(
            resident=growth(levels, batch, level=level) if (levels := _batches(call, batch, resident_bytes)) else None,
            python=growth(_while_tracing(lambda: _batches(call, batch, _traced_bytes)), batch, level=level),
            limit_bytes=limit_bytes,
            resolution_bytes=_page_bytes() / batch,
        )
        # What was freed before is given out again first, so a leak outside Python may need a second look to show.
        if found.answer != "inconclusive" or clock.monotonic() >= end:
            return found


def peak_bytes(
    call: Callable[[], object], *, calls: int = 20, within_s: float = 2.0, clock: Clock = SYSTEM
) -> list[int]:
    """The peak of what Python holds during each call, above what it held before; at least one call is measured."""
    call()
    traced_before = tracemalloc.is_tracing()
    if not traced_before:
        tracemalloc.start(1)
    peaks: list[int] = []
    try:
        end = clock.monotonic() + within_s
        while len(peaks) < calls and (not peaks or clock.monotonic() < end):
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            call()
            peaks.append(max(0, tracemalloc.get_traced_memory()[1] - before))
    finally:
        if not traced_before:
            tracemalloc.stop()
    return peaks


def resident_bytes() -> int:
    """Pages of this process in memory, in bytes; -1 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * _page_bytes()
    except (OSError, IndexError, ValueError):
        return -1


def _while_tracing(work: Callable[[], T]) -> T:
    traced_before = tracemalloc.is_tracing()
    if not traced_before:
        tracemalloc.start(1)
    try:
        return work()
    finally:
        if not traced_before:
            tracemalloc.stop()


def _batches(call: Callable[[], object], batch: int, read: Callable[[], int]) -> list[float]:
    """Readings after each batch; empty when the source tells nothing."""
    if read() < 0:
        return []
    frozen = gc.get_freeze_count() > 0
    if not frozen:
        gc.freeze()  # what was there before need not be looked through after each batch
    # Made beforehand, so that keeping the readings does not look like growth.
    levels = array("d", bytes(8 * (BATCHES + 1)))
    repeats = range(batch)
    try:
        for number in range(-3, BATCHES + 1):
            for _ in repeats:
                call()
            gc.collect()
            if number >= 0:
                levels[number] = read()
    finally:
        if not frozen:
            gc.unfreeze()
    return list(levels)


def _traced_bytes() -> int:
    return tracemalloc.get_traced_memory()[0]


def _page_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def _told(found: Growth) -> str:
    e = found.per_call
    if e.value is None or found.overall is None:
        return "not measured"
    low, high = ("?" if bound is None else f"{bound:.4g}" for bound in (e.low, e.high))
    return f"{e.value:.4g} B ({low} to {high}; end to end {found.overall:.4g})"
