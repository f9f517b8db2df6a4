"""Escalations: what waits for a person, and what the person decided; in memory or in a folder.

A folder has one JSON file per session, named by a hash of its id, readable by its owner only: it holds what the user
said. The breaker writes it when a session opens; a person's ``resume`` or ``end``, given in any process, is read when
the session's next event arrives.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from harness.core.clock import SYSTEM, iso_utc
from harness.core.errors import FormatError, UsageError

_FORMAT = "harness-escalation-1"
Decided = Literal["", "resume", "end"]


@dataclass(frozen=True, kw_only=True)
class Escalation:
    """A session that waits for a person, or about which one has decided."""

    session: str
    cause: str
    """``failures``, ``confidence`` or ``spend``."""
    opened_at: str
    """ISO 8601, UTC."""
    failures: int = 0
    request: tuple[str, ...] = ()
    """What the user asked."""
    state: Any = None
    """What the application gave to go on from, JSON."""
    decided: Decided = ""
    decided_by: str = ""
    decided_at: str = ""
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain mapping."""
        return {"format": _FORMAT, **vars(self), "request": list(self.request)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Escalation:
        """The inverse of :meth:`to_json`."""
        if data.get("format") != _FORMAT:
            raise FormatError(f"this is no escalation: format {data.get('format')!r}, expected {_FORMAT!r}")
        values = {item.name: data[item.name] for item in fields(cls) if item.name in data}
        return cls(**{**values, "request": tuple(values.get("request", ()))})


class EscalationStore(Protocol):
    """Where escalations are kept, one per session."""

    def save(self, kept: Escalation) -> None:
        """Keep it, in place of an older one of its session."""
        ...

    def load(self, session: str) -> Escalation | None:
        """The session's escalation."""
        ...

    def decision(self, session: str) -> Decided | None:
        """What a person decided ("": nothing yet), None when nothing is kept; asked at every event, so it is cheap."""
        ...

    def forget(self, session: str) -> None:
        """The session works again."""
        ...


class EscalationMemory:
    """Escalations of this process."""

    def __init__(self) -> None:
        self._kept: dict[str, Escalation] = {}

    def save(self, kept: Escalation) -> None:
        """See :class:`EscalationStore`."""
        self._kept[kept.session] = kept

    def load(self, session: str) -> Escalation | None:
        """See :class:`EscalationStore`."""
        return self._kept.get(session)

    def decision(self, session: str) -> Decided | None:
        """See :class:`EscalationStore`."""
        kept = self._kept.get(session)
        return None if kept is None else kept.decided

    def forget(self, session: str) -> None:
        """See :class:`EscalationStore`."""
        self._kept.pop(session, None)

    def __iter__(self) -> Iterator[Escalation]:
        return iter(sorted(self._kept.values(), key=lambda one: (one.opened_at, one.session)))

    def decide(self, session: str, decided: Decided, *, by: str, note: str = "") -> Escalation:
        """A person's decision."""
        kept = self._kept.get(session)
        self._kept[session] = made = _decided(kept, session, decided, by, note, [one.session for one in self])
        return made


class EscalationFolder:
    """Escalations as files, for several processes. Writes are atomic, and one at a time."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._read: dict[str, tuple[int, Decided]] = {}

    def __repr__(self) -> str:
        return f"EscalationFolder({str(self.folder)!r})"

    def save(self, kept: Escalation) -> None:
        """See :class:`EscalationStore`."""
        with self._locked():
            self._write(kept)

    def load(self, session: str) -> Escalation | None:
        """See :class:`EscalationStore`. Raises FormatError for a damaged file."""
        return self._parsed(self._path(session))

    def decision(self, session: str) -> Decided | None:
        """See :class:`EscalationStore`. Reads the file only when it has changed."""
        path = self._path(session)
        try:
            changed = path.stat().st_mtime_ns
        except FileNotFoundError:
            self._read.pop(session, None)
            return None
        known = self._read.get(session)
        if known is None or known[0] != changed:
            kept = self._parsed(path)
            if kept is None:
                return None
            known = self._read[session] = (changed, kept.decided)
        return known[1]

    def forget(self, session: str) -> None:
        """See :class:`EscalationStore`."""
        with self._locked():
            self._path(session).unlink(missing_ok=True)
        self._read.pop(session, None)

    def __iter__(self) -> Iterator[Escalation]:
        found = [self._parsed(path) for path in self.folder.glob("*.json")] if self.folder.is_dir() else []
        return iter(sorted((one for one in found if one is not None), key=lambda one: (one.opened_at, one.session)))

    def decide(self, session: str, decided: Decided, *, by: str, note: str = "") -> Escalation:
        """A person's decision."""
        if not self.folder.is_dir():
            raise UsageError(
                f"there is no folder {str(self.folder)!r}; give the one that the breaker's store was given"
            )
        with self._locked():
            known = [one.session for one in self]
            made = _decided(self.load(session), session, decided, by, note, known)
            self._write(made)
            return made

    def _path(self, session: str) -> Path:
        digest = hashlib.sha256(session.encode("utf-8", "surrogatepass")).hexdigest()
        return self.folder / f"{digest[:32]}.json"

    def _parsed(self, path: Path) -> Escalation | None:
        try:
            return Escalation.from_json(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, AttributeError) as error:
            raise FormatError(f"{path} is damaged: {error}; move it away to go on without it") from error

    def _write(self, kept: Escalation) -> None:
        path = self._path(kept.session)
        made = path.with_suffix(f".{os.getpid()}.tmp")
        text = json.dumps(kept.to_json(), ensure_ascii=True, default=str)
        with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(self.folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def escalations(folder: str | Path, *, waiting: bool = True) -> list[Escalation]:
    """What is kept in a folder, oldest first.

    :param waiting: only those that nobody has decided about.
    """
    return [one for one in EscalationFolder(folder) if not (waiting and one.decided)]


def resume(folder: str | Path, session: str, *, by: str, note: str = "") -> Escalation:
    """Let a session go on: its next event is the probe. Raises UsageError for a session that is not there."""
    return EscalationFolder(folder).decide(session, "resume", by=by, note=note)


def end(folder: str | Path, session: str, *, by: str, note: str = "") -> Escalation:
    """End a session for good. Raises UsageError for a session that is not there."""
    return EscalationFolder(folder).decide(session, "end", by=by, note=note)


def _decided(
    kept: Escalation | None, session: str, decided: Decided, by: str, note: str, known: list[str]
) -> Escalation:
    if kept is None:
        waiting = ", ".join(repr(one[:80]) for one in known[:20]) or "none"
        raise UsageError(f"session {session[:80]!r} does not wait for a person; sessions that do: {waiting}")
    if not by:
        raise UsageError("say who decides: by='name'")
    if kept.decided == "end":
        raise UsageError(f"session {session[:80]!r} was ended by {kept.decided_by} at {kept.decided_at}; that is final")
    now = iso_utc(SYSTEM.wall())
    return replace(kept, decided=decided, decided_by=by[:200], decided_at=now, note=note[:2000])
