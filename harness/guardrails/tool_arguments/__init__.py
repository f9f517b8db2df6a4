"""tool_arguments: a tool call's arguments, valid and harmless before the tool sees them."""

from __future__ import annotations

from harness.guardrails.tool_arguments.corrections import Corrections
from harness.guardrails.tool_arguments.guard import ToolArgumentsGuard
from harness.guardrails.tool_arguments.problem import Problem

__all__ = ["Corrections", "Problem", "ToolArgumentsGuard"]
