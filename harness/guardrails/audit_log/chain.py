"""How entries of the audit log are written and chained, byte for byte.

A line is canonical JSON (sorted keys, ASCII, no spaces) with ``prev``, the hash of the entry before, and ``hash``, over
the line without ``hash``. The head is a line of fixed length: number, hash, and a hash over both.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = "harness-audit-1"
GENESIS = "0" * 64
"""What the first entry names as the hash before it."""
MAX_LINE = 65_536
"""Longest line, in bytes; entries are far shorter."""


class Chain:
    """Hashes, with a key or without."""

    def __init__(self, key: bytes | None) -> None:
        self._key = key

    def digest(self, data: bytes) -> str:
        """HMAC-SHA-256 with the key, SHA-256 without; 64 hexadecimal digits."""
        made = hashlib.sha256(data) if self._key is None else hmac.new(self._key, data, hashlib.sha256)
        return made.hexdigest()

    def line(self, entry: Mapping[str, Any], before: str) -> tuple[bytes, str]:
        """The line of an entry that follows the hash ``before``, and its own hash."""
        linked = {**entry, "prev": before}
        made = self.digest(canonical(linked))
        return canonical({**linked, "hash": made}) + b"\n", made

    def head(self, number: int, last: str) -> bytes:
        """The head file's content."""
        body = f"{FORMAT} {number:020d} {last}"
        return f"{body} {self.digest(body.encode())}\n".encode()


@dataclass(frozen=True, kw_only=True)
class Tail:
    """The end of a log."""

    number: int
    hash: str
    before: str
    """The hash of the entry before it."""
    torn: bytes
    """What stands after the last newline: a line that was cut short."""


def canonical(entry: Mapping[str, Any]) -> bytes:
    """One text for one entry."""
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def head_path(path: Path) -> Path:
    """Where the head of a log lies."""
    return path.with_name(path.name + ".head")


def tail_of(log: int, size: int) -> Tail:
    """The last whole entry of an open log file, and what was cut short after it.

    Lines that are no entries (closed after they were cut short) are skipped; who verifies the log looks at them.
    """
    reach = MAX_LINE * 2
    while True:
        start = max(0, size - reach)
        data = os.pread(log, size - start, start)
        *lines, torn = data.split(b"\n")
        # An entry of which only the newline is missing is an entry.
        for line in (torn, *reversed(lines if start == 0 else lines[1:])):
            try:
                entry = json.loads(line)
                rest = b"" if line is torn else torn
                return Tail(number=int(entry["n"]), hash=str(entry["hash"]), before=str(entry["prev"]), torn=rest)
            except (ValueError, TypeError, KeyError):
                continue
        if start == 0:
            return Tail(number=0, hash=GENESIS, before=GENESIS, torn=torn)
        reach *= 4
