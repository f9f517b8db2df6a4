"""Counting requests in this process: the times of the last ones, per key."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

_SWEEP_EVERY = 4096
"""Requests between two looks for keys that nobody uses any more."""


class MemoryStore:
    """See :class:`harness.guardrails.rate_limit.Store`. Thread-safe; holds at most a limit's number of times per key.

    Keys whose window has passed are forgotten, so that a stranger per request does not fill the memory.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: dict[str, tuple[deque[int], int]] = {}
        self._taken = 0

    def __len__(self) -> int:
        return len(self._times)

    def take(self, wanted: Sequence[tuple[str, int, int]], now_us: int | None) -> tuple[int, int]:
        """See the protocol. ``now_us`` must be given."""
        if now_us is None:
            raise ValueError("the memory store has no clock of its own; give the guard one")
        with self._lock:
            self._taken += 1
            if self._taken % _SWEEP_EVERY == 0:
                self._sweep(now_us)
            longest, which = 0, 0
            found: list[deque[int]] = []
            for index, (key, most, window) in enumerate(wanted):
                held = self._times.get(key)
                times = deque[int]() if held is None else held[0]
                while times and times[0] <= now_us - window:
                    times.popleft()
                if len(times) >= most and times[len(times) - most] + window - now_us > longest:
                    longest, which = times[len(times) - most] + window - now_us, index
                found.append(times)
            if not longest:
                for (key, _, window), times in zip(wanted, found, strict=True):
                    times.append(now_us)
                    self._times[key] = (times, window)
            return longest, which

    def _sweep(self, now_us: int) -> None:
        stale = [key for key, (times, window) in self._times.items() if not times or times[-1] <= now_us - window]
        for key in stale:
            del self._times[key]
