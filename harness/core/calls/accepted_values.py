"""Is one tool call right? Exact arguments, or BFCL's accepted answers.

Source: Berkeley Function-Calling Leaderboard v4, ``ast_checker`` (simple function). Its rules:

- The name is equal. Every parameter of the call is in the accepted answers; every accepted parameter is in the call
  unless an empty string stands among its accepted values ("may be left out").
- A value is right when it equals one of the accepted values. Texts are compared without case, spaces and the
  characters ``, . / - _ * ^``, with one kind of quote, at every depth of lists and mappings.
- In an accepted mapping each key holds a list of accepted values, again with the empty string for "may be left out".
- Types are checked before values: an integer passes for a number, nothing passes for anything else.

Where it departs: ``true`` is not 1 at any depth (Python's ``in`` says it is) and types inside mappings are checked too,
which is stricter; an integer passes for a number inside lists too, which is looser (JSON knows one kind of number).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness.core.calls.schema_types import parameters_of, type_error
from harness.core.case import ExpectedCall
from harness.core.json_equality import differences
from harness.core.shown import quoted, shorten
from harness.core.trajectory import ToolCall

_IGNORED = re.compile(r"[ ,./\-_*^]")
_MAX_DEPTH = 50


def call_error(call: ToolCall, expected: ExpectedCall, tools: tuple[Mapping[str, Any], ...] = ()) -> str | None:
    """What is wrong with ``call``, in words; None when it is the expected one.

    :param tools: the tool schemas the agent was offered; where the tool is among them, types are checked against it.
    """
    if call.name != expected.name:
        return f"called {quoted(call.name, 60)}, expected {expected.name!r}"
    return argument_error(call, expected, tools)


def argument_error(call: ToolCall, expected: ExpectedCall, tools: tuple[Mapping[str, Any], ...] = ()) -> str | None:
    """As :func:`call_error`, for the arguments only."""
    if expected.arguments is None and expected.accepted is None:
        return None
    given = call.arguments
    if given is None:
        return f"{call.name}: the arguments are not a JSON object: {quoted(call.raw_arguments, 80)}"
    schema = parameters_of(tools, expected.name)
    if schema is not None:
        for key, value in given.items():
            declared = (schema.get("properties") or {}).get(key)
            if not isinstance(declared, Mapping) or _answers_depart(declared, expected, key):
                continue
            if (wrong := type_error(value, declared, shorten(key, 60))) is not None:
                return f"{call.name}: {wrong}"
    if expected.arguments is not None and (found := differences(expected.arguments, given, limit=3)):
        return f"{call.name}: {'; '.join(found)}"
    if expected.accepted is not None:
        wrong = _mapping_error(given, expected.accepted, "", 0)
        return None if wrong is None else f"{call.name}: {wrong}"
    return None


def accepted(value: Any, answers: Sequence[Any], *, depth: int = 0) -> bool:
    """Whether ``value`` is one of the accepted answers."""
    return any(_same(value, answer, depth) for answer in answers)


def optional(answers: Sequence[Any]) -> bool:
    """Whether the parameter may be left out."""
    return any(isinstance(answer, str) and answer == "" for answer in answers)


def _answers_depart(declared: Mapping[str, Any], expected: ExpectedCall, key: str) -> bool:
    # As in BFCL: where an accepted answer itself has another type than the schema declares, the answers decide alone.
    answers = _as_list(expected.accepted.get(key, ())) if expected.accepted is not None else ()
    outer = {"type": declared.get("type")}
    return any(answer != "" and type_error(answer, outer, key) is not None for answer in answers)


def _mapping_error(given: Mapping[str, Any], answers: Mapping[str, Sequence[Any]], path: str, depth: int) -> str | None:
    if depth > _MAX_DEPTH:
        return f"{path or 'arguments'}: nested too deep"
    for key, value in given.items():
        where = f"{path}{shorten(str(key), 60)}"
        if key not in answers:
            return f"unexpected parameter {where}; expected {', '.join(sorted(map(str, answers)))[:200] or 'none'}"
        if not accepted(value, _as_list(answers[key]), depth=depth):
            options = ", ".join(shorten(repr(item), 60) for item in list(_as_list(answers[key]))[:5])
            shown = quoted(value, 80) if isinstance(value, str) else shorten(value, 80)
            return f"{where} = {shown} is not accepted; accepted: {options}"
    for key, options_of in answers.items():
        if key not in given and not optional(_as_list(options_of)):
            return f"missing parameter {path}{key}"
    return None


def _as_list(answers: Any) -> Sequence[Any]:
    return answers if isinstance(answers, (list, tuple)) else (answers,)


def _same(value: Any, answer: Any, depth: int) -> bool:
    if depth > _MAX_DEPTH:
        return False
    if isinstance(value, str) and isinstance(answer, str):
        return _standard(value) == _standard(answer)
    if isinstance(value, Mapping) and isinstance(answer, Mapping):
        return _mapping_error(value, answer, "", depth + 1) is None
    if isinstance(value, (list, tuple)) and isinstance(answer, (list, tuple)):
        return len(value) == len(answer) and all(_same(v, a, depth + 1) for v, a in zip(value, answer, strict=True))
    if isinstance(value, bool) or isinstance(answer, bool):
        return value is answer
    if isinstance(value, (int, float)) and isinstance(answer, (int, float)):
        return value == answer
    return value is None and answer is None


def _standard(text: str) -> str:
    return _IGNORED.sub("", text).lower().replace("'", '"')
