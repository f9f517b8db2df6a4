"""Hypothesis strategies for tests of agents, guards and rewards: conversations, tool calls, code edits, JSON, PII text.

``from harness.strategies import conversations``; hypothesis (extra ``properties``) seeds and shrinks.
Nothing is made up that could belong to a person: numbers and addresses come from reserved ranges, names from a list.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.strategies.chat import cases as cases
    from harness.strategies.chat import completions as completions
    from harness.strategies.chat import conversations as conversations
    from harness.strategies.chat import hostile_texts as hostile_texts
    from harness.strategies.chat import tool_calls as tool_calls
    from harness.strategies.chat import trajectories as trajectories
    from harness.strategies.code import CodeEdit as CodeEdit
    from harness.strategies.code import code_edits as code_edits
    from harness.strategies.code import python_functions as python_functions
    from harness.strategies.jsons import json_objects as json_objects
    from harness.strategies.jsons import json_values as json_values
    from harness.strategies.personal import PiiText as PiiText
    from harness.strategies.personal import pii_texts as pii_texts

_WHERE = {
    "CodeEdit": "code",
    "PiiText": "personal",
    "cases": "chat",
    "code_edits": "code",
    "completions": "chat",
    "conversations": "chat",
    "hostile_texts": "chat",
    "json_objects": "jsons",
    "json_values": "jsons",
    "pii_texts": "personal",
    "python_functions": "code",
    "tool_calls": "chat",
    "trajectories": "chat",
}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    try:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        from harness.core.errors import MissingDependency

        raise MissingDependency("hypothesis", extra="properties", purpose=f"harness.strategies.{name}") from error


def __dir__() -> list[str]:
    return [*globals(), *__all__]
