"""Types of JSON values against a tool's parameter schema, at every depth.

Reads the subset of JSON Schema that tool schemas use: ``type`` (also a list of types), ``properties``, ``required``,
``items``, ``enum``, ``additionalProperties: false``. BFCL's spellings are understood: ``dict``, ``float``, ``tuple``,
``any``.

The words: an integer is a number; a number with a fraction part or an exponent (``5.0``) is not an integer, as in BFCL;
``true`` is neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.shown import shorten

_SPELLINGS = {
    "dict": "object",
    "float": "number",
    "double": "number",
    "tuple": "array",
    "list": "array",
    "str": "string",
}
_SPELLINGS |= {"int": "integer", "bool": "boolean", "Array": "array", "String": "string", "Boolean": "boolean"}


def json_type(value: Any) -> str:
    """The JSON type of a value: object, array, string, integer, number, boolean or null."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, Mapping) else "array"


def type_error(value: Any, schema: Mapping[str, Any], path: str, *, depth: int = 0) -> str | None:
    """The first place where ``value`` has a wrong type, in words; None when all types are right."""
    if depth > 50 or not isinstance(schema, Mapping):
        return None
    declared = schema.get("type")
    allowed = [declared] if isinstance(declared, str) else list(declared or ())
    names = [_SPELLINGS.get(name, name) for name in allowed if isinstance(name, str)]
    actual = json_type(value)
    if names and "any" not in names and actual not in names and not (actual == "integer" and "number" in names):
        return f"{path} must be {' or '.join(names)}, got {actual} {shorten(value, 60)}"
    if isinstance(value, Mapping):
        return _object_error(value, schema, path, depth)
    items = schema.get("items")
    if isinstance(value, (list, tuple)) and isinstance(items, Mapping):
        for index, item in enumerate(value):
            if (wrong := type_error(item, items, f"{path}[{index}]", depth=depth + 1)) is not None:
                return wrong
    return None


def _object_error(value: Mapping[str, Any], schema: Mapping[str, Any], path: str, depth: int) -> str | None:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return None
    for key, item in value.items():
        if key in properties:
            if (
                wrong := type_error(item, properties[key], f"{path}.{shorten(str(key), 60)}", depth=depth + 1)
            ) is not None:
                return wrong
        elif schema.get("additionalProperties") is False:
            return f"{path}.{shorten(str(key), 60)} is not a known parameter"
    return None


def parameters_of(tools: tuple[Mapping[str, Any], ...], name: str) -> Mapping[str, Any] | None:
    """The parameter schema of the tool called ``name``, from OpenAI's or BFCL's form; None when it is not offered."""
    for tool in tools:
        inner = tool.get("function")
        function = inner if isinstance(inner, Mapping) else tool
        if function.get("name") == name:
            found = function.get("parameters")
            return found if isinstance(found, Mapping) else {}
    return None
