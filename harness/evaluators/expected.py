"""Which evaluators a case asks for: exactly those that read something it expects."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import cast

from harness.core.case import Case, Expectation
from harness.core.contracts import Evaluator


def expected_evaluators(case: Case) -> tuple[Evaluator, ...]:
    """The default evaluators that read something ``case`` expects, in the order of the shelf.

    Empty when the case expects nothing, or only ``custom`` things of the team's own evaluators.
    """
    return tuple(make() for reads, make in _shelf() if reads(case.expected))


def judge_expected() -> tuple[Evaluator, ...]:
    """The default set: every evaluator that reads an expectation. On a case that expects nothing of one, it says so."""
    return tuple(make() for _, make in _shelf())


Reads = Callable[[Expectation], bool]
Make = Callable[[], Evaluator]


@cache
def _shelf() -> list[tuple[Reads, Make]]:
    from harness.evaluators.contains import Contains
    from harness.evaluators.cost import Cost
    from harness.evaluators.end_state import EndState
    from harness.evaluators.exact_match import ExactMatch
    from harness.evaluators.forbidden_tools import ForbiddenTools
    from harness.evaluators.json_schema import JsonSchema
    from harness.evaluators.latency import Latency
    from harness.evaluators.not_contains import NotContains
    from harness.evaluators.numeric import Numeric
    from harness.evaluators.pattern import Pattern
    from harness.evaluators.steps import MaxSteps
    from harness.evaluators.tool_arguments import ToolArguments
    from harness.evaluators.tool_choice import ToolChoice
    from harness.evaluators.trajectory_match import TrajectoryMatch

    shelf: list[tuple[Reads, Callable[[], object]]] = [
        (lambda e: e.answer is not None or bool(e.answers), ExactMatch),
        (lambda e: bool(e.contains), Contains),
        (lambda e: bool(e.not_contains), NotContains),
        (lambda e: e.pattern is not None, Pattern),
        (lambda e: e.json_schema is not None, JsonSchema),
        (lambda e: e.number is not None, Numeric),
        (lambda e: e.tool_calls is not None, ToolChoice),
        (lambda e: e.tool_calls is not None, ToolArguments),
        (lambda e: e.tool_calls is not None and e.tool_order == "strict", TrajectoryMatch),
        (lambda e: bool(e.forbidden_tools), ForbiddenTools),
        (lambda e: e.state is not None, EndState),
        (lambda e: e.max_steps is not None, MaxSteps),
        (lambda e: e.max_cost_usd is not None, Cost),
        (lambda e: e.max_latency_s is not None, Latency),
    ]
    # The contract's ``name`` is a plain attribute; on frozen dataclasses it is read-only, which is all that is needed.
    return cast("list[tuple[Reads, Make]]", shelf)
