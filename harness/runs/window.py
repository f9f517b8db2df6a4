"""The window: how many trials may be in flight at once, fixed or finding its own size."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from statistics import median

from harness.core.errors import Failure, UsageError

START = 32
MAXIMUM = 1000


class Window:
    """A bound on trials in flight.

    Adaptive (``fixed=None``): starts at 32. After each full window of finished trials it looks at the median time of
    the last 64: within a quarter above the best median seen it grows eightfold, within twice the best it doubles,
    within three times it grows by an eighth, beyond that it shrinks by a quarter. A trial lost to the provider halves
    it, at most once per window. Never above 1,000, never below 1. The scheme is TCP's slow start and congestion
    avoidance (RFC 5681) with latency as the early signal, as in TCP Vegas.

    :param fixed: a constant size (``--harness-concurrency=N``), or None.
    :param share: number of worker processes that divide the provider between them.
    :param floor: how many trials would keep the providers busy, as their own limiters see it: the window is never
        smaller while it adapts, so that trials waiting for a limiter do not read as a slow agent.
    """

    def __init__(self, *, fixed: int | None = None, share: int = 1, floor: Callable[[], int] | None = None) -> None:
        if fixed is not None and fixed < 1:
            raise UsageError(f"--harness-concurrency must be at least 1 or 'auto', got {fixed}")
        share = max(1, share)
        self.adaptive = fixed is None
        self.maximum = max(1, MAXIMUM // share)
        self._size = float(max(1, (START if fixed is None else fixed) // share))
        self._floor = floor
        self._recent: deque[float] = deque(maxlen=64)
        self._since_change = 0
        self._best: float | None = None
        self._cooling = 0

    @property
    def size(self) -> int:
        """Trials that may be in flight now."""
        own = int(self._size)
        if self._floor is None or not self.adaptive:
            return own
        return min(self.maximum, max(own, self._floor()))

    def finished(self, latency_s: float, failure: Failure | None = None) -> None:
        """Learn from a finished trial.

        :param latency_s: how long it took, in seconds.
        :param failure: why it could not be measured, or None.
        """
        if not self.adaptive:
            return
        self._since_change += 1
        if failure is not None and failure.kind in ("provider", "timeout"):
            if self._cooling <= 0:
                self._size = max(1.0, self._size / 2)
                self._cooling = self.size
                self._since_change = 0
            self._cooling -= 1
            return
        self._cooling -= 1
        self._recent.append(latency_s)
        if self._since_change < self._size or len(self._recent) < 8:
            return
        now = median(self._recent)
        self._best = now if self._best is None else min(self._best, now)
        floor = max(self._best, 0.002)  # below two milliseconds scheduling noise is the latency
        if now <= 2 * floor and self._cooling <= 0:
            self._size = min(float(self.maximum), self._size * (8 if now <= 1.25 * floor else 2))
        elif now <= 3 * floor:
            self._size = min(float(self.maximum), self._size * 1.125)
        else:
            self._size = max(float(min(START, self.maximum)), self._size * 0.75)
        self._since_change = 0
