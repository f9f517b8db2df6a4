"""ThinkingLedger: what tasks have spent on thinking, in a SQLite file that any number of processes debit.

Each debit is one transaction: it reads the total, refuses or books, and notes the escalation, or does nothing at all. A
process that is killed in between leaves the file as it was before the debit (write-ahead log). So at every moment the
sum of a task's debits is its total, and exactly one of them carries the escalation. The facts outlive the end of any
process; a power cut may take the last debits with it, whole.

Waiting for another writer is short tries at random moments, not SQLite's growing pauses: with five writers those reach
a tenth of a second.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from harness.core.clock import SYSTEM, Clock
from harness.core.errors import HarnessError, UsageError
from harness.rewards.thinking import CLASSES, ThinkingClass, thinking_class

_PATIENCE_S = 10.0
_SCHEMA = """
-- format 1: first version
CREATE TABLE IF NOT EXISTS tasks (
    task TEXT PRIMARY KEY, class TEXT NOT NULL, budget INTEGER NOT NULL, ceiling INTEGER NOT NULL,
    total INTEGER NOT NULL, debits INTEGER NOT NULL, refused INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS debits (
    id INTEGER PRIMARY KEY, task TEXT NOT NULL, tokens INTEGER NOT NULL, total INTEGER NOT NULL,
    escalated INTEGER NOT NULL, key TEXT UNIQUE, at_s REAL NOT NULL);
"""
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Debit:
    """What one debit did."""

    tokens: int
    """Booked: what was asked, or 0 when refused."""
    total: int
    """The task's total after it."""
    escalated: bool = False
    """Whether this very debit took the total above the budget."""
    refused: bool = False
    """Whether it would have passed the ceiling."""
    repeated: bool = False
    """Whether its key had been booked before; then nothing was booked again, and this is what it did then."""


@dataclass(frozen=True, kw_only=True)
class Consumption:
    """What one task has spent."""

    task: str
    thinking_class: ThinkingClass
    total: int
    debits: int
    refused: int
    """Debits refused so far."""

    @property
    def escalated(self) -> bool:
        """Whether the budget has been passed."""
        return self.total > self.thinking_class.budget

    @property
    def remaining(self) -> int:
        """Tokens left below the ceiling; below 0 after a forced debit."""
        return self.thinking_class.ceiling - self.total


class ThinkingLedger:
    """Budgets of many tasks in one file. Safe between threads and processes on one machine.

    :param path: the file; None: in memory, for one process.
    :raises HarnessError: it cannot be opened, or is no such ledger.
    """

    def __init__(
        self, path: Path | str | None = None, *, classes: Mapping[str, ThinkingClass] = CLASSES, clock: Clock = SYSTEM
    ) -> None:
        self.path = None if path is None else Path(path)
        self._classes = dict(classes)
        self._clock = clock
        self._lock = threading.Lock()
        self._db = self._patiently(self._open)

    def __enter__(self) -> ThinkingLedger:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was booked stays in it."""
        with self._lock:
            self._db.close()

    def open_task(self, task: str, class_name: str) -> Consumption:
        """Give a task its class; a task that has one keeps it.

        :raises UsageError: for an unknown class, or another one than the task has.
        """
        wanted = thinking_class(class_name, self._classes)
        row = (task, wanted.name, wanted.budget, wanted.ceiling)
        sql = "INSERT INTO tasks VALUES (?, ?, ?, ?, 0, 0, 0) ON CONFLICT (task) DO NOTHING"
        self._alone(lambda: self._db.execute(sql, row))
        found = self.consumption(task)
        if found.thinking_class.name != wanted.name:
            raise UsageError(
                f"task {task!r} is {found.thinking_class.name!r} already, it cannot become {class_name!r}; "
                "open it under another name"
            )
        return found

    def debit(self, task: str, tokens: int, *, key: str | None = None, force: bool = False) -> Debit:
        """Book thinking tokens on a task, all of them or none.

        :param tokens: a whole number, at least 0.
        :param key: names this debit, so that one repeated after a crash is booked once.
        :param force: book also what passes the ceiling: for tokens that have been spent already.
        :raises UsageError: for an unknown task or tokens below 0, or a key that was used for another debit.
        """
        if type(tokens) is not int or tokens < 0:
            raise UsageError(f"a debit is a whole number of tokens, at least 0, got {tokens!r}")
        return self._alone(lambda: self._book(task, tokens, key, force))

    def consumption(self, task: str) -> Consumption:
        """What a task has spent.

        :raises UsageError: the task was never opened.
        """
        with self._lock:
            row = self._patiently(lambda: self._row(task))
        name, budget, ceiling, total, debits, refused = row
        found = ThinkingClass(name=name, budget=budget, ceiling=ceiling)
        return Consumption(task=task, thinking_class=found, total=total, debits=debits, refused=refused)

    def tasks(self) -> tuple[str, ...]:
        """Names of all tasks, sorted."""
        with self._lock:
            rows = self._patiently(lambda: self._db.execute("SELECT task FROM tasks ORDER BY task").fetchall())
        return tuple(row[0] for row in rows)

    def debits(self, task: str) -> tuple[Debit, ...]:
        """Every booked debit of a task, in the order in which they were booked."""
        sql = "SELECT tokens, total, escalated FROM debits WHERE task = ? ORDER BY id"
        with self._lock:
            rows = self._patiently(lambda: self._db.execute(sql, (task,)).fetchall())
        return tuple(Debit(tokens=tokens, total=total, escalated=bool(flag)) for tokens, total, flag in rows)

    def _book(self, task: str, tokens: int, key: str | None, force: bool) -> Debit:
        if key is not None:
            sql = "SELECT task, tokens, total, escalated FROM debits WHERE key = ?"
            before = self._db.execute(sql, (key,)).fetchone()
            if before is not None:
                if before[:2] != (task, tokens):
                    raise UsageError(f"key {key!r} was used for {before[1]} tokens of task {before[0]!r} already")
                return Debit(tokens=tokens, total=before[2], escalated=bool(before[3]), repeated=True)
        _, budget, ceiling, total, _, _ = self._row(task)
        after = total + tokens
        if after > ceiling and not force:
            self._db.execute("UPDATE tasks SET refused = refused + 1 WHERE task = ?", (task,))
            return Debit(tokens=0, total=total, refused=True)
        escalated = total <= budget < after
        self._db.execute("UPDATE tasks SET total = ?, debits = debits + 1 WHERE task = ?", (after, task))
        self._db.execute(
            "INSERT INTO debits (task, tokens, total, escalated, key, at_s) VALUES (?, ?, ?, ?, ?, ?)",
            (task, tokens, after, escalated, key, self._clock.wall()),
        )
        return Debit(tokens=tokens, total=after, escalated=escalated)

    def _row(self, task: str) -> tuple[str, int, int, int, int, int]:
        sql = "SELECT class, budget, ceiling, total, debits, refused FROM tasks WHERE task = ?"
        row: tuple[str, int, int, int, int, int] | None = self._db.execute(sql, (task,)).fetchone()
        if row is None:
            raise UsageError(f"no task {task!r} in {self.path or 'the ledger'}; call open_task({task!r}, CLASS) first")
        return row

    def _open(self) -> sqlite3.Connection:
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(
            ":memory:" if self.path is None else self.path, timeout=0.0, isolation_level=None, check_same_thread=False
        )
        try:
            if self.path is not None:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = NORMAL")
            db.executescript(_SCHEMA)
        except BaseException:
            db.close()
            raise
        return db

    def _alone(self, work: Callable[[], _T]) -> _T:
        """Run ``work`` as one transaction, alone among all writers."""

        def once() -> _T:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                done = work()
                self._db.execute("COMMIT")
                return done
            except BaseException:
                # A full disk ends the transaction by itself.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

        with self._lock:
            return self._patiently(once)

    def _patiently(self, work: Callable[[], _T]) -> _T:
        give_up_at = self._clock.monotonic() + _PATIENCE_S
        while True:
            try:
                return work()
            except (OSError, sqlite3.Error) as error:
                busy = isinstance(error, sqlite3.OperationalError) and ("locked" in str(error) or "busy" in str(error))
                if not busy or self._clock.monotonic() >= give_up_at:
                    raise HarnessError(
                        f"cannot use the ledger {self.path}: {error}; it must be a file of this kind, writable, "
                        "on a local disk"
                    ) from error
                time.sleep(0.0005 + 0.0015 * random.random())
