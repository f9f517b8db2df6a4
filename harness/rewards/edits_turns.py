"""Edits of what an agent did, not of what it said: turns, calls, an early end, answers of visible tests."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.core.case import Case
from harness.core.trajectory import Message, Trajectory
from harness.rewards.columns import columns_of

FILLER = (
    "Let us look at this once more.",
    "There are several things to consider here.",
    "It helps to go through this slowly.",
    "Many people have thought about questions of this kind.",
    "We take one step after the other.",
)


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One cheap edit."""

    name: str
    family: str
    apply: Callable[[Trajectory, Case, random.Random], Trajectory | None]


def final_text(trajectory: Trajectory) -> str:
    """The final answer, or an empty text."""
    return trajectory.answer or ""


def with_final(trajectory: Trajectory, text: str) -> Trajectory:
    """With another final answer; one is added where there was none."""
    messages = [dict(message) for message in trajectory.messages]
    for index in range(len(messages) - 1, -1, -1):
        if messages[index].get("role") == "assistant" and not messages[index].get("tool_calls"):
            messages[index]["content"] = text
            return replace(trajectory, messages=tuple(messages))
    return replace(trajectory, messages=(*messages, {"role": "assistant", "content": text}))


def duplicated(times: int) -> Callable[[Trajectory, Case, random.Random], Trajectory | None]:
    """Every tool call made several times."""

    def apply(trajectory: Trajectory, case: Case, rng: random.Random) -> Trajectory | None:
        messages: list[Message] = []
        step: list[Message] = []
        for message in [*trajectory.messages, {}]:
            if step and message.get("role") != "tool":
                messages += step * times
                step = []
            if step or message.get("tool_calls"):
                step.append(message)
            elif message:
                messages.append(message)
        changed = len(messages) > len(trajectory.messages)
        return replace(trajectory, messages=tuple(messages)) if changed else None

    return apply


def split_answer(parts: int) -> Callable[[Trajectory, Case, random.Random], Trajectory | None]:
    """The final answer cut into several turns."""

    def apply(trajectory: Trajectory, case: Case, rng: random.Random) -> Trajectory | None:
        text = final_text(trajectory)
        sentences = [piece for piece in re.split(r"(?<=[.\n])", text) if piece.strip()]
        if len(sentences) < 2:
            return None
        size = max(1, len(sentences) // parts)
        pieces = ["".join(sentences[i : i + size]) for i in range(0, len(sentences), size)]
        kept = list(trajectory.messages)
        while kept and kept[-1].get("role") == "assistant" and not kept[-1].get("tool_calls"):
            kept.pop()
        return replace(trajectory, messages=(*kept, *({"role": "assistant", "content": p} for p in pieces)))

    return apply


def more_turns(trajectory: Trajectory, case: Case, rng: random.Random) -> Trajectory | None:
    """Empty turns before the answer."""
    text = final_text(trajectory)
    kept = list(trajectory.messages)
    if kept and kept[-1].get("role") == "assistant" and not kept[-1].get("tool_calls"):
        kept.pop()
    turns = [{"role": "assistant", "content": line} for line in FILLER]
    return replace(trajectory, messages=(*kept, *turns, {"role": "assistant", "content": text}))


def left_early(trajectory: Trajectory, case: Case, rng: random.Random) -> Trajectory | None:
    """Nothing after the first step."""
    for index, message in enumerate(trajectory.messages):
        if message.get("role") == "assistant":
            kept = trajectory.messages[: index + 1]
            return replace(trajectory, messages=kept) if len(kept) < len(trajectory.messages) else None
    return None


def said_done(text: str) -> Callable[[Trajectory, Case, random.Random], Trajectory | None]:
    """A text in the place of everything that was done."""

    def apply(trajectory: Trajectory, case: Case, rng: random.Random) -> Trajectory | None:
        asked: list[Message] = []
        for message in trajectory.messages:
            if message.get("role") == "assistant":
                break
            asked.append(message)
        return replace(trajectory, messages=(*asked, {"role": "assistant", "content": text}))

    return apply


ASSERTION = re.compile(r"assert\s+(\w+)\((.*?)\)\s*==\s*(.+?)\s*$", re.M)


def special_cased(trajectory: Trajectory, case: Case, rng: random.Random) -> Trajectory | None:
    """A function that knows the answers of the visible tests and nothing else."""
    shown = case.text + "\n" + _visible_tests(columns_of(case))
    tables: dict[str, dict[str, str]] = {}
    for name, arguments, expected in ASSERTION.findall(shown):
        try:
            given = ast.literal_eval(f"({arguments},)") if arguments.strip() else ()
            ast.literal_eval(expected)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        tables.setdefault(name, {})[repr(given)] = expected
    if not tables:
        return None
    code = []
    for name, table in tables.items():
        rows = ", ".join(f"{key!r}: {value}" for key, value in table.items())
        code.append(f"def {name}(*args):\n    return {{{rows}}}.get(repr(args))\n")
    return with_final(trajectory, "```python\n" + "\n".join(code) + "```")


def _visible_tests(columns: Mapping[str, Any]) -> str:
    found: list[str] = []
    for name in ("tests", "visible_tests", "test_list", "examples"):
        value = columns.get(name)
        listed = value if isinstance(value, (list, tuple)) else [value]
        found += [item for item in listed if isinstance(item, str)]
    return "\n".join(found)
