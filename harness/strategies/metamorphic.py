"""Metamorphic relations as strategies: cases that mean the same, tools that fail, and failures kept as golden cases."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from harness.core.case import Case
from harness.strategies.perturbing import KINDS, Perturbed, perturb
from harness.strategies.renamed import Renamed, rename_tools
from harness.strategies.shrinking import keep_case


def perturbed_cases(given: Sequence[Case], *, kinds: Sequence[str] = KINDS) -> st.SearchStrategy[Perturbed]:
    """One of the cases, changed in a way that leaves its meaning alone; kinds that change nothing are left out.

    :param kinds: of ``harness.strategies.KINDS``.
    """
    seeds = st.integers(min_value=0, max_value=999)
    made = st.builds(perturb, st.sampled_from(list(given)), st.sampled_from(list(kinds)), seeds)
    return made.filter(lambda one: one.kind == "field_order" or bool(one.edits))


def renamed_tools(given: Sequence[Case]) -> st.SearchStrategy[Renamed]:
    """One of the cases, with its tools, their parameters and what is expected of them under other names."""
    return st.builds(rename_tools, st.sampled_from(list(given)), st.integers(min_value=0, max_value=3))


@dataclass(frozen=True, kw_only=True)
class FaultPlan:
    """Which calls of which tools fail, and how."""

    faults: Mapping[str, tuple[int, ...]]
    """Numbers of the calls that fail, from 0, by tool."""
    message: str

    def wrap(self, name: str, tool: Callable[..., Any]) -> Callable[..., Any]:
        """The tool with its faults: a failing call raises ``ConnectionError`` and does not reach the tool."""
        count = -1

        @functools.wraps(tool)
        def faulty(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count in self.faults.get(name, ()):
                raise ConnectionError(self.message)
            return tool(*args, **kwargs)

        return faulty


@st.composite
def fault_plans(draw: st.DrawFn, names: Sequence[str], *, first: int = 3, most: int = 3) -> FaultPlan:
    """Plans of injected faults for the tools of these names.

    :param first: only among the first so many calls of a tool.
    :param most: at most so many faults in all.
    """
    places = st.tuples(st.sampled_from(list(names)), st.integers(min_value=0, max_value=first - 1))
    drawn = draw(st.lists(places, max_size=most, unique=True))
    faults = {name: tuple(sorted(at for tool, at in drawn if tool == name)) for name, _ in drawn}
    message = draw(st.sampled_from(("connection reset", "503 service unavailable", "timed out, try again")))
    return FaultPlan(faults=faults, message=message)


def keeping_failures(path: str | Path) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator above ``@given``: what hypothesis shrank a failure to is added to the golden cases of ``path``.

    The last failing example that hypothesis runs is the smallest one it found. The case is taken from the argument that
    is a ``Case``, a ``Perturbed`` or a ``Renamed``.
    """

    def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
        handle: Any = getattr(test, "hypothesis", None)
        if handle is None:
            raise TypeError(f"@keeping_failures stands above @given; {test.__name__} has none below it")
        inner = handle.inner_test
        last: list[Case] = []

        @functools.wraps(inner)
        def noting(*args: Any, **kwargs: Any) -> Any:
            try:
                return inner(*args, **kwargs)
            except Exception:
                found = [getattr(value, "case", value) for value in (*args, *kwargs.values())]
                last[:] = [value for value in found if isinstance(value, Case)] or last
                raise

        handle.inner_test = noting

        @functools.wraps(test)
        def kept(*args: Any, **kwargs: Any) -> Any:
            try:
                return test(*args, **kwargs)
            except BaseException:
                if last:
                    keep_case(path, last[0])
                raise

        return kept

    return decorate
