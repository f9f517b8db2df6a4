"""Reading: a tool call's arguments out of their JSON, and every text in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from harness.guardrails.tool_arguments.problem import Problem
from harness.guardrails.tool_arguments.uses import declared_use

MAX_DEPTH = 50


class Text(NamedTuple):
    """One text in the arguments."""

    path: tuple[str | int, ...]
    value: str
    rule: Any
    """The part of the schema that declares it; None when nothing does."""
    key: bool
    """It is the name of a field that the schema does not declare."""

    @property
    def name(self) -> str:
        """The nearest name on the way to it."""
        return next((step for step in reversed(self.path) if isinstance(step, str)), "")


def read(text: str, max_chars: int) -> tuple[dict[str, Any], Problem | None]:
    """The arguments, or what is wrong with their JSON. Numbers stay numbers; no key twice, no NaN, not too deep."""
    if len(text) > max_chars:
        return {}, _wrong(f"must be at most {max_chars:,} characters of JSON")
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_refused)
    except _TwiceError:
        return {}, _wrong("must not hold a key twice")
    except (ValueError, RecursionError):
        return {}, _wrong("must be one JSON object")
    if not isinstance(value, dict):
        return {}, _wrong("must be one JSON object")
    if not _shallow(value):
        return {}, _wrong(f"must not be nested deeper than {MAX_DEPTH}")
    return value, None


def texts(value: Any, rule: Any, path: tuple[str | int, ...] = ()) -> Iterator[Text]:
    """Every text in the arguments: values, and the names of fields that the schema does not declare."""
    if isinstance(value, str):
        yield Text(path, value, rule, False)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            inner = property_of(rule, key)
            if inner is None:
                yield Text(path, str(key), None, True)
            yield from texts(item, inner, (*path, str(key)))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from texts(item, items_of(rule), (*path, index))


def property_of(rule: Any, key: str) -> Any:
    """The schema of a field; None where there is none."""
    inner = rule.get("properties") if isinstance(rule, Mapping) else None
    return inner.get(key) if isinstance(inner, Mapping) else None


def items_of(rule: Any) -> Any:
    """The schema of the entries of a list; what the list's own says of its use counts for them."""
    items = rule.get("items") if isinstance(rule, Mapping) else None
    return rule if declared_use(rule) and not declared_use(items) else items


def _wrong(message: str) -> Problem:
    return Problem(category="json", field="", message=message)


class _TwiceError(ValueError):
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        # Two readers would see two different calls.
        raise _TwiceError
    return out


def _refused(constant: str) -> Any:
    raise ValueError(constant)


def _shallow(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner += one.values()
            elif isinstance(one, list):
                inner += one
        if not inner:
            return True
        level = inner
    return False
