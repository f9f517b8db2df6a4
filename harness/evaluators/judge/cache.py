"""The cache of verdicts: one SQLite file, shared by all workers, that survives the death of any of them.

A key is a hash over everything that could change a verdict: model, sampling, prompt, rubric, every part that is shown,
trial and sample. Only verdicts are kept: what could not be measured is asked again. A damaged file is moved aside and
begun anew, and a full or locked disk costs the caller nothing but the hit: a cache is never a reason not to judge.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_SCHEMA = "CREATE TABLE IF NOT EXISTS verdicts (key TEXT PRIMARY KEY, verdict TEXT NOT NULL) WITHOUT ROWID"
_PATIENCE_S = 10.0
_open: dict[tuple[int, Path], VerdictCache] = {}
_guard = threading.Lock()


class VerdictCache:
    """Verdicts by key. Thread-safe; opened on first use, once per process and file (:func:`shared_cache`)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self.trouble = ""
        """Why the file could not be used, in words; empty as long as it can."""

    def get(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The verdicts that there are."""
        with self._lock:
            try:
                marks = ",".join("?" * len(keys))
                rows = self._connection().execute(
                    f"SELECT key, verdict FROM verdicts WHERE key IN ({marks})",  # noqa: S608 - question marks only
                    list(keys),
                )
                return {key: json.loads(text) for key, text in rows}
            except (sqlite3.Error, OSError, ValueError) as error:
                self._failed(error)
                return {}

    def put(self, key: str, verdict: Mapping[str, Any]) -> None:
        """Keep one; whole or not at all."""
        text = json.dumps(verdict)
        with self._lock:
            try:
                self._connection().execute("INSERT OR REPLACE INTO verdicts VALUES (?, ?)", (key, text))
            except (sqlite3.Error, OSError) as error:
                self._failed(error)

    def __len__(self) -> int:
        with self._lock:
            return int(self._connection().execute("SELECT count(*) FROM verdicts").fetchone()[0])

    def close(self) -> None:
        """Close the file; a later use opens it again."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            try:
                self._db = _opened(self.path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                self._move_aside()
                self._db = _opened(self.path)
        return self._db

    def _failed(self, error: Exception) -> None:
        self.trouble = f"{self.path}: {error}"
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            if self._db is not None:
                self._db.close()
                self._db = None
            self._move_aside()

    def _move_aside(self) -> None:
        self.trouble = f"{self.path} was damaged and was moved aside"
        for end in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                os.replace(f"{self.path}{end}", f"{self.path}.damaged{end}")


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        # With write-ahead logging this survives the death of a process, and a power cut costs only the last verdicts.
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(_SCHEMA)
    except BaseException:
        db.close()
        raise
    return db


def close_caches() -> None:
    """Close the files that this process has open; a later use opens them again."""
    with _guard:
        for cache in _open.values():
            cache.close()
        _open.clear()


def shared_cache(path: Path) -> VerdictCache:
    """The cache of this process for a file; a forked child gets its own."""
    key = (os.getpid(), path.absolute())
    with _guard:
        found = _open.get(key)
        if found is None:
            found = _open[key] = VerdictCache(path.absolute())
        return found
