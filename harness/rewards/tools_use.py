"""Which tool calls were of use: found by following what the closing answer stands on, from the end to the beginning.

The words:

- What a call *brings* are the words of its result that were nowhere before: not in what the user said, not in the
  arguments of this or an earlier call, not in an earlier result. A failed call brings nothing.
- The *closing text* is what the agent says after its last tool call.
- A call is *useful* when the case expected it, or when something it brings stands in the closing text or in the
  arguments of a later useful call. So a call made only to repeat another one's result makes neither of them useful.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from harness.core.trajectory import ToolCall, Trajectory, message_text
from harness.rewards.tools_words import words


def asked_words(trajectory: Trajectory) -> frozenset[str]:
    """Words of everything that was said to the agent (system, user), tools not counted."""
    found: frozenset[str] = frozenset()
    for message in trajectory.messages:
        if message.get("role") not in ("assistant", "tool"):
            found |= words(message_text(message))
    return found


def closing_text(trajectory: Trajectory) -> str:
    """What the agent said after its last tool call, in one piece."""
    parts: list[str] = []
    for message in reversed(trajectory.messages):
        if message.get("role") == "assistant":
            if message.get("tool_calls"):
                break
            parts.append(message_text(message))
    return "".join(reversed(parts))


def brought(calls: Sequence[ToolCall], asked: Collection[str]) -> list[frozenset[str]]:
    """What each call brings."""
    seen = set(asked)
    out = []
    for call in calls:
        seen |= words(call.raw_arguments)
        result = words(call.result) if call.result is not None else frozenset()
        out.append(frozenset() if call.error is not None else result - seen)
        seen |= result
    return out


def useful_calls(trajectory: Trajectory, expected: Collection[int] = ()) -> tuple[bool, ...]:
    """For each call, whether it was of use.

    :param expected: indices of the calls that the case expected: these are useful whatever became of their result.
    """
    calls = trajectory.tool_calls
    fresh = brought(calls, asked_words(trajectory))
    needed = set(words(closing_text(trajectory)))
    useful = [False] * len(calls)
    for index in range(len(calls) - 1, -1, -1):
        if index in expected or not fresh[index].isdisjoint(needed):
            useful[index] = True
            needed |= words(calls[index].raw_arguments)
    return tuple(useful)
