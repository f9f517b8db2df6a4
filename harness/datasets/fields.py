"""The fields of a row, in one place: the loader checks by this table and the JSON Schema file is made from it.

Checked by hand and not by a schema library, because a dataset of 20,000 rows must load in a blink.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from harness.datasets.problems import Problem, shown

Report = Callable[[str, Any, str], None]
"""Called with the path of the field, the value that stands there, and what to write instead."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of value: how it is checked, and how an editor is told."""

    label: str
    """What to write, as in "must be a text"."""
    fits: Callable[[Any], bool]
    schema: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a row."""

    kind: Kind
    about: str
    """Shown by editors."""
    inside: Mapping[str, Field] | None = None
    """Fields of the mapping, or of each mapping of the list, where these are known."""
    required: tuple[str, ...] = ()
    """Fields that must be in ``inside``."""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value))


def _is_mappings(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, Mapping) for item in value)


def _is_answers(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(item, (list, tuple)) for item in value.values())


TEXT = Kind(label="a text", fits=lambda v: isinstance(v, str), schema={"type": "string"})
TEXTS = Kind(
    label="a text or a list of texts",
    fits=_is_texts,
    schema={"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
)
ANYTHING = Kind(label="any JSON", fits=lambda v: True, schema={})
SOMETHING = Kind(
    label="any JSON but null",
    fits=lambda v: v is not None,
    schema={"type": ["string", "number", "boolean", "object", "array"]},
)
MAPPING = Kind(label="a mapping", fits=lambda v: isinstance(v, Mapping), schema={"type": "object"})
MAPPINGS = Kind(label="a list of mappings", fits=_is_mappings, schema={"type": "array", "items": {"type": "object"}})
ANSWERS = Kind(
    label="a mapping of parameter to the list of accepted values",
    fits=_is_answers,
    schema={"type": "object", "additionalProperties": {"type": "array"}},
)
NUMBER = Kind(label="a finite number", fits=_is_number, schema={"type": "number"})
LIMIT = Kind(
    label="a finite number of at least 0",
    fits=lambda v: _is_number(v) and v >= 0,
    schema={"type": "number", "minimum": 0},
)
COUNT = Kind(
    label="a whole number of at least 0",
    fits=lambda v: _is_number(v) and v >= 0 and v == int(v),
    schema={"type": "integer", "minimum": 0},
)


def one_of(*choices: str) -> Kind:
    """One of a few words."""
    return Kind(
        label="one of " + ", ".join(choices),
        fits=lambda v: isinstance(v, str) and v in choices,
        schema={"enum": list(choices)},
    )


CALL_FIELDS: Mapping[str, Field] = {
    "name": Field(kind=TEXT, about="Name of the tool."),
    "arguments": Field(kind=MAPPING, about="Exact arguments; left out: any will do."),
    "accepted": Field(
        kind=ANSWERS, about='Accepted values per parameter (BFCL); "" among them means that it may be left out.'
    ),
}
EXPECTED_FIELDS: Mapping[str, Field] = {
    "answer": Field(kind=TEXT, about="The final answer equals this, after normalisation."),
    "answers": Field(kind=TEXTS, about="Any one of these answers is right."),
    "contains": Field(kind=TEXTS, about="The final answer contains each of these (case-insensitive)."),
    "not_contains": Field(kind=TEXTS, about="Nothing the agent says in any turn contains one of these."),
    "pattern": Field(kind=TEXT, about="The final answer matches this regular expression somewhere."),
    "json_schema": Field(kind=MAPPING, about="The final answer is JSON, valid under this JSON Schema."),
    "number": Field(kind=NUMBER, about="A number the final answer gives."),
    "tolerance": Field(kind=LIMIT, about="Absolute tolerance of number."),
    "tool_calls": Field(
        kind=MAPPINGS,
        about="The tool calls that should happen; an empty list: no call is right.",
        inside=CALL_FIELDS,
        required=("name",),
    ),
    "tool_order": Field(
        kind=one_of("strict", "unordered", "subset", "superset"), about="How calls are matched with tool_calls."
    ),
    "forbidden_tools": Field(kind=TEXTS, about="Tools that must not be called."),
    "state": Field(kind=ANYTHING, about="Expected end state of the agent's world, or its content hash as a text."),
    "max_steps": Field(kind=COUNT, about="At most this many model calls."),
    "max_cost_usd": Field(kind=LIMIT, about="At most this much money for the trial, US dollars."),
    "max_latency_s": Field(kind=LIMIT, about="At most this many seconds for the trial."),
    "custom": Field(kind=MAPPING, about="Whatever your own evaluators expect."),
}
CASE_FIELDS: Mapping[str, Field] = {
    "id": Field(kind=TEXT, about="Unique and stable for ever; left out: made from the content."),
    "input": Field(kind=SOMETHING, about="What the agent is given first: a text, chat messages, or any JSON."),
    "turns": Field(kind=TEXTS, about="What the scripted user says next, one text per answer of the agent."),
    "expected": Field(kind=MAPPING, about="What must be true afterwards.", inside=EXPECTED_FIELDS),
    "tools": Field(kind=MAPPINGS, about="Tool schemas offered with this case (OpenAI function format)."),
    "tags": Field(kind=TEXTS, about="For slicing; not part of the content hash."),
    "cluster": Field(kind=TEXT, about="Cases with the same cluster are not independent."),
    "severity": Field(kind=one_of("normal", "must_pass"), about="must_pass fails the gate at the first failed trial."),
    "metadata": Field(kind=MAPPING, about="Anything else (source, labelled_by); not part of the content hash."),
}
CASE_REQUIRED = ("input",)


def check_row(row: Mapping[str, Any], line: int) -> list[Problem]:
    """Every mistake of one row; empty when it is a case."""
    found: list[Problem] = []

    def report(path: str, value: Any, fix: str) -> None:
        found.append(Problem(line=line, field=path, value="" if value is _ABSENT else shown(value), fix=fix))

    _check(row, CASE_FIELDS, CASE_REQUIRED, "", report)
    name = row.get("id")
    if isinstance(name, str) and (not name or name != name.strip() or len(name) > 200 or not name.isprintable()):
        report("id", name, "must be 1 to 200 printable characters without spaces around them")
    return found


_ABSENT = object()


def _check(
    row: Mapping[str, Any], known: Mapping[str, Field], required: tuple[str, ...], prefix: str, report: Report
) -> None:
    for name, value in row.items():
        field = known.get(name)
        if field is None:
            report(prefix + shown(name).strip("'\""), value, _unknown(name, known, prefix))
        elif value is None and name not in required:
            continue
        elif not field.kind.fits(value):
            report(prefix + name, value, f"must be {field.kind.label}")
        elif field.inside is not None:
            if isinstance(value, Mapping):
                _check(value, field.inside, field.required, f"{prefix}{name}.", report)
            else:
                for index, item in enumerate(value):
                    _check(item, field.inside, field.required, f"{prefix}{name}[{index}].", report)
    for name in required:
        if name not in row:
            near = get_close_matches(name, [str(key) for key in row if key not in known], n=1)
            hint = f"; is {near[0]!r} meant to be it?" if near else ""
            report(prefix + name, _ABSENT, f"is missing, must be {known[name].kind.label}{hint}")


def _unknown(name: object, known: Mapping[str, Field], prefix: str) -> str:
    near = get_close_matches(str(name), list(known), n=1, cutoff=0.6)
    if near:
        return f"unknown field; did you mean {near[0]!r}?"
    if not prefix and name in EXPECTED_FIELDS:
        return f'unknown field here; it belongs inside \'expected\': {{"expected": {{"{name}": ...}}}}'
    home = "'custom'" if prefix == "expected." else "'metadata'" if not prefix else "nothing"
    also = f"; your own fields go in {home}" if home != "nothing" else ""
    return f"unknown field; known: {', '.join(known)}{also}"
