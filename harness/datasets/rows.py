"""From checked rows to cases: every mistake of the whole file is gathered before one error tells them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.core.case import Case, Expectation
from harness.core.errors import UsageError
from harness.datasets.fields import check_row
from harness.datasets.problems import BadRows, Problem, shown

Row = tuple[int, Any]
"""Line number and what stands there."""


def cases_from_rows(rows: Iterable[Row], place: str, problems: Iterable[Problem] = ()) -> tuple[Case, ...]:
    """The cases of a file.

    :param place: the file as the user knows it, for the message.
    :param problems: what was already found wrong while the rows were read.
    :raises BadRows: with every mistake; also when there is no row at all.
    """
    found = list(problems)
    cases: list[Case] = []
    lines: dict[str, int] = {}
    unread = {problem.line for problem in found if problem.line}
    count = len(unread)
    for line, row in rows:
        count += line not in unread
        if not isinstance(row, Mapping):
            fix = 'a row is one JSON object like {"id": "refund-1", "input": "..."}'
            found.append(Problem(line=line, field="", value=shown(row), fix=fix))
            continue
        if mistakes := check_row(row, line):
            found += mistakes
            continue
        try:
            case = case_from_row(row)
        except (UsageError, TypeError, ValueError, RecursionError) as error:
            found.append(Problem(line=line, field="", value=shown(row), fix=str(error) or "cannot be read"))
            continue
        first = lines.setdefault(case.id, line)
        if first != line:
            own = "duplicate id" if row.get("id") is not None else "the same content and no id"
            fix = f"{own}, first seen in line {first}; every case needs an id of its own"
            found.append(Problem(line=line, field="id", value=shown(case.id), fix=fix))
        cases.append(case)
    if not count and not found:
        fix = 'has no rows; write one case per line, e.g. {"id": "refund-1", "input": "..."}'
        found.append(Problem(line=0, field="", value="", fix=fix))
    if found:
        raise BadRows(place, sorted(found, key=lambda problem: problem.line), count)
    return tuple(cases)


def case_from_row(row: Mapping[str, Any]) -> Case:
    """The case of one checked row. Without an id it gets one from its content, stable as long as the content is."""
    given = {name: value for name, value in row.items() if value is not None}
    expected = {name: value for name, value in given.get("expected", {}).items() if value is not None}
    if expected.get("tool_calls"):
        calls = [{k: v for k, v in call.items() if v is not None} for call in expected["tool_calls"]]
        expected["tool_calls"] = calls
    for name in ("number", "tolerance", "max_cost_usd", "max_latency_s"):
        if name in expected:
            expected[name] = float(expected[name])
    if "max_steps" in expected:
        expected["max_steps"] = int(expected["max_steps"])
    case = Case(
        id=given.get("id", ""),
        input=given["input"],
        turns=_texts(given.get("turns", ())),
        expected=Expectation.from_json(expected) if expected else _NOTHING,
        tools=tuple(given.get("tools", ())),
        tags=_texts(given.get("tags", ())),
        cluster=given.get("cluster"),
        severity=given.get("severity", "normal"),
        metadata=given.get("metadata", {}),
    )
    if case.id:
        return case
    from dataclasses import replace

    return replace(case, id=f"case-{case.content_hash[:12]}")


_NOTHING = Expectation()


def _texts(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
