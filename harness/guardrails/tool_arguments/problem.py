"""Problem: what is wrong with one field of a tool call; names the field and never its value.

A field is named by the words of the tool's schema and by positions in lists. A name that the model made up could hold
anything (a secret, a sentence, a command), so it is shown as ``*``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_MAX_DEPTH = 60


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong with one field."""

    category: str
    """``json``, ``unknown_tool``, ``schema``, ``path``, ``shell``, ``url``, ``sql`` or ``control``."""
    field: str
    """``filters.ids[3]``; empty for the arguments as a whole."""
    message: str
    """What it must be; fit for the model, as a reason to try again."""

    def __str__(self) -> str:
        return f"{self.field or 'the arguments'}: {self.message}"


def field_name(path: Iterable[str | int], known: frozenset[str]) -> str:
    """The way to a field, in words of the schema."""
    out = ""
    for step in path:
        if isinstance(step, int):
            out += f"[{step}]"
        else:
            name = step if step in known else "*"
            out += f".{name}" if out else name
    return out[:200]


def known_names(schema: Any) -> frozenset[str]:
    """Every name of a property that a JSON Schema declares, at any depth."""
    names: set[str] = set()
    todo: list[tuple[Any, int]] = [(schema, 0)]
    while todo:
        node, depth = todo.pop()
        if depth > _MAX_DEPTH:
            continue
        if isinstance(node, Mapping):
            for key in ("properties", "dependentRequired", "dependentSchemas"):
                inner = node.get(key)
                if isinstance(inner, Mapping):
                    names.update(str(name) for name in inner)
            if isinstance(node.get("required"), list):
                names.update(name for name in node["required"] if isinstance(name, str))
            todo += [(value, depth + 1) for value in node.values()]
        elif isinstance(node, (list, tuple)):
            todo += [(value, depth + 1) for value in node]
    return frozenset(names)
