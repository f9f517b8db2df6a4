"""Answering tool calls: the tool's result, or an error that tells the model what to do instead.

An error is a JSON object with one key, ``error``; it names the tools that exist where that helps. A tool's own
exception is answered the same way, because an agent may recover from it; only ToolBroken passes through.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

from harness.agents.tools import Tool
from harness.core.decision import tool_gate
from harness.core.errors import ToolBroken


async def answer_call(call: Mapping[str, Any], tools: Mapping[str, Tool]) -> str:
    """The content of the tool message that answers ``call``: a text as it is, anything else as JSON.

    :param call: ``{"function": {"name": ..., "arguments": text}}``; empty arguments are an empty object.
    :raises ToolBroken: from the tool itself.

    While a guarded agent runs, every call passes its gate first, also one of a tool that does not exist.
    """
    name, written = call["function"]["name"], call["function"]["arguments"]
    gate = tool_gate()
    if gate is None:
        return await _answered(name, written, tools)
    schema = tools[name].schema if name in tools else None
    return await gate.answer(name, written, lambda passed: _answered(name, passed, tools), schema=schema)


async def _answered(name: str, written: str, tools: Mapping[str, Tool]) -> str:
    tool = tools.get(name)
    exist = f"tools that exist: {', '.join(tools) or 'none'}"
    if tool is None:
        return _error(f"there is no tool {name[:100]!r}; {exist}")
    try:
        arguments = json.loads(written) if written.strip() else {}
    except (ValueError, RecursionError) as error:
        return _error(f"the arguments of {name} are not JSON ({str(error)[:200]}); {exist}")
    if not isinstance(arguments, dict):
        return _error(f"the arguments of {name} are a JSON {type(arguments).__name__}, not an object; {exist}")
    try:
        result = tool.call(arguments)
        if inspect.isawaitable(result):
            result = await result
        return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, default=str)
    except ToolBroken:
        raise
    except Exception as error:  # noqa: BLE001 - the agent sees it and may recover from it
        return _error(f"{type(error).__name__}: {error}"[:4000])


def normal_calls(given: Any, *, step: int, taken: dict[str, int]) -> list[dict[str, Any]]:
    """Tool calls in the one form that every endpoint takes back: an id of its own each, arguments as text.

    Small servers leave ids out, or count them from 0 in every reply; two calls of one id could not be told apart.

    :param given: what the model wrote; entries that are no objects are left out.
    :param taken: ids already used in this trial, with how often each was asked for; grows.
    """
    calls = []
    for call in given if isinstance(given, (list, tuple)) else ():
        if not isinstance(call, Mapping):
            continue
        function = call.get("function")
        function = function if isinstance(function, Mapping) else {}
        written = function.get("arguments")
        if not isinstance(written, str):
            written = "{}" if written is None else json.dumps(written, default=str)
        own = call.get("id")
        own = own if isinstance(own, str) and own else f"call_{step}"
        unique = own
        while unique in taken:
            taken[own] = copy = taken.get(own, 1) + 1
            unique = f"{own}_{copy}"
        taken[unique] = 1
        name = function.get("name")
        named = {"name": name if isinstance(name, str) else "", "arguments": written}
        calls.append({"id": unique, "type": "function", "function": named})
    return calls


def _error(text: str) -> str:
    return json.dumps({"error": text}, ensure_ascii=False)
