"""What is wrong with the form of one tool call, whatever the task: no JSON object, no such tool, no such parameter.

The words: a call is *malformed* when its arguments are not a JSON object, when it names a tool that was not offered,
when a required parameter is missing or null where null is not allowed, when a parameter has a wrong type at any depth
or a value outside ``enum``, or when it gives a parameter that the tool does not declare and does not say it takes.
Without offered tools only the first can be known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.calls.schema_types import parameters_of, type_error
from harness.core.json_equality import same_json
from harness.core.shown import quoted, shorten
from harness.core.trajectory import ToolCall

Tools = tuple[Mapping[str, Any], ...]


def form_error(call: ToolCall, tools: Tools = ()) -> str | None:
    """The first thing wrong with the form of ``call``, in words; None for a well-formed one."""
    if not call.name:
        return "a call without a tool's name"
    if call.arguments is None:
        return f"{shorten(call.name, 60)}: the arguments are not a JSON object: {quoted(call.raw_arguments, 80)}"
    if not tools:
        return None
    schema = parameters_of(tools, call.name)
    if schema is None:
        return f"no tool is called {quoted(call.name, 60)}"
    properties = schema.get("properties")
    declared: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
    required = schema.get("required")
    for name in required if isinstance(required, (list, tuple)) else ():
        if isinstance(name, str) and name not in call.arguments:
            return f"{call.name}: the required parameter {shorten(name, 60)} is missing"
    for key, value in call.arguments.items():
        inner = declared.get(key)
        if isinstance(inner, Mapping):
            if (wrong := type_error(value, inner, shorten(str(key), 60))) is not None:
                return f"{call.name}: {wrong}"
            options = inner.get("enum")
            if isinstance(options, (list, tuple)) and not any(same_json(value, option) for option in options):
                return f"{call.name}: {shorten(str(key), 60)} = {shorten(value, 60)} is none of the declared values"
        elif isinstance(properties, Mapping) and key not in declared and not schema.get("additionalProperties"):
            return f"{call.name}: unknown parameter {shorten(str(key), 60)}"
    return None
