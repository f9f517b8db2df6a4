"""AdaptiveWindow: how many requests may be in flight to one provider, learned from its latency and its refusals.

The shape is that of TCP congestion control (RFC 5681), with the numbers of an evaluation run:

- *slow start*: from 32, quadrupling per round trip until the first sign of trouble or the ceiling;
- *probing*: after trouble, a quarter more per round trip (at least one);
- *overload* (429, 503, 529): half, at most once per round trip, because every request in flight tells the same news;
- *slow*: while the recent median latency is above twice the best median seen, nothing grows. It never shrinks for
  latency alone: calls of one run differ by more than a provider's load does;
- *broken* (500, cut connections): nothing grows for half a window of successes;
- a window that is not used does not grow (RFC 7661).
"""

from __future__ import annotations

from statistics import median

from harness.core.errors import UsageError

START = 32
CEILING = 1000
_RAMP = 7.0
"""Added per success in slow start below :data:`_STEEP`: one reply lets eight go, then four: 32, 256, 1,000. The first
refusal halves the window and ends the slow start, and what was refused is tried again."""
_GENTLE_RAMP = 3.0
_STEEP = 256
_PROBE = 0.25
_SLOW = 2.0
_AGEING = 1.02
"""The best median rises by this per batch, so that one lucky batch does not stop growth for ever."""


class AdaptiveWindow:
    """The window of one provider. Not thread-safe: its limiter holds the lock.

    :param start: requests allowed in flight at first.
    :param minimum: never below; at least 1.
    :param maximum: never above. Equal to ``minimum``, the window is fixed.
    """

    __slots__ = ("_batch", "_best", "_epoch", "_held", "_ramping", "_size", "_slow", "maximum", "minimum")

    def __init__(self, *, start: int = START, minimum: int = 1, maximum: int = CEILING) -> None:
        if not 1 <= minimum <= start <= maximum:
            raise UsageError(
                f"a window needs 1 <= minimum <= start <= maximum, got minimum={minimum}, start={start}, "
                f"maximum={maximum}"
            )
        self.minimum = minimum
        self.maximum = maximum
        self._size = float(start)
        self._epoch = 0
        self._ramping = True
        self._held = 0
        self._slow = False
        self._best: float | None = None
        self._batch: list[float] = []

    @classmethod
    def fixed(cls, size: int) -> AdaptiveWindow:
        """A window that stays at ``size`` whatever happens."""
        return cls(start=size, minimum=size, maximum=size)

    @property
    def size(self) -> int:
        """Requests allowed in flight now."""
        return int(self._size)

    @property
    def epoch(self) -> int:
        """How often the window was halved; a request remembers the number that it started under."""
        return self._epoch

    @property
    def best_latency_s(self) -> float | None:
        """The best median latency seen, ageing slowly upwards; None before the first batch."""
        return self._best

    def succeeded(self, latency_s: float, *, epoch: int, in_flight: int) -> None:
        """A reply came.

        :param latency_s: from sending to the end of the reply.
        :param epoch: what :attr:`epoch` was when the request started.
        :param in_flight: requests in flight, this one included.
        """
        if self.maximum == self.minimum:
            return
        self._observe(latency_s)
        if epoch != self._epoch or in_flight * 2 < self._size:
            return
        if self._held > 0:
            self._held -= 1
            return
        if self._slow:
            return
        ramp = _RAMP if self._size < _STEEP else _GENTLE_RAMP
        step = ramp if self._ramping else max(1.0 / self._size, _PROBE)
        self._size = min(float(self.maximum), self._size + step)

    def overloaded(self, *, epoch: int) -> None:
        """The provider refused for load. Requests from before the last halving tell nothing new."""
        if epoch != self._epoch:
            return
        self._epoch += 1
        self._ramping = False
        self._size = max(float(self.minimum), self._size / 2)

    def broken(self) -> None:
        """The provider failed otherwise: no growth for half a window of successes."""
        self._ramping = False
        self._held = max(1, self.size // 2)

    def _observe(self, latency_s: float) -> None:
        batch = self._batch
        batch.append(latency_s)
        # The first batch is short, so that the latency of the first trip is known before the window has grown past it.
        if len(batch) < (16 if self._best is None else max(16, min(64, self.size // 4))):
            return
        now = median(batch)
        batch.clear()
        self._best = now if self._best is None else min(self._best * _AGEING, now)
        self._slow = now > _SLOW * self._best
        if self._slow:
            self._ramping = False
