"""SharedLimits: requests and tokens per minute, and pauses, counted exactly over all workers of a run.

A minute is a sliding one: what was taken is kept in bins of one second, and in no 60 seconds more is taken than the
limit. The price of bins is that a taken request counts for up to 61 seconds.

Times are the machine's monotonic clock, which all processes share, so a jump of the wall clock changes nothing.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.runs.ledger import open_ledger, transaction

LONGEST_PAUSE_S = 60.0
_MINUTE = 60
_SCHEMA = """
-- format 1: first version
CREATE TABLE IF NOT EXISTS bins (
    provider TEXT NOT NULL, second INTEGER NOT NULL, requests INTEGER NOT NULL, tokens INTEGER NOT NULL,
    PRIMARY KEY (provider, second)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pauses (provider TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a provider allows, from ``[tool.harness.limits."api.openai.com"]``. None: no limit known."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    """Input and output together."""
    in_flight: int | None = None
    """A ceiling for the adaptive window, over all workers."""

    @classmethod
    def load(cls, table: Mapping[str, Any]) -> dict[str, Limits]:
        """All limits of a ``[tool.harness.limits]`` table, by provider; ``"*"`` is for providers not named.

        :raises UsageError: for an unknown key or a value that is not a whole number of at least 1.
        """
        known = [item.name for item in fields(cls)]
        out: dict[str, Limits] = {}
        for provider, given in table.items():
            place = f'[tool.harness.limits."{provider}"]'
            if not isinstance(given, Mapping):
                raise UsageError(f"{place} must be a table with {', '.join(known)}; got {given!r}")
            for key, value in given.items():
                if key not in known:
                    raise UsageError(f"{place}: unknown limit {key!r}; known: {', '.join(known)}")
                if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                    raise UsageError(f"{place}: {key} must be a whole number of at least 1, got {value!r}")
            out[str(provider)] = cls(**given)
        return out

    @property
    def per_minute(self) -> bool:
        """Whether anything is counted by the minute."""
        return self.requests_per_minute is not None or self.tokens_per_minute is not None


NO_LIMITS = Limits()


class SharedLimits:
    """The counts of a run in a small SQLite file that all its workers open.

    :param path: the file, in the run's folder; None keeps the counts in memory, for a run of one process.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._db = open_ledger(path, _SCHEMA)

    def take(self, provider: str, limits: Limits, tokens: int, now: float) -> float:
        """Count one request of about ``tokens`` tokens; 0.0 when it may go now, else the seconds to wait (not counted).

        A request of more tokens than the whole limit counts as the limit: it goes alone.
        """
        with self._lock:
            row = self._db.execute("SELECT until FROM pauses WHERE provider = ?", (provider,)).fetchone()
            # A pause can only look longer than the longest one when the machine was restarted in between.
            if row is not None and 0 < row[0] - now <= LONGEST_PAUSE_S:
                return float(row[0] - now)
            if not limits.per_minute:
                return 0.0
            with transaction(self._db, self.path):
                second = math.floor(now)
                self._db.execute(
                    "DELETE FROM bins WHERE provider = ? AND (second < ? OR second > ?)",
                    (provider, second - _MINUTE, second),
                )
                bins = self._db.execute(
                    "SELECT second, requests, tokens FROM bins WHERE provider = ? ORDER BY second", (provider,)
                ).fetchall()
                wait = max(
                    _wait(now, [(at, n) for at, n, _ in bins], 1, limits.requests_per_minute),
                    _wait(now, [(at, n) for at, _, n in bins], tokens, limits.tokens_per_minute),
                )
                if wait > 0:
                    return wait
                self._add(provider, second, 1, tokens)
                return 0.0

    def correct(self, provider: str, *, taken_at: float, tokens: int) -> None:
        """Add (or with a negative number, give back) tokens of a request that was taken at ``taken_at``."""
        with self._lock, transaction(self._db, self.path):
            self._add(provider, math.floor(taken_at), 0, tokens)

    def pause(self, provider: str, until: float) -> None:
        """Let nobody of this run send to ``provider`` before ``until``; never shortens a pause."""
        with self._lock, transaction(self._db, self.path):
            self._db.execute(
                "INSERT INTO pauses VALUES (?, ?) ON CONFLICT (provider) DO UPDATE SET until = "
                "CASE WHEN until > excluded.until AND until < excluded.until + ? THEN until ELSE excluded.until END",
                (provider, until, LONGEST_PAUSE_S),
            )

    def close(self) -> None:
        """Close the file; the counts stay in it."""
        self._db.close()

    def _add(self, provider: str, second: int, requests: int, tokens: int) -> None:
        self._db.execute(
            "INSERT INTO bins VALUES (?, ?, ?, ?) ON CONFLICT (provider, second) DO UPDATE SET "
            "requests = requests + excluded.requests, tokens = max(0, tokens + excluded.tokens)",
            (provider, second, requests, tokens),
        )


def _wait(now: float, bins: list[tuple[int, int]], amount: int, limit: int | None) -> float:
    if limit is None:
        return 0.0
    over = sum(count for _, count in bins) + min(amount, limit) - limit
    for second, count in bins:
        if over <= 0:
            break
        over -= count
        if over <= 0:
            # A bin counts until its last moment is a minute old; the extra makes the floor of the next try pass it.
            return second + 1 + _MINUTE - now + 0.001
    return 0.0
