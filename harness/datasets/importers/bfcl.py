"""BFCL questions (Berkeley Function-Calling Leaderboard v4) with their accepted answers.

The words:

- *question*: a list of turns, each a list of messages. The first turn is the input, the user messages of the later
  ones are ``turns``.
- *answers*: ``ground_truth`` of the file beside it: ``<name>_answers.jsonl``, or ``possible_answer/<name>``. Where the
  id says ``irrelevance``, no call is right. Anything else without answers expects nothing.
- Tool schemas are put into OpenAI's form: ``dict`` is an object, ``float`` a number, ``tuple`` an array, ``any`` has
  no type.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.datasets.jsonl import read_jsonl
from harness.datasets.problems import Problem, shown
from harness.datasets.rows import Row

_TYPES = {"dict": "object", "float": "number", "tuple": "array", "any": None}


def read(path: Path, problems: list[Problem]) -> Iterator[Row]:
    """One row per question."""
    answers = _answers(path)
    for line, entry in read_jsonl(path.read_bytes(), problems):
        try:
            yield line, _row(entry, answers)
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            fix = f"is not a BFCL question (id, question, function): {error}"
            problems.append(Problem(line=line, field="", value=shown(entry), fix=fix))


def openai_tool(function: Mapping[str, Any]) -> dict[str, Any]:
    """A BFCL function in OpenAI's form."""
    parameters = _json_schema(function.get("parameters") or {"type": "object", "properties": {}})
    about = {"name": function["name"], "description": function.get("description", ""), "parameters": parameters}
    return {"type": "function", "function": about}


def _row(entry: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    first, *later = entry["question"]
    row: dict[str, Any] = {
        "id": entry["id"],
        "input": first,
        "turns": [message["content"] for turn in later for message in turn if message.get("role") == "user"],
        "tools": [openai_tool(function) for function in entry["function"]],
        "metadata": {"source": "bfcl"},
    }
    truth = answers.get(entry["id"])
    if truth is not None:
        calls = [{"name": name, "accepted": accepted} for call in truth for name, accepted in call.items()]
        row["expected"] = {"tool_calls": calls}
    elif "irrelevance" in entry["id"]:
        row["expected"] = {"tool_calls": []}
    return row


def _answers(path: Path) -> dict[str, Any]:
    for beside in (path.with_name(f"{path.stem}_answers{path.suffix}"), path.parent / "possible_answer" / path.name):
        if beside.is_file():
            lines = beside.read_text(encoding="utf-8").split("\n")
            rows = [json.loads(line) for line in lines if line.strip()]
            return {row["id"]: row["ground_truth"] for row in rows}
    return {}


def _json_schema(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    out: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "type" and isinstance(value, str):
            named = _TYPES.get(value, value)
            if named is not None:
                out["type"] = named
        elif key == "properties" and isinstance(value, Mapping):
            out["properties"] = {name: _json_schema(inner) for name, inner in value.items()}
        elif key == "items":
            out["items"] = _json_schema(value)
        elif key != "optional":
            out[key] = value
    return out
