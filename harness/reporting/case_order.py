"""Cases in the order a person needs them, the words and signs for their status, and the address of each in the page."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TypeAlias

from harness.core.blocks import Tone
from harness.core.record import Record
from harness.core.scorecard import CaseLine, CaseStatus

CaseKey: TypeAlias = tuple[str, str, str]
"""Suite, arm and case id."""

STATUSES: tuple[CaseStatus, ...] = ("failed", "errored", "unreliable", "not_run", "decided", "passed")
"""Worst first: the order of every list of cases."""
WORDS: dict[CaseStatus, str] = {
    "failed": "failed",
    "errored": "errored",
    "unreliable": "unreliable",
    "not_run": "not run",
    "decided": "not needed",
    "passed": "passed",
}
SIGNS: dict[CaseStatus, str] = {
    "failed": "✗",
    "errored": "!",
    "unreliable": "~",
    "not_run": "-",
    "decided": "·",
    "passed": "✓",
}
TONES: dict[CaseStatus, Tone] = {
    "failed": "bad",
    "errored": "warn",
    "unreliable": "warn",
    "not_run": "muted",
    "decided": "muted",
    "passed": "good",
}
_RANK = {status: rank for rank, status in enumerate(STATUSES)}


def line_key(line: CaseLine) -> CaseKey:
    """The identity of a case line."""
    return (line.suite, line.arm, line.case_id)


def record_key(record: Record) -> CaseKey:
    """The identity of the case a record belongs to."""
    return (record.suite, record.arm, record.case_id)


def worst_first(cases: Iterable[CaseLine]) -> list[CaseLine]:
    """Failed, errored, unreliable, not run, passed; must-pass cases first among equals; else in the given order."""
    return sorted(cases, key=lambda line: (_RANK[line.status], line.severity != "must_pass"))


def not_passed(cases: Iterable[CaseLine]) -> list[CaseLine]:
    """The cases that a reader has to look at, worst first: all but those that passed or were not needed."""
    return [line for line in worst_first(cases) if line.status not in ("passed", "decided")]


def case_name(line: CaseLine) -> str:
    """The case with its arm, where it has one."""
    return f"{line.case_id} [{line.arm}]" if line.arm else line.case_id


def case_anchor(key: CaseKey) -> str:
    """The fragment of a case in the page, the same in every report of the same suite: ``case-`` and 12 digits."""
    text = "\0".join(key).encode("utf-8", "surrogatepass")
    return f"case-{hashlib.blake2b(text, digest_size=6).hexdigest()}"
