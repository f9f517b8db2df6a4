"""Faults in what an agent takes: ten times the tokens and the money, or far more time."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random

from harness.core.case import Case
from harness.core.trajectory import ModelCall, Trajectory
from harness.core.usage import Usage
from harness.sensitivity.messages import is_guard
from harness.sensitivity.operator import Operator

TIMES = 10
PAUSE_S = 60.0


def ten_times(trajectory: Trajectory, case: Case, rng: Random) -> Trajectory | None:
    """Ten times the tokens and the cost; applies where either is known and not zero."""
    calls = tuple(_dearer(call) for call in trajectory.model_calls)
    reported = None if trajectory.reported_cost_usd is None else trajectory.reported_cost_usd * TIMES
    return None if is_guard(trajectory) else trajectory.with_(model_calls=calls, reported_cost_usd=reported)


def slow(trajectory: Trajectory, case: Case, rng: Random) -> Trajectory | None:
    """Ten times the time and a minute on top; applies where the agent was timed."""
    if is_guard(trajectory) or trajectory.latency_s is None:
        return None
    calls = tuple(
        call if call.latency_s is None else replace(call, latency_s=call.latency_s * TIMES + PAUSE_S)
        for call in trajectory.model_calls
    )
    return trajectory.with_(latency_s=trajectory.latency_s * TIMES + PAUSE_S, model_calls=calls)


def _dearer(call: ModelCall) -> ModelCall:
    usage = Usage()
    for _ in range(TIMES):
        usage = usage + call.usage
    cost = None if call.cost_usd is None else call.cost_usd * Decimal(TIMES)
    return replace(call, usage=usage, cost_usd=cost)


SPENDING = (
    Operator(name="ten_times_cost", what="spends ten times the tokens and the money", change=ten_times),
    Operator(name="slow", what="takes ten times as long and a minute more", change=slow),
)
