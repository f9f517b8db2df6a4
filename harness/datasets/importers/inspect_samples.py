"""Inspect samples: JSON lines, JSON or CSV with ``input``, ``target``, ``choices``, ``id``, ``metadata``.

``target`` becomes ``expected.answer`` (one) or ``expected.answers`` (several). Choices are written under the question
as ``A) ...``, as Inspect's multiple-choice solver does, and the target stays the letter. ``sandbox``, ``files`` and
``setup`` describe an environment; they are kept in the metadata for the agent to read.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.datasets.jsonl import read_jsonl
from harness.datasets.problems import Problem
from harness.datasets.rows import Row
from harness.datasets.tabular import rows_of_json

_OWN = ("id", "input", "target", "choices", "metadata")


def read(path: Path, problems: list[Problem]) -> Iterator[Row]:
    """One row per sample."""
    if path.suffix == ".csv":
        entries = _csv(path)
    elif path.suffix == ".json":
        entries = rows_of_json(path.read_bytes(), problems)
    else:
        entries = read_jsonl(path.read_bytes(), problems)
    for line, entry in entries:
        yield line, _row(entry) if isinstance(entry, Mapping) else entry


def _csv(path: Path) -> Iterator[Row]:
    import csv

    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            yield reader.line_num, {name: _cell(value) for name, value in row.items() if name and value}


def _cell(text: str) -> Any:
    # As Inspect's csv reader: a cell that looks like JSON is JSON.
    if text.lstrip().startswith(("[", "{")):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


def _row(entry: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in entry.items() if name not in _OWN and value is not None}
    given = entry.get("metadata")
    row: dict[str, Any] = {"metadata": {"source": "inspect", **rest, **(given if isinstance(given, Mapping) else {})}}
    if entry.get("id") is not None:
        row["id"] = str(entry["id"])
    if "input" in entry:
        row["input"] = _with_choices(entry["input"], entry.get("choices"))
    target = entry.get("target")
    if isinstance(target, str) and target:
        row["expected"] = {"answer": target}
    elif isinstance(target, list) and target:
        row["expected"] = {"answers": target}
    if entry.get("choices"):
        row["metadata"]["choices"] = entry["choices"]
    return row


def _with_choices(question: Any, choices: Any) -> Any:
    if not isinstance(question, str) or not isinstance(choices, list) or not choices:
        return question
    letters = string.ascii_uppercase
    lines = [f"{letters[i] if i < 26 else i + 1}) {choice}" for i, choice in enumerate(choices)]
    return "\n".join([question, "", *lines])
