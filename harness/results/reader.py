"""A stored run, read back: records that stay on disk and are walked as often as wanted.

Opening a run indexes its journals once (where each line stands and which trial it is); the lines themselves are read
again whenever the records are walked, so a run of any size costs a few dozen bytes per trial.

Which line counts, when a trial was run twice (resumed after an error, or with another configuration): the one of the
latest *opening* of a journal, then the later one in the file. No clock decides, so a clock that jumps changes nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from harness.core.errors import FormatError
from harness.core.record import Manifest, Outcome, Record, Run
from harness.results.journal_file import HEADER_START, is_whole, journal_files
from harness.results.lines import decode
from harness.results.migrations import check_version, migrate
from harness.results.run_folder import read_manifest
from harness.results.schema import JOURNAL, VERSIONS

Key = tuple[str, str, str, int]


class Finished(NamedTuple):
    """What a resumed run must know about a trial that is already measured."""

    config_hash: str
    case_hash: str
    outcome: Outcome


def open_run(path: Path, *, strict: bool = True) -> Run:
    """The run in a folder, its records read from disk as they are walked.

    A torn last line (a killed writer) is dropped with a notice, always.

    :param strict: raise for a damaged line; otherwise leave it out and say so in the notices.
    :raises FormatError: the folder holds no run, a line is damaged, or a file was written by a newer harness.
    """
    path = Path(path)
    index = JournalIndex(path, strict=strict)
    notices = list(index.notices)
    manifest = read_manifest(path)
    if manifest is None:
        if not index.files:
            raise FormatError(f"{path}: no run here (no manifest.json, no trials-*.jsonl). See: harness history")
        notices.append("manifest.json is missing: the run was cut off before it began, so what was planned is unknown")
        manifest = Manifest(run_id=path.name, created_at="")
    elif not manifest.finished_at:
        notices.append("the run was cut off: its manifest has no end")
    return Run(manifest=manifest, records=StoredRecords(index), notices=tuple(notices))


def finished_keys(path: Path) -> dict[Key, Finished]:
    """The trials a resumed run need not repeat: those measured (passed or failed), by ``Record.key``.

    Errored and not-run trials are left out, so they run again. The caller compares the hashes: a trial whose case or
    configuration has changed is run again too. An empty or missing folder has finished nothing.

    :raises FormatError: a line is damaged, or a file was written by a newer harness.
    """
    index = JournalIndex(Path(path), strict=True)
    return {
        key: Finished(config, case, outcome)
        for key, (config, case, outcome) in zip(index.keys, index.heads, strict=True)
        if outcome in ("passed", "failed")
    }


class Line(NamedTuple):
    """One counting line of a journal, as it stands in the file."""

    key: Key
    path: Path
    offset: int
    version: int
    raw: bytes

    def data(self) -> dict[str, Any]:
        """The record as the current version writes it."""
        data: dict[str, Any] = decode(self.raw)
        return data if self.version == VERSIONS[JOURNAL] else migrate(JOURNAL, self.version, data)


class JournalIndex:
    """Where every counting line of a run's journals stands."""

    def __init__(self, directory: Path, *, strict: bool) -> None:
        self.files = journal_files(directory)
        self.notices: list[str] = []
        self.keys: list[Key] = []
        self.heads: list[tuple[str, str, Outcome]] = []
        self._strict = strict
        self._damaged = 0
        self._intern: dict[Any, Any] = {}
        placed: dict[Key, tuple[int, int, int, int, int]] = {}
        heads: dict[Key, tuple[str, str, Outcome]] = {}
        for number, file in enumerate(self.files):
            self._scan(number, file, placed, heads)
        if self._damaged:
            self.notices.append(f"{self._damaged} damaged line(s) left out; their trials count as missing")
        self.file_of, self.offset, self.length, self.version = array("l"), array("q"), array("q"), array("l")
        for key, (_, number, offset, length, version) in sorted(placed.items(), key=lambda item: item[1][1:3]):
            self.keys.append(key)
            self.heads.append(heads[key])
            self.file_of.append(number)
            self.offset.append(offset)
            self.length.append(length)
            self.version.append(version)

    def _scan(
        self,
        number: int,
        path: Path,
        placed: dict[Key, tuple[int, int, int, int, int]],
        heads: dict[Key, tuple[str, str, Outcome]],
    ) -> None:
        offset = line_number = opening = 0
        version: int | None = None
        share = self._intern
        with path.open("rb") as file:
            for line in file:
                line_number += 1
                start, offset = offset, offset + len(line)
                if not line.endswith(b"\n") and not is_whole(line):
                    self.notices.append(f"{path.name}: dropped a torn last line ({len(line):,} bytes)")
                    break
                try:
                    data = decode(line)
                    if line.startswith(HEADER_START) or (isinstance(data, dict) and "format" in data):
                        if data["format"] != JOURNAL:
                            raise FormatError(f"{path}:{line_number}: a {data['format']!r} line in a journal")
                        version = check_version(JOURNAL, data.get("version"), f"{path}:{line_number}")
                        opening = int(data.get("opening", 0))
                        self.notices.extend(str(notice) for notice in data.get("notices", ()))
                        continue
                    if version is None:
                        raise FormatError(f"{path}:{line_number}: no header before the first record; not a journal")
                    if version != VERSIONS[JOURNAL]:
                        data = migrate(JOURNAL, version, data)
                    key, head = _identity(data)
                    if not self._strict:
                        Record.from_json(data)
                except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
                    if self._strict:
                        raise FormatError(
                            f"{path}:{line_number}: damaged line ({_why(error)}). Read the rest with strict=False "
                            "(its trial then counts as missing), or delete the line and resume the run."
                        ) from error
                    self._damaged += 1
                    continue
                key = share.setdefault(key, key)
                place = (opening, number, start, len(line), version)
                if key not in placed or placed[key] <= place:
                    placed[key] = place
                    heads[key] = share.setdefault(head, head)

    def walk(self) -> Iterator[Line]:
        """Every counting line, read from disk, in the order of the files."""
        row = 0
        while row < len(self.keys):
            number = self.file_of[row]
            path = self.files[number]
            with path.open("rb") as file:
                while row < len(self.keys) and self.file_of[row] == number:
                    file.seek(self.offset[row])
                    raw = file.read(self.length[row])
                    yield Line(self.keys[row], path, self.offset[row], self.version[row], raw)
                    row += 1


KEPT_BYTES = 4_000_000
"""A run whose records take no more than this is read from disk once; a larger one every time, and never held whole."""


class StoredRecords(Collection[Record]):
    """The counting records of a run, in the order of the files. Sized, walkable many times, in memory only if small."""

    def __init__(self, index: JournalIndex) -> None:
        self._index = index
        self._keys: frozenset[Key] | None = None
        self._kept: list[Record] | None = None

    def __len__(self) -> int:
        return len(self._index.keys)

    def __contains__(self, item: object) -> bool:
        if not isinstance(item, Record):
            return False
        if self._keys is None:
            self._keys = frozenset(self._index.keys)
        return item.key in self._keys and any(record == item for record in self)

    def __iter__(self) -> Iterator[Record]:
        if self._kept is not None:
            yield from self._kept
            return
        read: list[Record] | None = [] if sum(self._index.length) <= KEPT_BYTES else None
        for record in self._read():
            if read is not None:
                read.append(record)
            yield record
        self._kept = read

    def _read(self) -> Iterator[Record]:
        for line in self._index.walk():
            try:
                yield Record.from_json(line.data())
            except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
                raise FormatError(
                    f"{line.path}: damaged record at byte {line.offset:,} ({_why(error)}). Read the rest "
                    "with strict=False."
                ) from error


def _identity(data: Any) -> tuple[Key, tuple[str, str, Outcome]]:
    if not isinstance(data, dict):
        raise TypeError("not an object")
    suite, arm, case, trial = data["suite"], data.get("arm", ""), data["case_id"], data["trial"]
    outcome = data["outcome"]
    if not (isinstance(suite, str) and isinstance(arm, str) and isinstance(case, str) and isinstance(trial, int)):
        raise TypeError(f"suite, arm and case_id must be texts and trial a number, got {(suite, arm, case, trial)!r}")
    if outcome not in ("passed", "failed", "errored", "not_run"):
        raise ValueError(f"unknown outcome {outcome!r}")
    return (suite, arm, case, trial), (str(data.get("config_hash", "")), str(data["case_hash"]), outcome)


def _why(error: Exception) -> str:
    text = f"no field {error}" if isinstance(error, KeyError) else str(error)
    return text[:300] or type(error).__name__
