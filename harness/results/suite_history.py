"""The figures of every suite in every run, kept beside the history's index so that a trend reads each journal once.

Like the index they are never the truth: made from a run's own files, made again when those change, and done without
where nothing can be written. Which suite of one run goes on as which of the next is said by :func:`lineage`.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.core.comparison import suite_key
from harness.core.errors import HarnessError
from harness.core.record import Manifest
from harness.core.scorecard import Scorecard, SuiteLine
from harness.core.tally import tally
from harness.results.history import INDEX_NAME, open_index
from harness.results.journal_file import journal_files
from harness.results.reader import open_run
from harness.results.run_folder import list_run_folders, read_manifest

SHAPE = 1
"""Part of every stamp: figures of another shape are made again. 1: the first."""
SKETCH = 64
"""Cases remembered per suite: those with the smallest hashes, which estimate how alike two suites are."""
ALIKE = 0.5
"""Share of common cases from which on a suite with a new name may be an old one renamed."""


@dataclass(frozen=True, kw_only=True)
class SuiteFigures:
    """One suite and arm in one run."""

    key: str
    """Suite and arm, as a baseline names them."""
    area: str = ""
    dataset: str = ""
    observe: bool = False
    cases: int = 0
    passed: int = 0
    failed: int = 0
    errored: int = 0
    not_run: int = 0
    decided: int = 0
    """Trials left out because every rule was decided; such a run's rate is not comparable."""
    worth: float = 0.0
    """Independent trials that the measured ones are worth (:func:`harness.stats.rates.effective_size`)."""
    rate: float | None = None
    """Mean pass share over cases; None when nothing was measured."""
    cost_usd: float | None = None
    """Mean per trial; None when any trial's is unknown."""
    latency_s: float | None = None
    """Median over trials; None when none was timed."""
    sketch: tuple[int, ...] = ()
    """Smallest hashes of case ids with their content."""

    @property
    def measured(self) -> int:
        """Trials that ended passed or failed."""
        return self.passed + self.failed

    @property
    def planned(self) -> int:
        """The N of *n of N*."""
        return self.measured + self.errored + self.not_run


@dataclass(frozen=True, kw_only=True)
class RunFigures:
    """One run, suite by suite."""

    run_id: str
    created_at: str = ""
    agent: str = ""
    mode: str = ""
    commit: str = ""
    dirty: bool = False
    suites: tuple[SuiteFigures, ...] = ()

    def suite(self, key: str) -> SuiteFigures | None:
        """The figures of one suite, or None."""
        return next((item for item in self.suites if item.key == key), None)


def figures(manifest: Manifest, card: Scorecard) -> RunFigures:
    """The figures of a run that has been counted."""
    return RunFigures(
        run_id=manifest.run_id,
        created_at=manifest.created_at,
        agent=manifest.agent,
        mode=manifest.mode,
        commit=manifest.commit,
        dirty=manifest.dirty,
        suites=tuple(_suite(card, line) for line in card.suites),
    )


def comparable_runs(
    root: Path, newest: Manifest, *, before: str = "", most: int = 30, read_bytes: int | None = None
) -> list[RunFigures]:
    """The runs before ``newest`` that it can be set beside, oldest first, at most ``most``.

    Comparable: the same agent in the same mode, whole, finished, and not stopped early. One that cannot be read is left
    out.

    :param before: name of the newest run's folder; default: its id.
    :param read_bytes: size of journals that may be read for figures not yet kept, newest first; None: all. What does
        not fit is left out.
    """
    found: list[RunFigures] = []
    left = read_bytes
    folders = list_run_folders(root)
    with _table(root) as database:
        _forget(database, {folder.name for folder in folders})
        for folder in reversed(_before(folders, before or newest.run_id)):
            if len(found) == most:
                break
            with contextlib.suppress(HarnessError, OSError):
                manifest = read_manifest(folder)
                if manifest is None or not is_comparable(manifest, newest):
                    continue
                held = _held(database, folder.name, _stamp(folder))
                if held is None:
                    if left is not None:
                        left -= sum(path.stat().st_size for path in journal_files(folder))
                        if left < 0:
                            continue
                    run = open_run(folder, strict=False)
                    held = figures(manifest, tally(run.manifest, run.records))
                    _keep(database, folder, held)
                # The folder's name is what can be typed; a merged run's manifest may carry another.
                found.append(replace(held, run_id=folder.name))
    return found[::-1]


def keep_figures(root: Path, folder: Path, made: RunFigures) -> None:
    """Keep the figures of a run that has been counted anyway, so that nobody reads its journal for them again.

    Only for a run that has ended: its manifest and journals must not change any more.
    """
    if folder.parent.resolve() == root.resolve():
        with _table(root) as database:
            _keep(database, folder, made)


def is_comparable(old: Manifest, new: Manifest) -> bool:
    """Whether a stored run belongs into the history of another: see :func:`comparable_runs`."""
    return (old.agent, old.mode) == (new.agent, new.mode) and is_whole_run(old)


def is_whole_run(manifest: Manifest) -> bool:
    """Whether a run can be part of a history at all: finished, nothing left out."""
    return bool(manifest.finished_at) and not (manifest.exit_reason or manifest.partial or manifest.until_decided)


def lineage(runs: Sequence[RunFigures]) -> dict[str, list[SuiteFigures | None]]:
    """Per suite of the newest run its figures in every run, oldest first; None where it was not there.

    A suite that an older run lacks is looked for under another name: one that the newer run lacks, with the same
    arm, at least half of the cases in common (Jaccard, estimated from 64 of them; Broder 1997), and the test function's
    or the file's name kept where several fit. Two that fit equally well are no match.
    """
    chains: dict[str, list[SuiteFigures | None]] = {}
    if not runs:
        return chains
    names = {suite.key: suite for suite in runs[-1].suites}
    chains = {key: [suite] for key, suite in names.items()}
    for run in reversed(runs[:-1]):
        taken = {suite.key for suite in names.values()}
        free = [suite for suite in run.suites if suite.key not in taken]
        matches = {}
        for key, suite in names.items():
            found = run.suite(suite.key) or _renamed(suite, free)
            chains[key].append(found)
            if found is not None:
                matches[key] = found
                free = [other for other in free if other is not found]
        names |= matches
    return {key: chain[::-1] for key, chain in chains.items()}


def likeness(one: SuiteFigures, other: SuiteFigures) -> float:
    """Estimated share of common cases, with the same content, among all of both, in [0, 1]."""
    union = heapq.nsmallest(SKETCH, {*one.sketch, *other.sketch})
    both = {*one.sketch} & {*other.sketch}
    return sum(1 for item in union if item in both) / len(union) if union else 0.0


def _renamed(suite: SuiteFigures, free: Iterable[SuiteFigures]) -> SuiteFigures | None:
    place, _, test = suite.key.rpartition("::")
    ranked = []
    for other in free:
        share = likeness(suite, other)
        if share >= ALIKE and _arm(suite) == _arm(other):
            there, _, function = other.key.rpartition("::")
            ranked.append(((function == test) + (there == place) + share, other))
    ranked.sort(key=lambda item: item[0], reverse=True)
    if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return None
    return ranked[0][1]


def _arm(suite: SuiteFigures) -> str:
    return suite.key.partition("[")[2]


def _suite(card: Scorecard, line: SuiteLine) -> SuiteFigures:
    from harness.stats.rates import effective_size

    cases = card.cases[line.start : line.stop]
    judged = [case for case in cases if case.measured]
    rate, worth = None, 0.0
    if judged:
        groups: dict[str, int] = {}
        labels = [groups.setdefault(case.cluster or case.case_id, len(groups)) for case in judged]
        shares = [case.passed / case.measured for case in judged]
        grouped = None if len(groups) == len(labels) else labels
        size = effective_size(shares, grouped, trials=line.measured)
        rate, worth = size.mean, size.n
    timed = card.samples.get((line.suite, line.arm, "latency_s"))
    priced = card.samples.get((line.suite, line.arm, "cost_usd"))
    ran = line.measured + line.errored
    return SuiteFigures(
        key=suite_key(line.suite, line.arm),
        area=line.area,
        dataset=line.dataset,
        observe=line.observe,
        cases=len(cases) + line.missing_cases,
        passed=line.passed,
        failed=line.failed,
        errored=line.errored,
        not_run=line.not_run,
        decided=line.decided,
        worth=worth,
        rate=rate,
        cost_usd=math.fsum(priced.values) / ran if priced is not None and len(priced.values) == ran > 0 else None,
        latency_s=_median(timed.values) if timed is not None and len(timed.values) else None,
        sketch=tuple(heapq.nsmallest(SKETCH, (_hash(case.case_id, case.case_hash) for case in cases))),
    )


def _median(values: Sequence[float]) -> float:
    from statistics import median

    return float(median(values))


def _hash(*parts: str) -> int:
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    # SQLite and JSON readers keep integers of 53 bits exactly.
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 11


def _before(folders: list[Path], run_id: str) -> list[Path]:
    names = [folder.name for folder in folders]
    return folders[: names.index(run_id)] if run_id in names else folders


def _keep(database: sqlite3.Connection | None, folder: Path, made: RunFigures) -> None:
    if database is not None:
        with contextlib.suppress(sqlite3.Error):
            text = json.dumps({**vars(made), "suites": [vars(suite) for suite in made.suites]})
            row = (folder.name, _stamp(folder), text)
            database.execute("INSERT OR REPLACE INTO suites VALUES (?, ?, ?)", row)


def _held(database: sqlite3.Connection | None, name: str, stamp: str) -> RunFigures | None:
    if database is None:
        return None
    with contextlib.suppress(sqlite3.Error, ValueError, TypeError, KeyError):
        row = database.execute("SELECT text FROM suites WHERE path = ? AND stamp = ?", (name, stamp)).fetchone()
        if row is not None:
            data: dict[str, Any] = json.loads(row[0])
            suites = [SuiteFigures(**{**suite, "sketch": tuple(suite["sketch"])}) for suite in data["suites"]]
            return RunFigures(**{**data, "suites": tuple(suites)})
    return None


def _forget(database: sqlite3.Connection | None, known: set[str]) -> None:
    if database is not None:
        with contextlib.suppress(sqlite3.Error):
            gone = [row for row in database.execute("SELECT path FROM suites") if row[0] not in known]
            database.executemany("DELETE FROM suites WHERE path = ?", gone)


def _stamp(folder: Path) -> str:
    """Of what the figures are made from; not of the reports, which may be written again at any time."""
    parts = [str(SHAPE)]
    for path in (folder / "manifest.json", *journal_files(folder)):
        with contextlib.suppress(OSError):
            status = path.stat()
            parts.append(f"{path.name}:{status.st_size}:{status.st_mtime_ns}")
    return " ".join(parts)


@contextlib.contextmanager
def _table(root: Path) -> Iterator[sqlite3.Connection | None]:
    with open_index(root / INDEX_NAME) if root.is_dir() else contextlib.nullcontext() as database:
        made = database
        if database is not None:
            try:
                database.execute(
                    "CREATE TABLE IF NOT EXISTS suites (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, text TEXT NOT NULL)"
                )
            except sqlite3.Error:
                made = None
        yield made
