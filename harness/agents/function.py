"""A Python function as an agent: sync or async, given by name what it asks for."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.agents.answers import Answered, read_answer
from harness.agents.conversation import converse
from harness.core.case import Case
from harness.core.errors import AgentBroken, UsageError
from harness.core.record import Trial
from harness.core.trajectory import Message, Trajectory

_KNOWN = ("case", "trial", "messages")


class FunctionAgent:
    """Calls ``fn`` for every trial, and for every user turn where it takes ``messages``.

    What ``fn`` is given goes by the names of its parameters:

    - ``case``: the Case;
    - ``trial``: the Trial (index, seed, deadline);
    - ``messages``: the chat so far, a list of its own; ``fn`` is then called once per turn of the user;
    - one other parameter, of any name: ``case.input``.

    What it may return is told in ``harness.agents.answers``, and a Trajectory. A sync function runs in a thread of
    the loop's default executor; a thread cannot be killed, so past its deadline it runs on, unheard.

    :param name: default: the function's own name.
    :param options: passed to ``fn`` as further keyword arguments.
    :raises UsageError: when ``fn`` takes nothing, or needs more than can be given by those names.
    """

    def __init__(self, fn: Callable[..., Any], *, name: str = "", options: Mapping[str, Any] | None = None) -> None:
        if not callable(fn):
            raise UsageError(f"FunctionAgent needs something to call, got {fn!r}")
        self.fn = fn
        self.name = name or getattr(fn, "__name__", "") or type(fn).__name__
        self.options = dict(options or {})
        self._named, self._input = _parameters(fn, self.name, self.options)
        self._async = inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(type(fn).__call__)

    def __repr__(self) -> str:
        return f"FunctionAgent({self.name})"

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        """Call the function and read what it returns.

        :raises AgentBroken: when it returns something unreadable, or the case has ``turns`` that it cannot take.
        """
        by_turn = "messages" in self._named
        if case.turns and not by_turn and "case" not in self._named:
            raise AgentBroken(
                f"case {case.id!r} has {len(case.turns)} scripted turns, and {self.name} takes only the input; "
                f"give it a parameter 'messages' (the chat so far) to be called once per turn: "
                f"def {self.name}(messages): ..."
            )

        async def ask(history: Sequence[Message], said: Any) -> Answered | Trajectory:
            given = {"case": case, "trial": trial, "messages": [dict(message) for message in history]}
            named = {**self.options, **{name: given[name] for name in self._named}}
            if self._input:
                named[self._input] = said
            value = await self._call([said] if self._input == "" else [], named)
            if isinstance(value, Trajectory):
                return value
            return read_answer(value, who=self.name, history=history)

        # A function that takes the case but no messages sees case.turns and plays them itself.
        played = case if by_turn or not case.turns else Case(id=case.id, input=case.input)
        return await converse(played, ask, name=self.name)

    async def _call(self, given: list[Any], named: dict[str, Any]) -> Any:
        if self._async:
            return await self.fn(*given, **named)
        value = await asyncio.to_thread(self.fn, *given, **named)
        return await value if inspect.isawaitable(value) else value


def _parameters(fn: Callable[..., Any], name: str, options: Mapping[str, Any]) -> tuple[tuple[str, ...], str | None]:
    """Which known names ``fn`` takes, and the parameter for the input: "" by position, None where it takes none."""
    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):  # a builtin that does not say: give it the input
        return (), ""
    by_name = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    wrong = [key for key in options if key not in by_name]
    if wrong and not any(p.kind is p.VAR_KEYWORD for p in parameters):
        raise UsageError(f"{name} takes no option {wrong[0]!r}; it takes {', '.join(sorted(by_name)) or 'nothing'}")
    named = tuple(known for known in _KNOWN if known in by_name and known not in options)
    others = [p for p in parameters if p.name not in named and p.name not in options and p.kind is not p.VAR_KEYWORD]
    needed = [p for p in others if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    if len(needed) > 1:
        raise UsageError(
            f"{name} needs {', '.join(repr(p.name) for p in needed)}; an agent function is given one parameter of any "
            "name (the input), and by name any of: case, trial, messages"
        )
    takes = needed or ([] if named else others[:1])
    if not takes and not named:
        raise UsageError(f"{name} takes nothing it could work on; give it a parameter (the input), or 'case'")
    return named, takes[0].name if takes and takes[0].name in by_name else "" if takes else None
