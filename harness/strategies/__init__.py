"""Hypothesis strategies for tests of agents, guards and rewards: conversations, tool calls, code edits, JSON, PII text,
and cases that mean the same as another (``perturb``, ``shrink`` and ``keep_case`` need no hypothesis).

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
    from harness.strategies.machines import tool_machine as tool_machine
    from harness.strategies.metamorphic import FaultPlan as FaultPlan
    from harness.strategies.metamorphic import fault_plans as fault_plans
    from harness.strategies.metamorphic import keeping_failures as keeping_failures
    from harness.strategies.metamorphic import perturbed_cases as perturbed_cases
    from harness.strategies.metamorphic import renamed_tools as renamed_tools
    from harness.strategies.personal import PiiText as PiiText
    from harness.strategies.personal import pii_texts as pii_texts
    from harness.strategies.perturbing import KINDS as KINDS
    from harness.strategies.perturbing import Edit as Edit
    from harness.strategies.perturbing import Perturbed as Perturbed
    from harness.strategies.perturbing import perturb as perturb
    from harness.strategies.renamed import Renamed as Renamed
    from harness.strategies.renamed import rename_tools as rename_tools
    from harness.strategies.shrinking import keep_case as keep_case
    from harness.strategies.shrinking import shrink as shrink
    from harness.strategies.shrinking import shrink_awaiting as shrink_awaiting

_WHERE = {
    "KINDS": "perturbing",
    "Edit": "perturbing",
    "Perturbed": "perturbing",
    "perturb": "perturbing",
    "Renamed": "renamed",
    "rename_tools": "renamed",
    "FaultPlan": "metamorphic",
    "fault_plans": "metamorphic",
    "keeping_failures": "metamorphic",
    "perturbed_cases": "metamorphic",
    "renamed_tools": "metamorphic",
    "keep_case": "shrinking",
    "shrink": "shrinking",
    "shrink_awaiting": "shrinking",
    "tool_machine": "machines",
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
