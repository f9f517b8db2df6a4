"""The shelf of metrics: one file each, judged by rule. Nothing is imported until it is asked for.

To add one: copy the shape of a neighbour into a new file, give it ``evaluate(trajectory, case) -> Score``, name it
below, and check it with :func:`harness.testing.check_evaluator`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.evaluators.contains import Contains as Contains
    from harness.evaluators.cost import Cost as Cost
    from harness.evaluators.deepeval_evaluator import deepeval_metric as deepeval_metric
    from harness.evaluators.duplicate_calls import DuplicateCalls as DuplicateCalls
    from harness.evaluators.end_state import EndState as EndState
    from harness.evaluators.exact_match import ExactMatch as ExactMatch
    from harness.evaluators.expected import expected_evaluators as expected_evaluators
    from harness.evaluators.expected import judge_expected as judge_expected
    from harness.evaluators.forbidden_tools import ForbiddenTools as ForbiddenTools
    from harness.evaluators.json_schema import JsonSchema as JsonSchema
    from harness.evaluators.judge.combined import Combined as Combined
    from harness.evaluators.judge.judge import Judge as Judge
    from harness.evaluators.judge.opinion import Opinion as Opinion
    from harness.evaluators.judge.pair import PairJudge as PairJudge
    from harness.evaluators.judge.panel import Panel as Panel
    from harness.evaluators.judge.rubric import Criterion as Criterion
    from harness.evaluators.judge.rubric import Rubric as Rubric
    from harness.evaluators.latency import Latency as Latency
    from harness.evaluators.loops import Loops as Loops
    from harness.evaluators.not_contains import NotContains as NotContains
    from harness.evaluators.numeric import Numeric as Numeric
    from harness.evaluators.outcome_as_recorded import OutcomeAsRecorded as OutcomeAsRecorded
    from harness.evaluators.pattern import Pattern as Pattern
    from harness.evaluators.recovery import Recovery as Recovery
    from harness.evaluators.semantic.evaluators import AnswerRelevance as AnswerRelevance
    from harness.evaluators.semantic.evaluators import Completeness as Completeness
    from harness.evaluators.semantic.evaluators import ContextPrecision as ContextPrecision
    from harness.evaluators.semantic.evaluators import ContextRecall as ContextRecall
    from harness.evaluators.semantic.evaluators import Faithfulness as Faithfulness
    from harness.evaluators.semantic.evaluators import TaskCompletion as TaskCompletion
    from harness.evaluators.semantic.evaluators import Tone as Tone
    from harness.evaluators.steps import MaxSteps as MaxSteps
    from harness.evaluators.tokens import Tokens as Tokens
    from harness.evaluators.tool_arguments import ToolArguments as ToolArguments
    from harness.evaluators.tool_choice import ToolChoice as ToolChoice
    from harness.evaluators.tool_errors import ToolErrors as ToolErrors
    from harness.evaluators.trajectory_match import TrajectoryMatch as TrajectoryMatch

_WHERE = {
    "Combined": "judge.combined",
    "Contains": "contains",
    "Cost": "cost",
    "Criterion": "judge.rubric",
    "DuplicateCalls": "duplicate_calls",
    "EndState": "end_state",
    "ExactMatch": "exact_match",
    "ForbiddenTools": "forbidden_tools",
    "JsonSchema": "json_schema",
    "Judge": "judge.judge",
    "Latency": "latency",
    "Loops": "loops",
    "MaxSteps": "steps",
    "NotContains": "not_contains",
    "Numeric": "numeric",
    "Opinion": "judge.opinion",
    "OutcomeAsRecorded": "outcome_as_recorded",
    "PairJudge": "judge.pair",
    "Panel": "judge.panel",
    "Pattern": "pattern",
    "Recovery": "recovery",
    "Tokens": "tokens",
    "ToolArguments": "tool_arguments",
    "ToolChoice": "tool_choice",
    "ToolErrors": "tool_errors",
    "Rubric": "judge.rubric",
    "AnswerRelevance": "semantic.evaluators",
    "Completeness": "semantic.evaluators",
    "ContextPrecision": "semantic.evaluators",
    "ContextRecall": "semantic.evaluators",
    "Faithfulness": "semantic.evaluators",
    "TaskCompletion": "semantic.evaluators",
    "Tone": "semantic.evaluators",
    "TrajectoryMatch": "trajectory_match",
    "deepeval_metric": "deepeval_evaluator",
    "expected_evaluators": "expected",
    "judge_expected": "expected",
}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
