"""From a typed Python function to a JSON Schema that a model can fill, and back to the arguments of a call."""

from __future__ import annotations

import enum
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from harness.core.case import canonical_json
from harness.core.errors import UsageError

_SIMPLE: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    dict: {"type": "object"},
    list: {"type": "array"},
    tuple: {"type": "array"},
    set: {"type": "array"},
    Any: {},
    inspect.Parameter.empty: {},
}


class Parameters:
    """The parameters of one function: which there are, which are needed, which are enums."""

    def __init__(self, *, known: Iterable[str], needed: Iterable[str], enums: Mapping[str, type[enum.Enum]]) -> None:
        self.known = tuple(known)
        self.needed = tuple(needed)
        self._enums = dict(enums)

    def bind(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The keyword arguments of a call, enum values turned into members.

        :raises ValueError: naming what is missing, unknown or no choice, and what exists; written for the model.
        """
        unknown = [name for name in arguments if name not in self.known]
        missing = [name for name in self.needed if name not in arguments]
        if unknown or missing:
            problems = [f"unknown {', '.join(map(repr, unknown[:10]))}"] if unknown else []
            problems += [f"missing {', '.join(map(repr, missing))}"] if missing else []
            raise ValueError(f"{tool} takes {', '.join(self.known) or 'no arguments'}: {'; '.join(problems)}"[:1000])
        given = dict(arguments)
        for name, members in self._enums.items():
            if name in given:
                given[name] = _member(name, members, given[name])
        return given


def function_schema(fn: Callable[..., Any], *, name: str, description: str) -> tuple[dict[str, Any], Parameters]:
    """The tool schema of ``fn`` in OpenAI's function format, and its parameters.

    :raises UsageError: for a lambda without a name, and for parameters that cannot be passed by name.
    """
    name = name or getattr(fn, "__name__", "")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise UsageError(
            f"{name or fn!r} cannot name a tool (letters, digits, _ and -, at most 64); use function_tool(fn, name=...)"
        )
    try:
        hints = typing.get_type_hints(fn, include_extras=True)
    except (NameError, TypeError) as error:
        raise UsageError(f"the annotations of tool {name!r} cannot be read: {error}") from error
    doc = inspect.getdoc(fn) or ""
    described = _described(doc)
    properties: dict[str, Any] = {}
    needed: list[str] = []
    enums: dict[str, type[enum.Enum]] = {}
    for parameter in inspect.signature(fn).parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise UsageError(
                f"parameter {parameter} of tool {name!r} cannot be passed by name; a model can only name arguments"
            )
        hint = hints.get(parameter.name, parameter.annotation)
        schema = _schema(hint)
        text = next((x for x in getattr(hint, "__metadata__", ()) if isinstance(x, str)), described.get(parameter.name))
        if text:
            schema = {**schema, "description": text}
        if parameter.default is parameter.empty:
            needed.append(parameter.name)
        elif isinstance(parameter.default, (str, int, float, bool)):
            schema = {**schema, "default": parameter.default}
        bare = _bare(hint)
        if isinstance(bare, type) and issubclass(bare, enum.Enum):
            enums[parameter.name] = bare
            if isinstance(parameter.default, enum.Enum):
                schema = {**schema, "default": parameter.default.value}
        properties[parameter.name] = schema
    full: dict[str, Any] = {"type": "object", "properties": properties, "required": needed}
    full["additionalProperties"] = False
    function = {"name": name, "description": description or doc.partition("\n\n")[0].replace("\n", " ").strip()}
    schema = {"type": "function", "function": {**function, "parameters": full}}
    return schema, Parameters(known=properties, needed=needed, enums=enums)


def _schema(hint: Any) -> dict[str, Any]:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _schema(args[0])
    if origin is Literal:
        return _choices(args)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_schema(arg) for arg in args]}
    if origin in (list, set, frozenset, tuple) or _is_abstract_sequence(origin):
        items = _schema(args[0]) if args else {}
        return {"type": "array", "items": items} if items else {"type": "array"}
    if origin is dict or origin is not None:
        values = _schema(args[1]) if len(args) == 2 else {}
        return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _choices([member.value for member in hint])
    if typing.is_typeddict(hint):
        fields = typing.get_type_hints(hint)
        needed = [key for key in fields if key in hint.__required_keys__]
        return {"type": "object", "properties": {k: _schema(v) for k, v in fields.items()}, "required": needed}
    try:
        return dict(_SIMPLE.get(hint, {"type": "object"} if isinstance(hint, type) else {}))
    except TypeError:  # an unhashable annotation says nothing that JSON Schema could hold
        return {}


def _is_abstract_sequence(origin: Any) -> bool:
    from collections import abc

    return origin in (abc.Sequence, abc.Iterable, abc.Collection, abc.Set)


def _choices(values: Iterable[Any]) -> dict[str, Any]:
    listed = list(values)
    kinds = {type(value) for value in listed}
    return {**(_SIMPLE.get(kinds.pop(), {}) if len(kinds) == 1 else {}), "enum": listed}


def _bare(hint: Any) -> Any:
    """What is left of an annotation without ``Annotated`` and without ``| None``."""
    if typing.get_origin(hint) is typing.Annotated:
        return _bare(typing.get_args(hint)[0])
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        rest = [arg for arg in typing.get_args(hint) if arg is not type(None)]
        return _bare(rest[0]) if len(rest) == 1 else hint
    return hint


def _member(name: str, members: type[enum.Enum], value: Any) -> Any:
    if value is None or isinstance(value, members):
        return value
    for member in members:
        if canonical_json(member.value) == canonical_json(value):
            return member
    raise ValueError(f"{name} is one of {', '.join(repr(member.value) for member in members)}, not {value!r:.200}")


def _described(doc: str) -> dict[str, str]:
    """Descriptions of parameters in a docstring, Sphinx (``:param x: text``) or Google (``Args:`` block) style."""
    found: dict[str, str] = {}
    for match in re.finditer(r"^:param (?:[\w\[\], |.]+ )?(\w+):[ \t]*(.*(?:\n[ \t]+.*)*)", doc, re.MULTILINE):
        found[match[1]] = " ".join(match[2].split())
    block = re.search(r"^Args:[ \t]*\n((?:[ \t]+.*\n?|\n)+)", doc, re.MULTILINE)
    if block:
        lines = inspect.cleandoc("\n" + block[1])
        for match in re.finditer(r"^(\w+)(?: \([^)\n]*\))?:[ \t]*(.*(?:\n[ \t]+.*)*)", lines, re.MULTILINE):
            found[match[1]] = " ".join(match[2].split())
    return found
