"""Recorded runs, judged without running anything.

Your own: ``pytest suites/recorded --harness-replay=runs.json`` with tau-bench's format, lists of chat messages, or a
journal of this harness. Every recorded trial is judged, so the outcome comes with pass^k. Both suites only observe:
what happened has happened, and no release depends on a recording unless a rule in ``reports/`` says so.
"""

from __future__ import annotations

import pytest

from harness.core.case import Case
from harness.core.trajectory import Trajectory
from harness.evaluators import (
    Cost,
    DuplicateCalls,
    Latency,
    Loops,
    MaxSteps,
    OutcomeAsRecorded,
    Recovery,
    Tokens,
    ToolErrors,
)

RUNS = "recorded:fixtures/recorded/desk_runs.json"


@pytest.mark.golden(RUNS, area="recorded", evaluators=[OutcomeAsRecorded()], observe=True)
def test_outcome(case: Case, trajectory: Trajectory) -> None:
    """The outcome as the recording states it."""


@pytest.mark.golden(
    RUNS,
    area="recorded",
    evaluators=[
        ToolErrors(),
        Recovery(),
        Loops(),
        DuplicateCalls(),
        MaxSteps(),
        Tokens(),
        Cost(),
        Latency(),
    ],
    observe=True,
)
def test_conduct(case: Case, trajectory: Trajectory) -> None:
    """How the agent went about it: nothing here has a limit, so nothing here can fail."""
