"""Minimal diff: recorded edits of four languages earn what their size and their scaffolding deserve.

Override the fixture ``minimal_diff`` in a conftest.py to hold your own settings to the same edits.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from harness.core.case import Case
from harness.core.record import Trial
from harness.core.trajectory import Trajectory
from harness.rewards import MinimalDiff, MinimalDiffEvaluator


class AsRecorded:
    """Leaves the files that stand in the case."""

    name = "as recorded"

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        """The recorded edit."""
        return Trajectory(state={"files": case.metadata["after"]}, reported_cost_usd=Decimal(0))


@pytest.fixture(scope="session")
def minimal_diff() -> MinimalDiff:
    """The reward under test."""
    return MinimalDiff()


@pytest.mark.golden("minimal_diff", area="rewards", agent=AsRecorded(), evaluators=[], trials=1)
def test_minimal_diff(case: Case, trajectory: Trajectory, minimal_diff: MinimalDiff, evaluate) -> None:
    """Exactly the labelled kinds are found; without scaffolding and beyond remarks the reference earns 1."""
    wanted = case.expected.custom["scaffolds"]
    found = minimal_diff.measure(trajectory, case)
    evaluate(MinimalDiffEvaluator(minimal_diff))
    assert sorted({one.kind for one in found.scaffolds}) == wanted
    if wanted:
        assert minimal_diff.floor < found.multiplier < 1
    if {"gold", "layout"} & set(case.tags):
        assert found.multiplier == 1.0
