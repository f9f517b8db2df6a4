"""AuditLog: one line per decision of every guard, appended and chained by hashes, without personal data.

What an entry holds: its number and time, the kind of event, action, guard and version, categories, fault, how long it
took, and pseudonyms of user, tenant and session. What it never holds: texts, arguments, results, spans, reasons.

The chain: every entry carries the hash of the one before, and its own over all of it. Next to the log lies a *head*
file with the number and hash of the last entry, so that cutting lines off the end is noticed too.

- Without a key the hashes are SHA-256: they find accidents, and tampering by somebody who does not rebuild the whole
  chain and the head. With a key they are HMAC-SHA-256: nobody without the key can make a log that verifies. Somebody
  who can put back *old copies* of both files is found only by a head kept elsewhere (``verify(..., expect=...)``).
- An entry is written by one system call before the decision takes effect, so it survives ``kill -9``; ``sync=True``
  waits for the disk too. A line that was cut short stays where it is, and the next entry says so.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import re
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.core.clock import SYSTEM, Clock, iso_utc
from harness.core.decision import Decision, Event
from harness.core.errors import UsageError
from harness.guardrails.audit_log.chain import FORMAT, GENESIS, Chain, head_path, tail_of
from harness.guardrails.audit_log.verification import Verification, verify

__all__ = ["AuditLog", "Verification", "verify"]

_PLAIN = re.compile(r"[A-Za-z0-9 _:.,/()-]{0,120}")
_DIGITS = re.compile(r"\d{4,}")


class AuditLog:
    """An append-only log for a :class:`harness.guardrails.Pipeline`. Thread-safe; several processes may share one.

    :param path: the log, JSON lines; made when it is not there, readable by its owner only.
    :param key: secret of at least 16 bytes; see the words at the top of this file. All writers must have the same.
    :param sync: wait for the disk after every entry.
    :raises UsageError: for a key that is too short.
    """

    def __init__(
        self, path: str | Path, *, key: bytes | None = None, sync: bool = False, clock: Clock = SYSTEM
    ) -> None:
        if key is not None and len(key) < 16:
            raise UsageError(
                f"an audit key must have at least 16 bytes, got {len(key)}; make one: secrets.token_bytes(32)"
            )
        self.path = Path(path)
        self._chain = Chain(key)
        self._salt = key if key is not None else os.urandom(32)
        self._sync = sync
        self._clock = clock
        self._lock = threading.Lock()
        self._size = -1
        self._number, self._last = 0, GENESIS
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._log = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._head = os.open(head_path(self.path), os.O_RDWR | os.O_CREAT, 0o600)
        self._append({"format": FORMAT, "keyed": key is not None})

    def __repr__(self) -> str:
        return f"AuditLog({str(self.path)!r})"

    def __enter__(self) -> AuditLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def keep(self, event: Event, decision: Decision, *, version: str = "", latency_s: float = 0.0) -> None:
        """Append one decision. Raises OSError when it cannot be written: then it must not take effect."""
        entry: dict[str, Any] = {"kind": event.kind, "action": decision.action, "guard": _plain(decision.guard)}
        if version:
            entry["version"] = _plain(version)
        if tool := event.data.get("tool"):
            entry["tool"] = _plain(str(tool)[:200]) or self._pseudonym("tool", str(tool))
        if decision.findings:
            entry["findings"] = len(decision.findings)
            entry["categories"] = sorted({_plain(finding.category) for finding in decision.findings})[:20]
        if decision.fault:
            entry["fault"] = _plain(decision.fault[:120]) or "fault"
        if event.data.get("late") is True:
            entry["late"] = True
        entry["took_us"] = max(0, round(latency_s * 1e6))
        for name in ("user", "tenant", "session"):
            given = event.data.get(name)
            if given is not None and given != "":
                entry[name] = self._pseudonym(name, given if isinstance(given, str) else repr(given)[:1000])
        self._append(entry)

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the last entry: keep it elsewhere, for ``verify(..., expect=...)``."""
        with self._lock:
            return self._number, self._last

    def close(self) -> None:
        """Give the files back."""
        with self._lock:
            if self._log >= 0:
                os.close(self._log)
                os.close(self._head)
                self._log = self._head = -1

    def _append(self, entry: dict[str, Any]) -> None:
        with self._lock:
            if self._log < 0:
                raise ValueError(f"{self.path} is closed")
            fcntl.flock(self._log, fcntl.LOCK_EX)
            try:
                self._catch_up()
                self._write({"at": self._now(), **entry})
            finally:
                fcntl.flock(self._log, fcntl.LOCK_UN)

    def _catch_up(self) -> None:
        """Read what others appended since, and close a line that was cut short."""
        size = os.fstat(self._log).st_size
        if size == self._size:
            return
        tail = tail_of(self._log, size)
        head = os.pread(self._head, 4096, 0)
        known = (self._chain.head(tail.number, tail.hash), self._chain.head(tail.number - 1, tail.before))
        self._number, self._last, self._size = tail.number, tail.hash, size
        if size and os.pread(self._log, 1, size - 1) != b"\n":
            self._put(b"\n")
        if tail.torn:
            torn = {"bytes": len(tail.torn), "sha256": hashlib.sha256(tail.torn).hexdigest()}
            self._write({"at": self._now(), "torn": torn})
        if head not in known and (head or size):
            # The log's end is not what was written last. Going on in silence would hide it under a new head.
            self._write({"at": self._now(), "head": head[:200].decode("ascii", "replace")})

    def _write(self, entry: dict[str, Any]) -> None:
        number = self._number + 1
        line, made = self._chain.line({"n": number, **entry}, self._last)
        self._put(line)
        self._number, self._last = number, made
        self._write_head()

    def _put(self, data: bytes) -> None:
        size = self._size
        self._size = -1  # until all of it is written, the next entry must look at the file again
        written = os.write(self._log, data)
        if written != len(data):
            raise OSError(f"only {written} of {len(data)} bytes could be written to {self.path}")
        if self._sync:
            os.fsync(self._log)
        self._size = size + written

    def _write_head(self) -> None:
        os.pwrite(self._head, self._chain.head(self._number, self._last), 0)
        if self._sync:
            os.fsync(self._head)

    def _now(self) -> str:
        wall = self._clock.wall()
        return f"{iso_utc(wall)[:-1]}.{int(wall * 1000) % 1000:03d}Z"

    def _pseudonym(self, what: str, value: str) -> str:
        text = f"{what}\x00{value}".encode("utf-8", "surrogatepass")
        return hmac.new(self._salt, text, hashlib.sha256).hexdigest()[:16]


def _plain(text: str) -> str:
    """The text where it is a plain word that can be no address and no number of a person's, else nothing."""
    return text if _PLAIN.fullmatch(text) and not _DIGITS.search(text) else ""
