"""Limiter: who may send now. Fair in order of arrival, safe to cancel, one window per provider.

A request takes a :class:`Slot` before it is sent and gives it back with what happened. A provider's slots are bounded
by its window (adaptive or fixed), by its limits per minute, and by a pause when the server answered ``Retry-After``.

Under ``-n``, limits per minute and pauses are shared exactly (:class:`~harness.runs.shared_limits.SharedLimits`); the
window in flight is divided by the number of workers, each adapting its own share, never less than one each.

Callers may be on different event loops and threads (a synchronous agent that runs its own loop).
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Mapping

from harness.core.clock import SYSTEM, Clock
from harness.core.errors import ProviderBroken, UsageError
from harness.runs.adaptive import CEILING, START, AdaptiveWindow
from harness.runs.shared_limits import LONGEST_PAUSE_S, NO_LIMITS, Limits, SharedLimits

_OVERLOADED = (429, 503, 529)


class Slot:
    """Leave to send one request."""

    __slots__ = ("epoch", "taken_at", "tokens")

    def __init__(self, *, epoch: int, tokens: int, taken_at: float) -> None:
        self.epoch = epoch
        self.tokens = tokens
        self.taken_at = taken_at


class _Waiter:
    __slots__ = ("future", "loop", "slot", "tokens")

    def __init__(self, loop: asyncio.AbstractEventLoop, tokens: int) -> None:
        self.loop = loop
        self.future: asyncio.Future[None] = loop.create_future()
        self.tokens = tokens
        self.slot: Slot | None = None


class ProviderLimiter:
    """The slots of one provider. Every slot that was acquired must be given back once, by one of the three verbs."""

    def __init__(
        self,
        name: str,
        *,
        window: AdaptiveWindow,
        limits: Limits = NO_LIMITS,
        shared: SharedLimits | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        self.name = name
        self.limits = limits
        self.window = window
        self.peak = 0
        """Most requests in flight at once."""
        self._shared = SharedLimits() if shared is None and limits.per_minute else shared
        self._clock = clock
        self._lock = threading.Lock()
        self._in_flight = 0
        self._waiters: deque[_Waiter] = deque()
        self._paused_until = 0.0
        self._timer: tuple[asyncio.AbstractEventLoop, float] | None = None

    @property
    def in_flight(self) -> int:
        """Slots out now."""
        return self._in_flight

    @property
    def waiting(self) -> int:
        """Callers waiting for a slot."""
        return sum(1 for waiter in tuple(self._waiters) if not waiter.future.done())

    async def acquire(self, tokens: int = 0) -> Slot:
        """Wait for leave to send one request of about ``tokens`` tokens. Cancelling the wait leaks nothing."""
        with self._lock:
            if not self._waiters and self._in_flight < self.window.size and self._wait_s(tokens) <= 0:
                return self._grant(tokens)
            waiter = _Waiter(asyncio.get_running_loop(), tokens)
            self._waiters.append(waiter)
            if self._waiters[0] is waiter:
                self._admit()
        try:
            await waiter.future
        except BaseException:
            with self._lock:
                waiter.future.cancel()
                if waiter.slot is not None:
                    self._in_flight -= 1
                if self._timer is not None and self._timer[0] is waiter.loop:
                    self._timer = None
                self._admit()
            raise
        assert waiter.slot is not None
        return waiter.slot

    def succeeded(self, slot: Slot, latency_s: float, *, tokens: int | None = None) -> None:
        """Give the slot back after a reply.

        :param tokens: what was really used, to correct the count per minute; None: not known.
        """
        if tokens is not None and tokens != slot.tokens and self.limits.tokens_per_minute is not None:
            assert self._shared is not None
            self._shared.correct(self.name, taken_at=slot.taken_at, tokens=tokens - slot.tokens)
        with self._lock:
            self.window.succeeded(latency_s, epoch=slot.epoch, in_flight=self._in_flight)
            self._in_flight -= 1
            if self._waiters:
                self._admit()

    def failed(self, slot: Slot, error: ProviderBroken) -> None:
        """Give the slot back after a failure of the provider; a refusal for load shrinks the window and may pause."""
        with self._lock:
            if error.status in _OVERLOADED or error.reason == "rate_limited":
                self.window.overloaded(epoch=slot.epoch)
                self._pause(error.retry_after_s)
            elif error.retryable:
                self.window.broken()
            self._in_flight -= 1
            self._admit()

    def abandoned(self, slot: Slot) -> None:
        """Give the slot back without news: the request was cancelled, or failed on our side."""
        with self._lock:
            self._in_flight -= 1
            self._admit()

    def close(self) -> None:
        """Close the counts per minute. Calls after it fail where there are any."""
        if self._shared is not None:
            self._shared.close()

    def _pause(self, seconds: float | None) -> None:
        if seconds is None or not seconds > 0:
            return
        until = self._clock.monotonic() + min(seconds, LONGEST_PAUSE_S)
        self._paused_until = max(self._paused_until, until)
        if self._shared is not None:
            self._shared.pause(self.name, until)

    def _wait_s(self, tokens: int) -> float:
        """Seconds until a request may go by the clock; 0 takes it from the counts per minute. The lock is held."""
        if self._paused_until:
            wait = self._paused_until - self._clock.monotonic()
            if wait > 0:
                return wait
            self._paused_until = 0.0
        if self._shared is None:
            return 0.0
        return self._shared.take(self.name, self.limits, tokens, self._clock.monotonic())

    def _grant(self, tokens: int) -> Slot:
        self._in_flight += 1
        self.peak = max(self.peak, self._in_flight)
        taken_at = 0.0 if self._shared is None else self._clock.monotonic()
        return Slot(epoch=self.window.epoch, tokens=tokens, taken_at=taken_at)

    def _admit(self) -> None:
        """Let the longest waiting go, as many as may. The lock is held."""
        waiters = self._waiters
        while waiters and (waiters[0].future.cancelled() or waiters[0].loop.is_closed()):
            waiters.popleft()
        while waiters and self._in_flight < self.window.size:
            waiter = waiters[0]
            if waiter.future.cancelled() or waiter.loop.is_closed():
                waiters.popleft()
                continue
            wait = self._wait_s(waiter.tokens)
            if wait > 0:
                self._wake_in(waiter.loop, wait)
                return
            waiters.popleft()
            waiter.slot = self._grant(waiter.tokens)
            if not _soon(waiter.loop, _resolve, waiter.future):
                self._in_flight -= 1

    def _wake_in(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        at = self._clock.monotonic() + seconds
        if self._timer is not None and not self._timer[0].is_closed() and self._timer[1] <= at + 0.001:
            return
        self._timer = (loop, at)
        _soon(loop, loop.call_later, seconds, self._on_timer, at)

    def _on_timer(self, at: float) -> None:
        with self._lock:
            if self._timer is not None and self._timer[1] == at:
                self._timer = None
            self._admit()


class Limiter:
    """The limiters of a run, one per provider, made on first use.

    :param concurrency: fixes the window of every provider (``--harness-concurrency``); None: adaptive.
    :param limits: by provider, see :meth:`Limits.load`; ``"*"`` for those not named.
    :param workers: processes of this run; the window in flight is divided by it.
    :param worker: which of them this is, from 0 (the remainder of the division goes to the first).
    :param shared: counts over all workers; needed when ``workers`` is above 1.
    """

    def __init__(
        self,
        *,
        concurrency: int | None = None,
        limits: Mapping[str, Limits] | None = None,
        workers: int = 1,
        worker: int = 0,
        shared: SharedLimits | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        if concurrency is not None and concurrency < 1:
            raise UsageError(f"--harness-concurrency must be at least 1, got {concurrency}")
        if workers < 1 or not 0 <= worker < workers:
            raise UsageError(f"a limiter needs 0 <= worker < workers, got worker={worker}, workers={workers}")
        self.concurrency = concurrency
        self._limits = dict(limits or {})
        self._workers = workers
        self._worker = worker
        self._shared = shared
        self._clock = clock
        self._providers: dict[str, ProviderLimiter] = {}
        self._lock = threading.Lock()

    def provider(self, name: str) -> ProviderLimiter:
        """The limiter of a provider."""
        found = self._providers.get(name)
        if found is not None:
            return found
        with self._lock:
            if name not in self._providers:
                limits = self._limits.get(name) or self._limits.get("*") or NO_LIMITS
                self._providers[name] = ProviderLimiter(
                    name, window=self._window(limits), limits=limits, shared=self._shared, clock=self._clock
                )
            return self._providers[name]

    @property
    def providers(self) -> tuple[ProviderLimiter, ...]:
        """All that were used so far, for progress lines and reports."""
        return tuple(self._providers.values())

    def suggested_in_flight(self) -> int:
        """How many trials at a time would keep the providers busy: the sum of the windows.

        Adaptive: at least 32, also before the first request. Fixed: this worker's share of that number.
        """
        if self.concurrency is not None:
            return self._share(self.concurrency)
        return max(START, sum(limiter.window.size for limiter in self.providers))

    def close(self) -> None:
        """Close the counts, also those shared with other workers (their file stays)."""
        for limiter in self.providers:
            limiter.close()
        if self._shared is not None:
            self._shared.close()

    def _window(self, limits: Limits) -> AdaptiveWindow:
        ceiling = CEILING if limits.in_flight is None else min(CEILING, limits.in_flight)
        if self.concurrency is not None:
            return AdaptiveWindow.fixed(self._share(min(self.concurrency, limits.in_flight or self.concurrency)))
        return AdaptiveWindow(start=self._share(min(START, ceiling)), maximum=self._share(ceiling))

    def _share(self, whole: int) -> int:
        return max(1, whole // self._workers + (1 if self._worker < whole % self._workers else 0))


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _soon(loop: asyncio.AbstractEventLoop, call: object, *args: object) -> bool:
    """Run ``call`` on ``loop``, now if it is the running one; False when that loop is closed."""
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        running = None
    if loop is running:
        call(*args)  # type: ignore[operator]
        return True
    try:
        loop.call_soon_threadsafe(call, *args)  # type: ignore[arg-type]
    except RuntimeError:
        return False
    return True
