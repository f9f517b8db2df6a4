"""Cassettes: model and HTTP replies kept in one file per case, recorded once and replayed for ever.

A call is found by three things: the hash of its canonical request (secrets taken out), the trial's index, and how often
the trial has made the very same request before. A replayed trial gets exactly the replies of its recording, or the
error that shows what is nearest; never a reply of another trial.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from weakref import WeakValueDictionary

from harness.core.case import content_hash
from harness.core.errors import RecordingMissing, UsageError
from harness.core.exchange import Exchange, Reply
from harness.runs.nearest import missing
from harness.runs.recording_format import (
    Entry,
    canonical_request,
    read_entries,
    reply_from_json,
    reply_to_json,
    write_recording,
)
from harness.runs.redaction import redact_text


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A call's place on the tape, taken when it starts, so that calls side by side keep their order."""

    key: str
    call: int
    occurrence: int
    request: Mapping[str, Any]


class Tape:
    """The calls of one trial."""

    def __init__(self, cassette: Cassette, trial: int) -> None:
        self.trial = trial
        self._cassette = cassette
        self._seen: Counter[str] = Counter()
        self._calls = 0
        self._recorded: list[Entry] = []
        self._lock = threading.Lock()

    def ticket(self, exchange: Exchange) -> Ticket:
        """Take the place of a call that starts now."""
        request = canonical_request(exchange)
        key = content_hash(request)
        with self._lock:
            ticket = Ticket(key=key, call=self._calls, occurrence=self._seen[key], request=request)
            self._calls += 1
            self._seen[key] += 1
        return ticket

    def play(self, ticket: Ticket) -> Reply:
        """The recorded reply.

        :raises RecordingMissing: showing the nearest recording.
        :raises FormatError: when the file cannot be read.
        """
        entries = self._cassette.entries()
        entry = entries.get((ticket.key, self.trial, ticket.occurrence))
        if entry is not None:
            return reply_from_json(entry.reply)
        own_first = sorted(entries.values(), key=lambda e: (e.trial != self.trial, e.trial, e.call))
        others = sorted({e.trial for e in entries.values() if e.key == ticket.key})
        raise RecordingMissing(
            missing(
                ticket.request,
                [e.request for e in own_first],
                path=self._cassette.path,
                trial=self.trial,
                others=others,
            )
        )

    def record(self, ticket: Ticket, reply: Reply) -> None:
        """Keep a reply; it reaches the file when the trial ends."""
        entry = Entry(
            key=ticket.key,
            trial=self.trial,
            call=ticket.call,
            occurrence=ticket.occurrence,
            request=ticket.request,
            reply=reply_to_json(reply),
        )
        with self._lock:
            self._recorded.append(entry)

    def end(self, *, keep: bool = True) -> None:
        """The trial ended: its calls replace those that the file has of this trial.

        :param keep: False throws them away and leaves the file as it was: for a trial that broke off.
        :raises HarnessError: when the file cannot be written.
        """
        with self._lock:
            recorded, self._recorded = self._recorded, []
        if keep and recorded:
            self._cassette.replace_trial(self.trial, recorded)


class Cassette:
    """The file of one case. Trials of the case that run side by side share it."""

    def __init__(self, path: Path, *, case_id: str = "") -> None:
        self.path = path
        self.case_id = case_id
        self._lock = threading.Lock()
        self._entries: dict[tuple[str, int, int], Entry] | None = None

    def tape(self, trial: int) -> Tape:
        """A new tape for one trial."""
        return Tape(self, trial)

    def entries(self) -> Mapping[tuple[str, int, int], Entry]:
        """All recorded calls by (key, trial, occurrence); read once. None when there is no file."""
        with self._lock:
            if self._entries is None:
                self._entries = read_entries(self.path)
            return self._entries

    def replace_trial(self, trial: int, recorded: list[Entry]) -> None:
        """Write the calls of one trial in place of what the file has of it."""
        with self._lock:
            # Read again: another run in this folder may have written other trials since.
            entries = {key: entry for key, entry in read_entries(self.path).items() if entry.trial != trial}
            entries.update({(entry.key, entry.trial, entry.occurrence): entry for entry in recorded})
            ordered = sorted(entries.values(), key=lambda entry: (entry.trial, entry.call))
            content = {"case": redact_text(self.case_id), "calls": [vars(entry) for entry in ordered]}
            write_recording(self.path, content)
            self._entries = entries


class Cassettes:
    """The recordings of a project.

    :param mode: ``record`` or ``replay``.
    :param root: the folder that suites' node ids are relative to.
    """

    def __init__(self, mode: Literal["record", "replay"], *, root: Path) -> None:
        if mode not in ("record", "replay"):
            raise UsageError(f"recordings are for the modes 'record' and 'replay', got {mode!r}")
        self.mode = mode
        self.root = root
        self._open: WeakValueDictionary[Path, Cassette] = WeakValueDictionary()
        self._lock = threading.Lock()

    def for_case(self, path: Path, *, case_id: str = "") -> Cassette:
        """The cassette at ``path``; the same one for all who hold it at the same time."""
        with self._lock:
            found = self._open.get(path)
            if found is None:
                found = self._open[path] = Cassette(path, case_id=case_id)
            return found

    def path_of(self, suite: str, case_id: str) -> Path:
        """Where the calls of a case are kept: ``<suite folder>/recordings/<module>/<test function>/<case>.json``.

        The module is part of it because two modules of one folder may have a test of the same name.

        :param suite: node id of the test function, ``suites/desk/test_refunds.py::test_refunds``.
        """
        file, _, function = suite.partition("::")
        module = PurePosixPath(file)
        folder = self.root / module.parent / "recordings" / slug(module.stem or "suite")
        return folder / slug(function.replace("::", ".") or "test") / f"{slug(case_id)}.json"


def slug(name: str) -> str:
    """A file name for any text: readable, short, and different for different texts on every file system."""
    plain = re.sub(r"[^a-z0-9._-]+", "-", name.lower())[:80].strip(".-")
    return plain if plain and plain == name else f"{plain}-{content_hash(name)[:8]}".lstrip("-")
