"""Times of single calls: one reading of the clock before and one after each, and nothing else in between."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.core.clock import SYSTEM, Clock


def time_calls(call: Callable[[], object], count: int, *, clock: Clock = SYSTEM) -> list[float]:
    """Seconds of each of ``count`` calls, garbage collection switched off meanwhile.

    Each includes one reading of the clock, some 50 ns; below a few microseconds use :func:`time_block`.
    """
    timer = clock.monotonic
    times = [0.0] * count
    with _no_collection():
        for index in range(count):
            start = timer()
            call()
            times[index] = timer() - start
    return times


def time_block(call: Callable[[], object], count: int, *, clock: Clock = SYSTEM) -> float:
    """Mean seconds per call over ``count`` calls in one go."""
    timer = clock.monotonic
    repeats = range(count)
    with _no_collection():
        start = timer()
        for _ in repeats:
            call()
        end = timer()
    return (end - start) / count


def calls_within(call: Callable[[], object], seconds: float, *, clock: Clock = SYSTEM) -> int:
    """How many calls fit into ``seconds``, at least 1; found by doubling, which also warms the function up."""
    count = 1
    while True:
        per_call = time_block(call, count, clock=clock)
        if per_call * count >= seconds / 4 or count >= 1 << 24:
            return max(1, int(seconds / max(per_call, 1e-9)))
        count *= 2


@contextmanager
def _no_collection() -> Iterator[None]:
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
