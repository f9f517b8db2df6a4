"""The runs of a project as a list: an index beside them (SQLite) that is never the truth.

Every row is made from a run's own files and carries their sizes and times; a run that changed is read again, one that
is gone is dropped, and an index that is damaged, foreign or cannot be written is made anew or done without.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.results.journal_file import journal_files
from harness.results.lines import decode
from harness.results.reader import JournalIndex
from harness.results.run_folder import list_run_folders, read_manifest
from harness.results.schema import HISTORY, VERSIONS

INDEX_NAME = ".history.sqlite3"


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """One run in a line."""

    run_id: str
    path: str
    """Name of the folder below the runs."""
    created_at: str = ""
    finished_at: str = ""
    """Empty: cut off, or still running."""
    agent: str = ""
    mode: str = ""
    commit: str = ""
    dirty: bool = False
    partial: bool = False
    verdict: str = ""
    """``pass``, ``fail`` or ``inconclusive`` of the run's scorecard.json; empty where nothing was judged."""
    planned: int = 0
    """Trials."""
    measured: int = 0
    """Trials that ended passed or failed."""
    passed: int = 0
    cost_usd: Decimal | None = None
    """Agent and judge over all trials; None when the cost of any is unknown."""
    exit_reason: str = ""
    problem: str = ""
    """Why the run could not be read whole; its figures are then those of what could."""

    @property
    def pass_rate(self) -> float | None:
        """Passed of measured; None when nothing was measured."""
        return self.passed / self.measured if self.measured else None


def list_runs(root: Path) -> list[RunSummary]:
    """Every run below ``root``, oldest first. A run that cannot be read is listed with its problem."""
    folders = list_run_folders(root)
    if not folders:
        return []
    with open_index(root / INDEX_NAME) as database:
        known = _read(database)
        out: list[RunSummary] = []
        for folder in folders:
            stamp = _stamp(folder)
            held, summary = known.get(folder.name, ("", None))
            if summary is None or held != stamp:
                summary = summarise(folder)
                _write(database, folder.name, stamp, summary)
            out.append(summary)
        _forget(database, set(known) - {folder.name for folder in folders})
    return out


def summarise(folder: Path) -> RunSummary:
    """One run's line, from its manifest, journals and scorecard.json."""
    summary = RunSummary(run_id=folder.name, path=folder.name)
    problems: list[str] = []
    try:
        manifest = read_manifest(folder)
    except HarnessError as error:
        manifest = None
        problems.append(str(error))
    if manifest is not None:
        same = {item.name for item in fields(RunSummary)} & {item.name for item in fields(manifest)} - {"planned"}
        values = {name: getattr(manifest, name) for name in same}
        summary = replace(summary, **values, planned=manifest.planned_trials)
    try:
        index = JournalIndex(folder, strict=False)
    except (HarnessError, OSError) as error:
        problems.append(str(error))
    else:
        problems += index.notices
        outcomes = [outcome for _, _, outcome in index.heads]
        passed = outcomes.count("passed")
        summary = replace(summary, passed=passed, measured=passed + outcomes.count("failed"), cost_usd=_cost(index))
    return replace(summary, verdict=_verdict(folder), problem="; ".join(problems)[:2000])


def _cost(index: JournalIndex) -> Decimal | None:
    total = Decimal(0)
    known = True
    for line in index.walk():
        data = line.data()
        # A trial that never ran cost nothing; of any other an absent cost is an unknown one.
        if data.get("cost_usd") is None and data.get("outcome") != "not_run":
            known = False
        for name in ("cost_usd", "judge_cost_usd"):
            try:
                total += Decimal(str(data.get(name) or 0))
            except InvalidOperation:
                known = False
    return total if known and index.keys else None


def _verdict(folder: Path) -> str:
    try:
        data = decode((folder / "scorecard.json").read_bytes())
    except (OSError, ValueError):
        return ""
    answer = data.get("answer") if isinstance(data, dict) else None
    return answer if answer in ("pass", "fail", "inconclusive") else ""


def _stamp(folder: Path) -> str:
    parts = []
    for path in (folder / "manifest.json", folder / "scorecard.json", *journal_files(folder)):
        with contextlib.suppress(OSError):
            status = path.stat()
            parts.append(f"{path.name}:{status.st_size}:{status.st_mtime_ns}")
    return " ".join(parts)


@contextlib.contextmanager
def open_index(path: Path) -> Iterator[sqlite3.Connection | None]:
    """The index, made anew when it is not a good one; None where there can be none."""
    database = _open(path)
    try:
        yield database
    finally:
        if database is not None:
            with contextlib.suppress(sqlite3.Error):
                database.commit()
            database.close()


def _open(path: Path) -> sqlite3.Connection | None:
    for attempt in (1, 2):
        database = None
        try:
            database = sqlite3.connect(path, timeout=5.0)
            # Made anew from the journals at any time, so it need not wait for the disk.
            database.execute("PRAGMA synchronous = OFF")
            version = database.execute("PRAGMA user_version").fetchone()[0]
            good = database.execute("PRAGMA quick_check").fetchone()[0] == "ok"
            if good and version == VERSIONS[HISTORY]:
                return database
            if good and version == 0 and not database.execute("SELECT 1 FROM sqlite_master").fetchone():
                database.execute("CREATE TABLE run (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, summary TEXT NOT NULL)")
                database.execute(f"PRAGMA user_version = {VERSIONS[HISTORY]}")
                return database
        except sqlite3.OperationalError:
            # Locked by a sister for long, or a folder that cannot be written: do without.
            if database is not None:
                database.close()
            return None
        except sqlite3.DatabaseError:
            pass
        if database is not None:
            database.close()
        if attempt == 1:
            with contextlib.suppress(OSError):
                path.unlink()
    return None


def _read(database: sqlite3.Connection | None) -> dict[str, tuple[str, RunSummary | None]]:
    if database is None:
        return {}
    out: dict[str, tuple[str, RunSummary | None]] = {}
    with contextlib.suppress(sqlite3.Error):
        for path, stamp, text in database.execute("SELECT path, stamp, summary FROM run"):
            out[str(path)] = (str(stamp), _summary(str(text)))
    return out


def _summary(text: str) -> RunSummary | None:
    try:
        data: dict[str, Any] = json.loads(text)
        cost = data.get("cost_usd")
        return RunSummary(**{**data, "cost_usd": None if cost is None else Decimal(cost)})
    except (ValueError, TypeError, InvalidOperation):
        return None


def _write(database: sqlite3.Connection | None, path: str, stamp: str, summary: RunSummary) -> None:
    if database is not None:
        with contextlib.suppress(sqlite3.Error):
            text = json.dumps(vars(summary), default=str)
            database.execute("INSERT OR REPLACE INTO run VALUES (?, ?, ?)", (path, stamp, text))


def _forget(database: sqlite3.Connection | None, paths: set[str]) -> None:
    if database is not None:
        with contextlib.suppress(sqlite3.Error):
            database.executemany("DELETE FROM run WHERE path = ?", [(path,) for path in paths])
