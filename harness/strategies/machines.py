"""State machines over the tools of a world: any order of calls, any arguments, and what must hold after each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule


def tool_machine(
    world: Callable[[], Any],
    calls: Mapping[str, Mapping[str, st.SearchStrategy[Any]]],
    act: Callable[[Any, str, Mapping[str, Any]], Any],
    *holds: Callable[[Any], None],
    close: Callable[[Any], None] = lambda world: None,
) -> type[RuleBasedStateMachine]:
    """A hypothesis state machine; ``tool_machine(...).TestCase`` is a test.

    :param world: makes a fresh world, once per example.
    :param calls: strategies of the arguments, by tool and parameter.
    :param act: does one call on the world; what it raises fails the test.
    :param holds: invariants: each gets the world after every call and asserts.
    :param close: frees the world after an example.
    """

    def setup(self: Any) -> None:
        self.world = world()

    def checked(self: Any) -> None:
        for one in holds:
            one(self.world)

    def teardown(self: Any) -> None:
        if hasattr(self, "world"):
            close(self.world)

    def doing(name: str) -> Callable[..., None]:
        def step(self: Any, arguments: Mapping[str, Any]) -> None:
            act(self.world, name, arguments)

        step.__name__ = name
        return step

    body: dict[str, Any] = {"setup_world": initialize()(setup), "everything_holds": invariant()(checked)}
    body["teardown"] = teardown
    for name, arguments in calls.items():
        drawn = st.fixed_dictionaries(dict(arguments))
        body[f"call_{name}"] = rule(arguments=drawn)(doing(name))
    return type("ToolMachine", (RuleBasedStateMachine,), body)
