"""Whether an audit log is as it was written: every byte of every line, their order, and that none is missing."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from harness.core.errors import UsageError
from harness.guardrails.audit_log.chain import FORMAT, GENESIS, MAX_LINE, Chain, canonical, head_path

_MOST_PROBLEMS = 50


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What verifying a log found."""

    entries: int
    """Whole entries whose hash is right."""
    problems: tuple[str, ...]
    """Signs of tampering, with the line's number; empty: the log is as it was written."""
    notices: tuple[str, ...] = ()
    """What a crash explains: a last line cut short, a head one entry behind."""
    head: tuple[int, str] = (0, GENESIS)
    """Number and hash of the last entry."""

    @property
    def ok(self) -> bool:
        """Whether nothing was tampered with, as far as the files show (see the words in the log's module)."""
        return not self.problems


def verify(path: str | Path, *, key: bytes | None = None, expect: tuple[int, str] | None = None) -> Verification:
    """Verify a log and its head file.

    :param key: the key it was written with.
    :param expect: a head that was kept elsewhere: (number, hash). That entry must be in the log.
    :raises UsageError: when there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"there is no audit log {str(path)!r}")
    check = _Check(Chain(key), key is not None, expect)
    with path.open("rb") as file:
        for number, (line, whole) in enumerate(_lines(file), 1):
            check.line(number, line, whole)
            if len(check.problems) >= _MOST_PROBLEMS:
                check.problems.append("and more; the rest was not looked at")
                break
    check.end(head_path(path))
    return Verification(
        entries=check.entries,
        problems=tuple(check.problems),
        notices=tuple(check.notices),
        head=(check.number, check.last),
    )


class _Check:
    def __init__(self, chain: Chain, keyed: bool, expect: tuple[int, str] | None) -> None:
        self.chain, self.keyed, self.expect = chain, keyed, expect
        self.entries = self.number = 0
        self.last = GENESIS
        self.before = GENESIS
        self.problems: list[str] = []
        self.notices: list[str] = []
        self._torn: tuple[int, bytes] | None = None
        self._expected = False

    def line(self, at: int, line: bytes, whole: bool) -> None:
        """One line of the log, without its newline."""
        if not whole:
            self.notices.append(f"line {at}: the last line is cut short ({len(line)} bytes), as by a crash")
            return
        try:
            entry = json.loads(line)
            given = entry.pop("hash")
            number, before = int(entry["n"]), entry["prev"]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            if self._torn is not None:
                self._not_acknowledged()
            self._torn = (at, line)
            return
        if self._torn is not None:
            torn_at, bytes_ = self._torn
            said = entry.get("torn")
            if said != {"bytes": len(bytes_), "sha256": hashlib.sha256(bytes_).hexdigest()}:
                self._not_acknowledged()
            else:
                self.notices.append(f"line {torn_at}: was cut short by a crash, as the next entry says")
            self._torn = None
        elif "torn" in entry:
            self.problems.append(f"line {at}: says that the line before was cut short, and there is no such line")
        if at == 1 and entry.get("format") != FORMAT:
            self.problems.append(f"line 1: is no opening entry of {FORMAT}")
        if "keyed" in entry and entry["keyed"] is not self.keyed:
            wants = "with a key: give it" if entry["keyed"] else "without a key: leave it out"
            self.problems.append(f"line {at}: the log was written {wants}")
        if "head" in entry:
            self.problems.append(f"line {at}: when the log was opened here, its end was not the one its head named")
        if number != self.number + 1:
            self.problems.append(f"line {at}: entry {number} follows entry {self.number}")
        if before != self.last:
            self.problems.append(f"line {at}: entry {number} does not follow the entry before it")
        body = canonical(entry)
        if not (isinstance(given, str) and hmac.compare_digest(given.encode(), self.chain.digest(body).encode())):
            self.problems.append(f"line {at}: entry {number} was changed (or the key is another)")
        elif canonical({**entry, "hash": given}) != line:
            self.problems.append(f"line {at}: entry {number} is written otherwise than it was")
        else:
            self.entries += 1
        self.number, self.before, self.last = number, self.last, str(given)
        self._expected = self._expected or (number, given) == self.expect

    def _not_acknowledged(self) -> None:
        assert self._torn is not None
        self.problems.append(f"line {self._torn[0]}: is no entry")
        self._torn = None

    def end(self, head: Path) -> None:
        """The head, and what was expected."""
        if self._torn is not None:
            self._not_acknowledged()
        if self.expect is not None and not self._expected:
            self.problems.append(f"entry {self.expect[0]}, which was expected, is not there as it was")
        try:
            written = head.read_bytes()
        except OSError:
            self.problems.append(f"the head file {head.name} is missing")
            return
        if written == self.chain.head(self.number, self.last):
            return
        if self.number and written == self.chain.head(self.number - 1, self.before):
            self.notices.append("the head is one entry behind, as by a crash between the two writes")
            return
        self.problems.append(f"the head file {head.name} does not belong to the last entry, number {self.number}")


def _lines(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    while line := file.readline(MAX_LINE):
        if line.endswith(b"\n"):
            yield line[:-1], True
        elif len(line) == MAX_LINE:
            yield line, True  # no entry is so long; it is told as a line that is none
        else:
            yield line, False
