"""An example of a fault: what stood there before, and what stands there after, short enough for a table."""

from __future__ import annotations

import json
from typing import Any

from harness.core.trajectory import Trajectory, message_text
from harness.sensitivity.messages import call_arguments, call_name, raw_calls, role

LONGEST = 300


def difference(before: Trajectory, after: Trajectory) -> tuple[str, str]:
    """Both sides at the first message that differs, or of the first figure that does."""
    one, other = [list(map(told, side.messages)) for side in (before, after)]
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    if one != other:
        first, second = (side[at] if at < len(side) else "(nothing more)" for side in (one, other))
        start = max(0, _common(first, second) - 60)
        return _short(first, start), _short(second, start)
    for name in ("state", "latency_s", "cost_usd", "usage", "error", "metadata"):
        mine, theirs = getattr(before, name), getattr(after, name)
        if mine != theirs:
            return _short(f"{name}: {mine}", 0), _short(f"{name}: {theirs}", 0)
    return "(the same messages)", "(the same messages)"


def told(message: Any) -> str:
    """A message in one line."""
    calls = "; ".join(
        f"{call_name(call)}({json.dumps(call_arguments(call), ensure_ascii=False, default=str)})"
        for call in raw_calls(message)
        if isinstance(call, dict)
    )
    text = message_text(message) if isinstance(message, dict) else ""
    return f"{role(message)}: {' '.join(part for part in (text, calls) if part)}"


def _common(one: str, other: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _short(text: str, start: int) -> str:
    shown = ("… " if start else "") + text[start : start + LONGEST]
    return f"{shown} …" if len(text) > start + LONGEST else shown
