"""When two tool calls are the same call: equal name and equal arguments, however these were written."""

from __future__ import annotations

from harness.core.case import content_hash
from harness.core.trajectory import ToolCall, Trajectory


def call_identity(call: ToolCall) -> tuple[str, str]:
    """Name and a hash of the arguments; key order and white space do not count. Unreadable arguments by their text."""
    if call.arguments is not None:
        try:
            return call.name, content_hash(call.arguments)
        except (ValueError, TypeError, RecursionError):
            # Models write NaN and absurd nesting; such arguments have no canonical form, only their text.
            return call.name, content_hash(call.raw_arguments)
    return call.name, content_hash(call.raw_arguments)


def succeeded(call: ToolCall) -> bool:
    """Whether the call came back, and without an error. A call that nothing answered did not succeed."""
    return call.error is None and call.result is not None


def tool_errors(trajectory: Trajectory) -> list[ToolCall]:
    """The calls that came back with an error, in order."""
    return [call for call in trajectory.tool_calls if call.error is not None]
