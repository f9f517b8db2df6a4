"""Tools under guard: the call is judged before it is made, the result before anybody reads it.

For agents that run their tools themselves::

    tools = guarded_tools([search, send_email], policy)

Inside :func:`harness.guardrails.guarded` the calls are judged as part of that session (who asks, what they asked for);
outside, with the ``data`` given here. A stopped call raises :class:`ActionRefused`, which a tool loop tells the model
as a tool's error.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from harness.core.errors import UsageError
from harness.guardrails.events import arguments_text, result_text
from harness.guardrails.pipeline import Pipeline, as_pipeline
from harness.guardrails.session import SESSION, ActionRefused, Outcome, Session


class GuardedTool:
    """A tool object (``name``, ``schema``, ``call``) under guard."""

    def __init__(self, tool: Any, guard: _Guard) -> None:
        self._tool = tool
        self._guard = guard
        self.name: str = tool.name
        self.schema: Mapping[str, Any] = tool.schema

    def __repr__(self) -> str:
        return f"GuardedTool({self.name})"

    async def call(self, arguments: Mapping[str, Any]) -> Any:
        """The tool's result, redacted where a guard said so. Raises ActionRefused."""
        return await self._guard.around(self.name, arguments, self._tool.call, self.schema)


class _GuardedWorld:
    """A world whose tools are under guard; everything else is the world's own."""

    def __init__(self, world: Any, tools: Sequence[Any]) -> None:
        self._world = world
        self.tools = tools

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)


def guarded_tools(tools: Sequence[Any], policy: Any, *, data: Mapping[str, Any] | None = None) -> list[Any]:
    """The same tools under guard: objects with ``name``, ``schema`` and ``call``, or plain functions, sync or async.

    :param policy: a pipeline, a guard, or guards.
    :param data: who asks, for calls outside a guarded agent.
    :raises UsageError: for something that is no tool.
    """
    guard = _Guard(as_pipeline(policy), dict(data or {}))
    return [_wrapped(tool, guard) for tool in tools]


def guarded_world(
    make: Callable[..., Any], policy: Any, *, data: Mapping[str, Any] | None = None
) -> Callable[..., Awaitable[Any]]:
    """A world factory whose worlds have their tools under guard: ``ToolLoop(world=guarded_world(make, policy))``."""
    guard = _Guard(as_pipeline(policy), dict(data or {}))

    async def made(*given: Any) -> Any:
        world = make(*given)
        world = await world if inspect.isawaitable(world) else world
        return _GuardedWorld(world, [_wrapped(tool, guard) for tool in world.tools])

    return made


def _wrapped(tool: Any, guard: _Guard) -> Any:
    if hasattr(tool, "call") and hasattr(tool, "schema"):
        return GuardedTool(tool, guard)
    if not callable(tool):
        raise UsageError(f"{tool!r} is not a tool: give a function, or an object with name, schema and call(arguments)")
    name = getattr(tool, "__name__", type(tool).__name__)
    signature = inspect.signature(tool)

    def named(given: tuple[Any, ...], by_name: dict[str, Any]) -> dict[str, Any]:
        return dict(signature.bind(*given, **by_name).arguments)

    def call(arguments: Mapping[str, Any]) -> Any:
        bound = signature.bind_partial()
        bound.arguments.update(arguments)
        return tool(*bound.args, **bound.kwargs)

    if inspect.iscoroutinefunction(tool):

        @functools.wraps(tool)
        async def later(*given: Any, **by_name: Any) -> Any:
            return await guard.around(name, named(given, by_name), call, None)

        return later

    @functools.wraps(tool)
    def now(*given: Any, **by_name: Any) -> Any:
        return guard.around_sync(name, named(given, by_name), call)

    return now


class _Guard:
    """Judges calls in the session that runs, or in one of its own."""

    def __init__(self, pipeline: Pipeline, data: Mapping[str, Any]) -> None:
        self._pipeline = pipeline
        self._data = data

    def _session(self) -> Session:
        return SESSION.get() or Session(pipeline=self._pipeline, data=self._data)

    async def around(
        self, name: str, arguments: Mapping[str, Any], call: Callable[..., Any], schema: Mapping[str, Any] | None
    ) -> Any:
        made = _Made(arguments)

        async def run(written: str) -> str:
            try:
                result = call(made.given(written))
                made.result = await result if inspect.isawaitable(result) else result
            except Exception as error:  # noqa: BLE001 - raised again by `read` unless a guard minds what it says
                made.error = error
            return made.text()

        return made.read(await self._session().passing(name, made.written, run, schema=schema, also=self._pipeline))

    def around_sync(self, name: str, arguments: Mapping[str, Any], call: Callable[..., Any]) -> Any:
        made = _Made(arguments)

        def run(written: str) -> str:
            try:
                made.result = call(made.given(written))
            except Exception as error:  # noqa: BLE001 - raised again by `read` unless a guard minds what it says
                made.error = error
            return made.text()

        return made.read(self._session().passing_sync(name, made.written, run, also=self._pipeline))


class _Made:
    """One call of a tool object: values on the tool's side, texts on the guards'."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._arguments = arguments
        self.written = arguments_text(arguments)
        self.result: Any = None
        self.error: Exception | None = None

    def given(self, written: str) -> Mapping[str, Any]:
        """The arguments to call with: the very ones where no guard changed them."""
        if written == self.written:
            return self._arguments
        changed: Mapping[str, Any] = json.loads(written)
        return changed

    def text(self) -> str:
        """What the model would read."""
        if self.error is not None:
            return arguments_text({"error": f"{type(self.error).__name__}: {self.error}"})
        return result_text(self.result)

    def read(self, outcome: Outcome) -> Any:
        """The result after the guards, of the type the tool returns where it can be."""
        if outcome.refused:
            raise ActionRefused(outcome.refused) from None
        if self.error is not None:
            if outcome.text == self.text():
                raise self.error
            raise ActionRefused(outcome.text) from None
        if outcome.text == self.text() or isinstance(self.result, str):
            return self.result if outcome.text == self.text() else outcome.text
        try:
            return json.loads(outcome.text)
        except (ValueError, RecursionError):
            return outcome.text
