"""Which turn of a failed run is to blame: the one that first said what the run concluded, and the ones that failed.

For runs of which nothing is known but that they failed. A turn's *blame*, at most 0, is

- minus the share of the conclusion's words that the turn was the first to say, without having them from the request or
  from a tool's result (what was brought is not the agent's own claim), and
- minus 1 when a tool call of the turn failed.

The *conclusion* is the last thing said that has at least three words (:mod:`harness.rewards.tools_words`). Handed out
with :func:`harness.rewards.credits_of`, the lowest credit is the first turn to look at. On public labelled failures
this is better than chance and not much better than always naming the second turn; ``docs/benchmarks`` has the figures.
"""

from __future__ import annotations

from harness.core.trajectory import ToolCall, Trajectory, message_text
from harness.rewards.tools_use import asked_words
from harness.rewards.tools_words import words

_FEWEST_WORDS = 3


def blame(trajectory: Trajectory) -> tuple[float, ...]:
    """The blame of each turn (assistant message), in [-2, 0]; an empty tuple for a run without turns."""
    texts = [message_text(m) for m in trajectory.messages if m.get("role") == "assistant"]
    calls: dict[int, list[ToolCall]] = {}
    for call in trajectory.tool_calls:
        calls.setdefault(call.step, []).append(call)
    said = [words(text) for text in texts]
    conclusion = next((found for found in reversed(said) if len(found) >= _FEWEST_WORDS), frozenset())
    seen = set(asked_words(trajectory))
    out = []
    for step, own in enumerate(said):
        claimed = set(own)
        for call in calls.get(step, ()):
            claimed |= words(call.raw_arguments)
        share = len((claimed - seen) & conclusion) / len(conclusion) if conclusion else 0.0
        failed = any(call.error is not None for call in calls.get(step, ()))
        out.append(0.0 - share - failed)
        seen |= claimed
        for call in calls.get(step, ()):
            seen |= words(call.result or "")
    return tuple(out)
