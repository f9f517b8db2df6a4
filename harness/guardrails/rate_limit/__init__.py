"""RateLimit: so many requests per user, tenant and session in so much time, and not one more.

The words:

- *request*: an event of the kinds the guard counts (by default what a user says), that every scope still has room for.
- *scope*: one limit and whom it counts: ``user``, ``tenant`` or ``session`` of the event's data. Callers whose id is
  missing share one count: leaving an id out never gives more room.
- *window*: the seconds up to now. A request made at time t is counted until just before t + window, and no longer.
- A refused request is counted in no scope, so somebody who keeps knocking is let in when the wait is over.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from harness.core.clock import SYSTEM, Clock
from harness.core.decision import EVENT_KINDS, Decision, Event, EventKind, Finding
from harness.core.errors import UsageError
from harness.guardrails.rate_limit.memory import MemoryStore
from harness.guardrails.rate_limit.redis_store import RedisStore

__all__ = ["DEFAULT_LIMITS", "Limit", "MemoryStore", "RateLimit", "RedisStore", "Store"]

Scope = Literal["user", "tenant", "session"]


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most ``requests`` in any ``window_s`` seconds per scope."""

    scope: Scope
    requests: int
    """At least 1."""
    window_s: float
    """Above 0; counted in whole microseconds."""

    def __post_init__(self) -> None:
        if self.scope not in ("user", "tenant", "session"):
            raise UsageError(f"a limit is per user, tenant or session, got scope={self.scope!r}")
        if type(self.requests) is not int or self.requests < 1:
            raise UsageError(f"a limit must be at least 1 request, got requests={self.requests!r}")
        if not math.isfinite(self.window_s) or self.window_s < 1e-6:
            raise UsageError(f"a window must be a finite number of seconds above 0, got window_s={self.window_s!r}")


DEFAULT_LIMITS = (
    Limit(scope="user", requests=10, window_s=60),
    Limit(scope="user", requests=100, window_s=3600),
    Limit(scope="tenant", requests=1000, window_s=3600),
    Limit(scope="session", requests=50, window_s=3600),
)


class Store(Protocol):
    """Where requests are counted, all limits of one request in one step."""

    def take(self, wanted: Sequence[tuple[str, int, int]], now_us: int | None) -> tuple[int, int]:
        """Count one request in every key, or in none.

        :param wanted: (key, most requests, window in microseconds) per limit.
        :param now_us: the time in microseconds; None: the store's own.
        :return: microseconds to wait (0: it was counted), and the index of the limit that asks for the longest wait.
        """
        ...


class RateLimit:
    """Blocks requests above a limit, and says exactly how long to wait. See the words at the top of this file.

    :param limits: default: 10 a minute and 100 an hour per user, 1,000 an hour per tenant, 50 an hour per session.
    :param store: where to count: :class:`MemoryStore` (this process, the default) or :class:`RedisStore` (several).
    :param clock: of the memory store, read monotonically. None with Redis: the server's time, the same for everybody.
    :param kinds: the events that count as requests.
    """

    version = "1"

    def __init__(
        self,
        limits: Iterable[Limit] = DEFAULT_LIMITS,
        *,
        store: Store | None = None,
        clock: Clock | None = None,
        kinds: Iterable[EventKind] = ("input",),
        name: str = "rate_limit",
    ) -> None:
        self.limits = tuple(limits)
        self.kinds = frozenset(kinds)
        if not self.limits:
            raise UsageError("a rate limit needs at least one Limit; leave limits out for the defaults")
        if unknown := self.kinds - set(EVENT_KINDS):
            raise UsageError(f"no event is of kind {sorted(unknown)[0]!r}; kinds are {', '.join(EVENT_KINDS)}")
        self.name = name
        self._store: Store = MemoryStore() if store is None else store
        self._clock = SYSTEM if clock is None and store is None else clock
        self._plan = tuple(
            (limit.scope, f"{limit.scope}:{limit.window_s:g}:{limit.requests}:", limit.requests, _us(limit.window_s))
            for limit in self.limits
        )

    def __repr__(self) -> str:
        return f"RateLimit({', '.join(f'{one.requests}/{one.window_s:g}s per {one.scope}' for one in self.limits)})"

    def fresh(self) -> RateLimit:
        """The same limits with nothing counted yet, in memory."""
        return RateLimit(self.limits, clock=self._clock, kinds=self.kinds, name=self.name)

    def check(self, event: Event) -> Decision:
        """Count the request, or block it with ``retry_after_s``: then, and no earlier, the same request has room."""
        if event.kind not in self.kinds or event.data.get("history") is True:
            return Decision(action="allow", guard=self.name)
        wanted = [(start + _id(event, scope), most, window) for scope, start, most, window in self._plan]
        wait, which = self._store.take(wanted, None if self._clock is None else _us(self._clock.monotonic()))
        if not wait:
            return Decision(action="allow", guard=self.name)
        limit = self.limits[which]
        return Decision(
            action="block",
            guard=self.name,
            reason=f"{limit.requests} requests in {limit.window_s:g} s per {limit.scope} are used up",
            findings=(Finding(category=f"rate_{limit.scope}"),),
            retry_after_s=wait / 1e6,
        )


def _us(seconds: float) -> int:
    """Whole microseconds: sums of them are exact, so that a wait is neither a hair too short nor too long."""
    return round(seconds * 1e6)


def _id(event: Event, scope: str) -> str:
    given = event.data.get(scope)
    return given if isinstance(given, str) else "" if given is None else repr(given)[:200]
