"""Sabotage: does a reward function turn a crash into a number?

What the completion says is the agent's: a reward may well give 0.0 for nonsense. What is *not* the agent's (the
reference answer, the columns of the task, the state) must never be the reason for a number when it cannot be read: a
crash that becomes 0.0 trains the agent on a lie. So every such thing is replaced by one that breaks when it is
touched, and the function has to raise or to return None.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from types import FrameType
from typing import Any

from harness.core.case import Case
from harness.rewards.adapted import AdaptedReward
from harness.rewards.columns import ANSWER_NAMES


class Sabotage(Exception):
    """What an unreadable thing raises."""


class Unreadable:
    """Something that raises as soon as it is used in any way, and remembers that it was."""

    def __init__(self) -> None:
        self.touched = 0

    def _break(self, *args: Any, **kwargs: Any) -> Any:
        self.touched += 1
        raise Sabotage("this reference cannot be read (put here on purpose, to see whether a crash becomes a number)")


_EVERY_USE = (
    "str", "bool", "len", "iter", "getitem", "contains", "eq", "ne", "lt", "le", "gt", "ge", "float", "int", "add",
    "radd", "sub", "rsub", "mul", "rmul", "truediv", "call", "hash", "format", "index",
)  # fmt: skip
for _use in _EVERY_USE:
    setattr(Unreadable, f"__{_use}__", Unreadable._break)


def _getattr(self: Unreadable, name: str) -> Any:
    if name.startswith("__"):  # asked by Python and by libraries that only look
        raise AttributeError(name)
    return self._break()


Unreadable.__getattr__ = _getattr  # type: ignore[attr-defined]


def sabotaged(case: Case, wanted: set[str], broken: Unreadable) -> Case:
    """The case with everything that is not the agent's made unreadable.

    :param wanted: further columns that the function asks for by name.
    """
    names = {*case.metadata, *case.expected.custom, *ANSWER_NAMES, *wanted} - {"completion", "prompt"}
    expected = replace(case.expected, answer=None, answers=(), number=None, custom=dict.fromkeys(sorted(names), broken))
    return replace(case, expected=expected, metadata={})


def raised_inside(call: Callable[[], Any], reward: AdaptedReward) -> tuple[Any, bool]:
    """What a call gave, and whether something was raised in the reward's own file on the way, caught or not.

    A reward that runs in other threads is seen by what it touches only (see :class:`Unreadable`).
    """
    files = _files_of(reward.wrapped)
    seen = False

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal seen
        if frame.f_code.co_filename not in files:
            return None
        if event == "exception" and not issubclass(argument[0], (StopIteration, StopAsyncIteration, GeneratorExit)):
            seen = True
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return call(), seen
    finally:
        sys.settrace(before)


def _files_of(thing: Any) -> set[str]:
    found = set()
    listed = [thing, getattr(thing, "__func__", None), getattr(thing, "func", None), *getattr(thing, "funcs", ())]
    for part in listed:
        code = getattr(part, "__code__", None)
        if code is not None:
            found.add(code.co_filename)
    owner: Any = thing if isinstance(thing, type) else type(thing)
    for klass in owner.__mro__ if not hasattr(thing, "__code__") else ():
        for member in vars(klass).values():
            code = getattr(member, "__code__", None)
            if code is not None and klass.__module__ != "builtins":
                found.add(code.co_filename)
    return found
