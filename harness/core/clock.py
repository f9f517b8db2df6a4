"""The only module that reads time, so that every waiting part can be driven by a test's own clock."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A source of time. ``monotonic`` measures durations, ``wall`` names moments."""

    def monotonic(self) -> float:
        """Seconds that never run backwards; the origin means nothing."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch, UTC; may jump, so never subtract two of them."""
        ...


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """See :class:`Clock`."""
        return time.perf_counter()

    def wall(self) -> float:
        """See :class:`Clock`."""
        return time.time()


SYSTEM = SystemClock()


def iso_utc(wall_s: float) -> str:
    """A moment as ``2026-01-31T23:59:59Z``; whole seconds, for file names and reports."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(wall_s))
