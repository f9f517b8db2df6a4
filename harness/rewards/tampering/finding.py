"""Cheat: one sign that a program got around its tests instead of doing what they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

CheatKind = Literal[
    "protected_file",  # a test, its configuration, or a name that shadows the grader was changed, added or deleted
    "tests_missing",  # tests of the baseline were not collected
    "not_run",  # tests of the baseline were skipped or expected to fail
    "ended_early",  # the number after the last check never came
    "state",  # outcomes differ between rounds, orders or processes
    "patched",  # a function of the grader, the clock or the language was replaced
    "stack_inspection",  # the program looked at who calls it
    "reads_tests",  # the program read a test file
    "writes_tests",  # the program wrote, moved or deleted a test file
    "imports_grader",  # the program imported pytest or unittest
    "starts_process",
    "native_code",
    "network",
    "grader_awareness",  # the source names the grader, its environment or its frames
    "always_equal",  # an object that is equal to everything
    "special_casing",  # answers of visible tests stand in the program as literals
]


@dataclass(frozen=True, kw_only=True)
class Cheat:
    """One finding."""

    kind: CheatKind
    where: str
    """Path, with the line where there is one, or the test."""
    why: str

    def to_json(self) -> dict[str, Any]:
        """Plain mapping for evidence."""
        return dict(vars(self))

    def __str__(self) -> str:
        return f"{self.kind} at {self.where}: {self.why}"
