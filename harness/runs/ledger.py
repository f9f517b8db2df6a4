"""A small SQLite file that the processes of a run share facts through."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.core.clock import SYSTEM
from harness.core.errors import HarnessError

_PATIENCE_S = 10.0


def open_ledger(path: Path | None, schema: str) -> sqlite3.Connection:
    """The file, with its tables, in write-ahead mode; None: in memory.

    :param schema: statements that may be run again on a file that has the tables.
    :raises HarnessError: when it cannot be opened.
    """
    give_up_at = SYSTEM.monotonic() + _PATIENCE_S
    while True:
        try:
            return _open(path, schema)
        except (OSError, sqlite3.Error) as error:
            # Several workers open the new file in the same moment, and SQLite does not wait for a change of mode.
            if "locked" not in str(error) or SYSTEM.monotonic() >= give_up_at:
                raise HarnessError(
                    f"cannot open {path}: {error}; the run's folder must be writable and on a local disk"
                ) from error
            time.sleep(0.005 + 0.02 * random.random())


def _open(path: Path | None, schema: str) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(
        ":memory:" if path is None else path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
    )
    try:
        if path is not None:
            db.execute("PRAGMA journal_mode = WAL")
            # The facts must outlive a process, not a power cut.
            db.execute("PRAGMA synchronous = OFF")
        db.executescript(schema)
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def transaction(db: sqlite3.Connection, path: Path | None) -> Iterator[None]:
    """All or nothing, and alone among all processes."""
    try:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
            db.execute("COMMIT")
        except BaseException:
            # A full disk ends the transaction by itself.
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
    except sqlite3.Error as error:
        raise HarnessError(f"cannot write {path}: {error}; is the disk full, or the file on a network disk?") from error
