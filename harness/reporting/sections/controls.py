"""Controls: which tests give evidence for which subcategory of the NIST AI RMF, and what they said in this run.

Read from one data file (``reports/nist_ai_rmf.toml`` of the project)::

    [[control]]
    name = "Personal data is taken out"
    subcategories = ["MEASURE 2.10"]
    tests = ["suites/guardrails/test_pii.py::test_pii"]

A golden suite is *passed*, *failed* or *undecided* as the gate's rules about it say; any other test is no part of a run
and is shown as such, with the command that runs it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.core.blocks import Block, Cell, Prose, SectionPage, Table, Tone
from harness.core.comparison import Comparison
from harness.core.errors import UsageError
from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.core.verdict import Verdict
from harness.reporting.case_order import case_anchor, line_key

FILE = Path("reports/nist_ai_rmf.toml")
FUNCTIONS = ("GOVERN", "MAP", "MEASURE", "MANAGE")
_TONES: dict[str, Tone] = {"passed": "good", "failed": "bad", "undecided": "warn", "not run": "muted"}


def read_controls(path: Path) -> dict[str, Any]:
    """The data file: ``subcategories`` (name to meaning) and ``control`` (tables as above).

    :raises UsageError: it is no TOML, or a control has no name, tests, or a subcategory that is not declared.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
    known = data.get("subcategories", {})
    for name in known:
        if name.split(" ")[0] not in FUNCTIONS:
            raise UsageError(f"{path}: {name!r} is no subcategory; write for example 'MEASURE 2.7'")
    for control in data.get("control", []):
        for field in ("name", "subcategories", "tests"):
            if not control.get(field):
                raise UsageError(f"{path}: control {control.get('name', '?')!r} has no {field}")
        for one in control["subcategories"]:
            if one not in known:
                raise UsageError(f"{path}: control {control['name']!r} names {one!r}, which [subcategories] lacks")
    return data


class Controls:
    """One row per control and test, by subcategory."""

    id = "controls"

    def __init__(self, scorecard: Scorecard, verdicts: Sequence[Verdict], path: Path) -> None:
        self._scorecard = scorecard
        self._verdicts = verdicts
        self._path = path

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """None where the project has no such file."""
        if not self._path.is_file():
            return None
        data = read_controls(self._path)
        meanings: Mapping[str, str] = data.get("subcategories", {})
        order = {name: index for index, name in enumerate(meanings)}
        entries = [(one, control) for control in data["control"] for one in control["subcategories"]]
        entries.sort(key=lambda entry: (FUNCTIONS.index(entry[0].split(" ")[0]), order[entry[0]]))
        rows = []
        before = ""
        for subcategory, control in entries:
            for index, test in enumerate(control["tests"]):
                said, href = self._said(test)
                rows.append(
                    (
                        Cell(text=f"{subcategory}: {meanings[subcategory]}" if subcategory != before else ""),
                        Cell(text=control["name"] if index == 0 else ""),
                        Cell(text=test, href=href),
                        Cell(text=said, tone=_TONES[said.split(",")[0]]),
                    )
                )
                before = subcategory
        blocks: list[Block] = [
            Prose(
                text="What tests of this project give evidence for, by subcategory of the NIST AI Risk Management "
                "Framework 1.0. Evidence is not compliance: most of the framework is about people and organisations, "
                "and no test shows that.",
                tone="muted",
            ),
            Table(columns=("Subcategory", "Control", "Test", "In this run"), rows=tuple(rows)),
            Prose(text="Tests that are not golden suites are no part of a run: pytest NODE_ID runs one.", tone="muted"),
        ]
        return SectionPage(id=self.id, title="Controls (NIST AI RMF)", blocks=tuple(blocks))

    def _said(self, test: str) -> tuple[str, str]:
        """What the run says of a test, and where in the page."""
        lines = [line for line in self._scorecard.suites if _under(line.suite, test) and line.measured]
        if not lines:
            return "not run", ""
        first = self._scorecard.cases[lines[0].start]
        href = f"#{case_anchor(line_key(first))}"
        areas = {line.area for line in lines}
        about = [
            verdict
            for verdict in self._verdicts
            if not verdict.advisory
            and (_under(test, verdict.suite) or _under(verdict.suite, test))
            and (not verdict.area or verdict.area in areas)
        ]
        answers = {verdict.answer for verdict in about}
        word = "failed" if "fail" in answers else "undecided" if "inconclusive" in answers or not about else "passed"
        measured, passed = sum(line.measured for line in lines), sum(line.passed for line in lines)
        return f"{word}, {passed:,} of {measured:,} trials passed", href


def _under(node: str, prefix: str) -> bool:
    rest = node[len(prefix) :]
    return node.startswith(prefix) and (not prefix or not rest or rest[0] in "/:[")
