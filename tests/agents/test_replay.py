from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.agents.replay import ReplayAgent
from harness.core.case import Case
from harness.core.errors import RecordingMissing
from harness.core.record import Trial
from harness.core.trajectory import ModelCall, Trajectory

RECORDED = {
    ("refund-1", 0): Trajectory.from_answer("yes", model_calls=(ModelCall(model="m"),)),
    ("refund-1", 1): Trajectory.from_answer("no"),
    ("greeting", 0): Trajectory.from_answer("hello"),
}


def play(case_id: str, index: int = 0, recordings: Any = RECORDED, **more: Any) -> Trajectory:
    agent = ReplayAgent(recordings, **more)
    return asyncio.run(agent.run(Case(id=case_id, input="x"), Trial.of(case_id, index)))


def test_each_trial_gets_its_own_recording_marked_as_replayed() -> None:
    assert (play("refund-1").answer, play("refund-1", 1).answer) == ("yes", "no")
    assert play("refund-1").model_calls[0].replayed is True
    assert RECORDED["refund-1", 0].model_calls[0].replayed is False


def test_a_missing_case_names_the_nearest() -> None:
    with pytest.raises(RecordingMissing, match=r"'refund-11', trial 0; nearest of 2 recorded cases: 'refund-1'"):
        play("refund-11")


def test_a_missing_trial_names_the_recorded_ones() -> None:
    with pytest.raises(RecordingMissing, match=r"trial 2; trials recorded for this case: 0, 1 .*at most 2 trials"):
        play("refund-1", 2)


def test_nothing_recorded_says_so() -> None:
    with pytest.raises(RecordingMissing, match="nothing recorded; record it with"):
        play("a", recordings={})


def test_a_case_that_has_changed_since_has_no_recording() -> None:
    case = Case(id="greeting", input="x")
    assert play("greeting", case_hashes={"greeting": case.content_hash}).answer == "hello"
    with pytest.raises(RecordingMissing, match="has changed since it was recorded"):
        play("greeting", case_hashes={"greeting": "0123"})
