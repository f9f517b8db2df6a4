"""Tools and worlds: what an agent can do, and what it does it to.

The words:

- *tool*: a name, a schema in OpenAI's function format, and a call that takes the parsed arguments.
- *world*: what the tools of one trial share (a database, a mailbox), made for the trial and closed after it. Its
  state at the end is part of the trajectory.

A tool that raises is answered to the model as an error, which it may recover from; a tool that raises ToolBroken ends
the trial as a failure of the kind ``tool``.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from harness.agents.function_schema import Parameters, function_schema
from harness.core.errors import UsageError


@runtime_checkable
class Tool(Protocol):
    """Something a model can call."""

    name: str
    schema: Mapping[str, Any]
    """``{"type": "function", "function": {"name": ..., "description": ..., "parameters": JSON Schema}}``."""

    def call(self, arguments: Mapping[str, Any]) -> Any | Awaitable[Any]:
        """The result: a text, or any JSON. May be a coroutine."""
        ...


@runtime_checkable
class World(Protocol):
    """What the tools of one trial share. ``state`` and ``close`` may be coroutines."""

    tools: Sequence[Any]
    """Tools, or plain typed functions."""

    def state(self) -> Any:
        """The end state, JSON; None when there is none to show."""
        ...

    def close(self) -> Any:
        """Give everything back. Called exactly once, also when the trial broke."""
        ...


class FunctionTool:
    """A Python function as a tool; made by :func:`function_tool`."""

    def __init__(self, fn: Callable[..., Any], *, schema: Mapping[str, Any], parameters: Parameters, thread: bool):
        self.fn = fn
        self.schema = schema
        self.name: str = schema["function"]["name"]
        self._parameters = parameters
        self._thread = thread

    def __repr__(self) -> str:
        return f"FunctionTool({self.name})"

    async def call(self, arguments: Mapping[str, Any]) -> Any:
        """Run the function. Wrong argument names are a ValueError that names the right ones."""
        given = self._parameters.bind(self.name, arguments)
        if self._thread:
            import asyncio

            result = await asyncio.to_thread(self.fn, **given)
        else:
            result = self.fn(**given)
        return await result if inspect.isawaitable(result) else result


def function_tool(
    fn: Callable[..., Any], *, name: str = "", description: str = "", thread: bool = False
) -> FunctionTool:
    """A tool whose schema is read from a typed function: annotations, defaults, docstring.

    :param fn: sync or async. Its docstring's first paragraph describes the tool; ``:param x:`` lines, a Google-style
        ``Args:`` block or ``Annotated[T, "text"]`` describe parameters. ``Literal`` and ``Enum`` become choices.
    :param thread: run a sync function in a thread. The default runs it on the event loop, where it can share a
        SQLite connection but holds every other trial up for as long as it takes.
    :raises UsageError: for parameters that a model cannot pass (positional-only, ``*args``), or with no name.
    """
    schema, parameters = function_schema(fn, name=name, description=description)
    return FunctionTool(fn, schema=schema, parameters=parameters, thread=thread)


def as_tools(given: Sequence[Any]) -> dict[str, Tool]:
    """Tools by name, functions turned into tools.

    :raises UsageError: for two tools of one name, or something that is no tool.
    """
    tools: dict[str, Tool] = {}
    for item in given:
        if isinstance(item, Tool):
            tool: Tool = item
        elif callable(item):
            tool = function_tool(item)
        else:
            raise UsageError(
                f"{item!r} is not a tool: give a typed function, or an object with name, schema and call(arguments)"
            )
        if tool.name in tools:
            raise UsageError(f"two tools are called {tool.name!r}; rename one: function_tool(fn, name=...)")
        tools[tool.name] = tool
    return tools
