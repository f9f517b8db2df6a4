"""Faults put into a live agent: its prompt, its tools or its model is wrapped in something worse.

An agent is taken apart by what its attributes can do, not by its class: a text called ``system``, something with
``complete`` called ``model``, ``tools`` by name and a ``world`` that makes some, in the agent or in an agent it holds.
What has none of these (a plain function, a service behind an address) cannot be wrapped, and its faults are those of
its trajectories only.
"""

from __future__ import annotations

import copy
import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.core.trajectory import message_text
from harness.sensitivity.messages import role

DEPTH = 4
"""How many agents within agents are looked into."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One kind of fault in a part of an agent."""

    name: str
    what: str
    """As for an operator: the end of "an agent that ..."."""
    attributes: tuple[str, ...]
    change: Callable[[str, Any], Any]
    """(attribute, value) to the worse value; None where it cannot be made worse."""

    def wrap(self, agent: Any, *, depth: int = 0) -> Any:
        """A worse copy of an agent; None when it has nothing to wrap. The agent itself stays as it is."""
        if depth > DEPTH or not hasattr(agent, "__dict__"):
            return None
        worse, changed = copy.copy(agent), False
        for name, value in list(vars(agent).items()):
            if name in self.attributes and value:
                other = self.change(name, value)
            elif inspect.iscoroutinefunction(getattr(value, "run", None)) and not isinstance(value, type):
                other = self.wrap(value, depth=depth + 1)
            else:
                continue
            if other is not None:
                setattr(worse, name, other)
                changed = True
        return worse if changed else None


class WorseModel:
    """A model that is asked, or answers, in a worse way."""

    def __init__(self, inner: Any, *, asked: Any = None, answered: Any = None, tools: bool = True) -> None:
        self.name = getattr(inner, "name", "")
        self._inner, self._asked, self._answered, self._tools = inner, asked, answered, tools

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def complete(self, messages: Sequence[Any], *, tools: Sequence[Any] = (), **options: Any) -> Any:
        """See :class:`harness.core.contracts.Model`."""
        given = messages if self._asked is None else self._asked(messages)
        reply = await self._inner.complete(given, tools=tools if self._tools else (), **options)
        return reply if self._answered is None else self._answered(reply)


class WorseTool:
    """A tool whose results go through a function; or that fails without being called."""

    def __init__(self, inner: Any, result: Callable[[Any], Any] | None) -> None:
        self.name, self.schema, self._inner, self._result = inner.name, inner.schema, inner, result

    async def call(self, arguments: Mapping[str, Any]) -> Any:
        """See :class:`harness.agents.tools.Tool`."""
        if self._result is None:
            raise RuntimeError("the service does not answer")
        result = self._inner.call(arguments)
        return self._result(await result if inspect.isawaitable(result) else result)


class WorseWorld:
    """A world with worse tools."""

    def __init__(self, inner: Any, result: Callable[[Any], Any] | None) -> None:
        self._inner = inner
        self.tools = [_worse_tool(tool, result) for tool in inner.tools]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _worse_tool(tool: Any, result: Callable[[Any], Any] | None) -> Any:
    if hasattr(tool, "call") and hasattr(tool, "schema"):
        return WorseTool(tool, result)

    @functools.wraps(tool)
    def worse(*args: Any, **kwargs: Any) -> Any:
        if result is None:
            raise RuntimeError("the service does not answer")
        made = tool(*args, **kwargs)
        if not inspect.isawaitable(made):
            return result(made)

        async def later() -> Any:
            return result(await made)

        return later()

    return worse


def _tools(result: Callable[[Any], Any] | None) -> Callable[[str, Any], Any]:
    def change(name: str, value: Any) -> Any:
        if name == "tools":
            pairs = value.items() if isinstance(value, Mapping) else None
            return {key: _worse_tool(tool, result) for key, tool in pairs} if pairs else None

        async def make(case: Any, trial: Any) -> Any:
            world = value(case, trial)
            return WorseWorld(await world if inspect.isawaitable(world) else world, result)

        return make if callable(value) else None

    return change


def other_numbers(value: Any) -> Any:
    """The same JSON, every number one more, and every digit in a text the next one."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, str):
        return re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), value)
    if isinstance(value, Mapping):
        return {key: other_numbers(item) for key, item in value.items()}
    return [other_numbers(item) for item in value] if isinstance(value, (list, tuple)) else value


def _prompt(value: Any, kept: float) -> Any:
    return value[: int(len(value) * kept)] if isinstance(value, str) and value else None


def _forgetting(messages: Sequence[Any]) -> list[Any]:
    """The prompt, and everything since the user spoke last: earlier turns are gone."""
    last = max((n for n, message in enumerate(messages) if role(message) == "user"), default=0)
    return [m for m in messages[:last] if role(m) == "system"] + list(messages[last:])


def _cut(reply: Any) -> Any:
    body = reply.body
    choices = body.get("choices") if isinstance(body, Mapping) else None
    if not isinstance(choices, (list, tuple)) or not choices or not isinstance(choices[0], Mapping):
        return reply
    message = choices[0].get("message")
    if not isinstance(message, Mapping) or message.get("tool_calls"):
        return reply
    text = message_text(message)
    changed = {**choices[0], "message": {**message, "content": text[: len(text) // 3]}}
    return replace(reply, body={**body, "choices": [changed, *choices[1:]]})


def _model(**how: Any) -> Callable[[str, Any], Any]:
    return lambda name, value: WorseModel(value, **how) if hasattr(value, "complete") else None


PARTS = (
    Part(name="no_prompt", what="has lost its system prompt", attributes=("system",),
         change=lambda name, value: _prompt(value, 0)),
    Part(name="half_prompt", what="has lost the second half of its system prompt", attributes=("system",),
         change=lambda name, value: _prompt(value, 0.5)),
    Part(name="tools_fail", what="has tools that all fail", attributes=("tools", "world"), change=_tools(None)),
    Part(name="tools_lie", what="has tools that give other numbers", attributes=("tools", "world"),
         change=_tools(other_numbers)),
    Part(name="model_without_tools", what="has a model that is offered no tool", attributes=("model",),
         change=_model(tools=False)),
    Part(name="model_forgets", what="has a model that forgets earlier turns", attributes=("model",),
         change=_model(asked=_forgetting)),
    Part(name="model_cuts", what="has a model that stops early", attributes=("model",), change=_model(answered=_cut)),
)  # fmt: skip
"""Every operator on the parts of a live agent."""
