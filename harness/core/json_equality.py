"""Equality of JSON values at every depth, with the paths where two values differ.

The words:

- Numbers are equal by value (``5 == 5.0``); ``true`` is never 1 and ``null`` is never absent.
- Lists are compared in order, mappings by key. Tuples count as lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.shown import shorten

MAX_DEPTH = 100
"""Deeper values are called different instead of exhausting the stack."""


def same_json(left: Any, right: Any) -> bool:
    """Whether two JSON values are equal."""
    return not differences(left, right, limit=1)


def differences(expected: Any, got: Any, *, limit: int = 5) -> list[str]:
    """Up to ``limit`` lines ``path: expected x, got y``; empty when equal."""
    found: list[str] = []
    _compare(expected, got, "", found, limit, 0)
    return found


def _compare(expected: Any, got: Any, path: str, found: list[str], limit: int, depth: int) -> None:
    if len(found) >= limit:
        return
    where = path or "value"
    if depth > MAX_DEPTH:
        found.append(f"{where}: nested deeper than {MAX_DEPTH} levels")
    elif isinstance(expected, Mapping) and isinstance(got, Mapping):
        for key in expected:
            inner = f"{path}.{shorten(str(key), 60)}" if path else shorten(str(key), 60)
            if key not in got:
                found.append(f"{inner}: expected {shorten(expected[key], 60)}, is missing")
            else:
                _compare(expected[key], got[key], inner, found, limit, depth + 1)
            if len(found) >= limit:
                return
        for key in got:
            if key not in expected and len(found) < limit:
                inner = f"{path}.{shorten(str(key), 60)}" if path else shorten(str(key), 60)
                found.append(f"{inner}: not expected, got {shorten(got[key], 60)}")
    elif isinstance(expected, (list, tuple)) and isinstance(got, (list, tuple)):
        if len(expected) != len(got):
            found.append(f"{where}: expected {len(expected)} items, got {len(got)}")
            return
        for index, (left, right) in enumerate(zip(expected, got, strict=True)):
            _compare(left, right, f"{path}[{index}]", found, limit, depth + 1)
            if len(found) >= limit:
                return
    elif not _same_scalar(expected, got):
        found.append(f"{where}: expected {shorten(repr_json(expected), 80)}, got {shorten(repr_json(got), 80)}")


def _same_scalar(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return left == right
    return type(left) is type(right) and bool(left == right)


def repr_json(value: Any) -> str:
    """A short printed form that tells ``"5"`` from ``5``."""
    if isinstance(value, str):
        return repr(value) if len(value) <= 200 else repr(value[:200]) + "…"
    return shorten(value, 200)
