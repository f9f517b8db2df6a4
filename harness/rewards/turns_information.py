"""How much a run knew after each turn: a number in [0, 1] that never falls, so that a turn's gain is a difference.

Three ways to tell, the first that applies:

- *belief*: the team's own function says how likely the right answer is after a prefix of the messages, as in IGPO
  (Wang et al. 2025, "Information Gain-based Policy Optimization", arXiv:2510.14967), where it is the policy's own
  probability of the right answer. This one may fall, and then the gain is negative.
- *needed*: the case says what is right. The share of the words of the expected answers and arguments, that were not in
  the request, which tool results have shown so far.
- *used*: the case says nothing. 1 - exp(-n/10) for n words that results brought and that the closing text, or a later
  useful call, took up; known only in hindsight. What is only read and never used is worth nothing.

The levels depend on the order of calls and results alone, so cutting a turn in two moves a gain and makes none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.trajectory import Message, Trajectory
from harness.rewards.tools_use import asked_words, brought, closing_text, useful_calls
from harness.rewards.tools_words import words

Belief = Callable[[Sequence[Message], Case], float]
"""Probability of the right answer after these messages, in [0, 1]."""
_USED_SCALE = 10.0


def needed_words(trajectory: Trajectory, case: Case) -> frozenset[str]:
    """Words of what the case expects that the request does not give away."""
    expected = case.expected
    texts = [text for text in (expected.answer, *expected.answers[:1], *expected.contains) if text]
    if expected.number is not None:
        texts.append(f"{expected.number:g}")
    for call in expected.tool_calls or ():
        given: Mapping[str, Any] = call.arguments or {}
        texts += [str(value) for value in given.values()]
        for options in (call.accepted or {}).values():
            first = options[0] if isinstance(options, (list, tuple)) and options else options
            texts.append(str(first))
    found: frozenset[str] = frozenset()
    for text in texts:
        found |= words(text)
    return found - asked_words(trajectory)


def levels_by_call(trajectory: Trajectory, case: Case) -> list[float] | None:
    """The level after each tool call's result; None where nothing can be said (nothing expected, nothing called)."""
    calls = trajectory.tool_calls
    needed = needed_words(trajectory, case)
    out: list[float] = []
    if needed:
        known: set[str] = set()
        for call in calls:
            if call.error is None and call.result is not None:
                known |= words(call.result) & needed
            out.append(len(known) / len(needed))
        return out
    if not calls:
        return None
    fresh = brought(calls, asked_words(trajectory))
    useful = useful_calls(trajectory)
    wanted = set(words(closing_text(trajectory)))
    for index in range(len(calls) - 1, -1, -1):
        if useful[index]:
            wanted |= words(calls[index].raw_arguments)
    used = 0
    for words_of in fresh:
        used += len(words_of & wanted)
        out.append(1 - math.exp(-used / _USED_SCALE))
    return out


def believed(belief: Belief, messages: Sequence[Message], case: Case) -> float:
    """What a team's belief says, checked.

    :raises UsageError: it is outside [0, 1].
    """
    value = float(belief(messages, case))
    if not 0.0 <= value <= 1.0:
        raise UsageError(f"a belief is a probability in [0, 1], got {value!r} after {len(messages)} messages")
    return value
