"""One trial: whatever happens in it becomes exactly one record."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from harness.core.case import Case
from harness.core.errors import ProviderBroken
from harness.core.exchange import CURRENT, TrialContext
from harness.core.record import Record, Trial
from harness.core.score import Score
from harness.core.trajectory import ModelCall, Trajectory
from harness.core.usage import Usage
from harness.runs.trial import Work, abandoned_record, run_trial


class Echo:
    name = "echo"

    async def run(self, case, trial):
        return Trajectory.from_answer(str(case.input))


class Raises:
    name = "raises"

    def __init__(self, error):
        self.error = error

    async def run(self, case, trial):
        raise self.error


class Judge:
    def __init__(self, score, name="judge"):
        self.name = name
        self._score = score

    def evaluate(self, trajectory, case):
        if isinstance(self._score, BaseException):
            raise self._score
        return self._score


YES = Score.passed_if("yes", True, "1 of 1")
NO = Score.passed_if("no", False, "0 of 1")
CASE = Case(id="c", input="hello")


def work(**more) -> Work:
    return Work(**{"suite": "s", "nodeid": "s[c]", "case": CASE, "agent": Echo(), "ahead": True, **more})


def tried(made: Work, *, deadline_s: float | None = None) -> Record:
    trial = Trial.of("c", 2, run_seed=9, deadline_s=deadline_s)
    record, _ = asyncio.run(run_trial(made, trial))
    assert CURRENT.get() is None, "the trial's context does not outlive it"
    return record


def test_a_passing_trial_keeps_its_identity_scores_and_trajectory():
    record = tried(work(evaluators=(Judge(YES),), dataset="d", area="a", config_hash="x", arm="arm"))
    assert record.outcome == "passed"
    assert record.key == ("s", "arm", "c", 2)
    assert (record.dataset, record.area, record.config_hash, record.agent) == ("d", "a", "x", "echo")
    assert record.seed == Trial.of("c", 2, run_seed=9).seed
    assert record.trajectory.answer == "hello"
    assert record.scores == (YES,)
    assert record.case_hash == CASE.content_hash
    assert record.duration_s >= 0


@pytest.mark.parametrize(
    ("scores", "outcome"),
    [
        ((YES,), "passed"),
        ((YES, NO), "failed"),
        ((YES, ZeroDivisionError("x")), "errored"),
        ((NO, ZeroDivisionError("x")), "failed"),
        ((YES, Score.not_measured("n", "nothing expected", expected_nothing=True)), "passed"),
        ((YES, Score.not_measured("n", "the judge was silent", kind="judge")), "errored"),
        ((Score.not_measured("n", "nothing expected", expected_nothing=True),), "errored"),
        ((), "errored"),
    ],
)
def test_the_outcome_by_the_scores_of_a_test_without_a_body(scores, outcome):
    assert tried(work(evaluators=tuple(Judge(score) for score in scores))).outcome == outcome


def test_the_boundary_that_could_not_judge_is_named():
    record = tried(work(evaluators=(Judge(Score.not_measured("n", "silent", kind="judge")),)))
    assert record.error.kind == "judge"
    assert "silent" in record.error.message


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("own"), "agent"),
        (ProviderBroken("busy", reason="rate_limited"), "provider"),
        (SystemExit(3), "agent"),
        (KeyboardInterrupt(), "agent"),
        (asyncio.CancelledError(), "agent"),
        (StopAsyncIteration(), "agent"),
        (RecursionError("deep"), "agent"),
    ],
)
def test_what_an_agent_raises_is_an_error_of_the_boundary_it_names(error, kind):
    record = tried(work(agent=Raises(error), evaluators=(Judge(YES),)))
    assert record.outcome == "errored"
    assert record.error.kind == kind
    assert record.error.type == type(error).__name__
    assert not any(score.measured for score in record.scores), "nothing is judged where nothing was done"


def test_the_reason_of_a_provider_is_kept_for_grouping():
    record = tried(work(agent=Raises(ProviderBroken("busy", reason="rate_limited", status=429))))
    assert record.error.reason == "rate_limited"


def test_an_agent_that_returns_something_else_is_told_what_to_return():
    class Wrong:
        name = "wrong"

        async def run(self, case, trial):
            return "text"

    record = tried(work(agent=Wrong()))
    assert record.error.kind == "agent"
    assert "Trajectory.from_answer" in record.error.message


def test_the_deadline_ends_a_hanging_agent_and_keeps_the_cost_it_had():
    class Hangs:
        name = "hangs"

        async def run(self, case, trial):
            context = CURRENT.get()
            assert context is not None
            context.calls.append(
                ModelCall(
                    model="m", provider="p", usage=Usage(input_tokens=1, output_tokens=1), cost_usd=Decimal("0.5")
                )
            )
            await asyncio.sleep(3600)

    record = tried(work(agent=Hangs()), deadline_s=0.05)
    assert record.outcome == "errored"
    assert record.error.kind == "timeout"
    assert "0.05 s" in record.error.message
    assert record.cost_usd == Decimal("0.5")
    assert len(record.trajectory.model_calls) == 1


def test_an_agents_own_timeout_is_not_the_trials_deadline():
    record = tried(work(agent=Raises(TimeoutError("mine"))), deadline_s=60)
    assert record.error.kind == "agent"


def test_cancellation_from_outside_is_passed_on_and_the_end_is_told():
    told: list[object] = []

    class Hangs:
        name = "hangs"

        async def run(self, case, trial):
            await asyncio.sleep(3600)

    async def cancelled() -> None:
        task = asyncio.create_task(
            run_trial(
                work(agent=Hangs()),
                Trial.of("c", 0),
                begin=lambda context: told.append(context),
                end=lambda context, record: told.append(record),
            )
        )
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert isinstance(told[0], TrialContext)
    assert told[1] is None


def test_a_body_may_run_the_agent_several_times_and_the_record_has_all_of_it():
    async def body(session):
        first = await session.run_agent()
        second = await session.run_agent("again")
        third = await session.run_agent(replace(CASE, input="other"))
        assert (first.answer, second.answer, third.answer) == ("hello", "again", "other")

    record = tried(work(ahead=False, body=body))
    assert record.outcome == "passed"
    assert record.trajectory.metadata["agent_runs"] == 3
    assert [m["content"] for m in record.trajectory.messages if m["role"] == "assistant"] == ["hello", "again", "other"]


def test_evaluating_before_the_agent_ran_is_an_error_that_says_what_to_do():
    async def body(session):
        await session.evaluate([Judge(YES)])

    record = tried(work(ahead=False, body=body))
    assert record.outcome == "errored"
    assert "await agent(case) first" in record.error.message


def test_an_unknown_price_of_one_call_makes_the_cost_unknown_and_not_less():
    class Calls:
        name = "calls"

        async def run(self, case, trial):
            usage = Usage(input_tokens=1, output_tokens=1)
            for cost in (Decimal("0.1"), None):
                CURRENT.get().calls.append(ModelCall(model="m", provider="p", usage=usage, cost_usd=cost))
            CURRENT.get().calls.append(
                ModelCall(model="j", provider="p", usage=usage, cost_usd=Decimal("0.7"), purpose="judge")
            )
            return Trajectory.from_answer("x")

    record = tried(work(agent=Calls(), evaluators=(Judge(YES),)))
    assert record.cost_usd is None
    assert record.judge_cost_usd == Decimal("0.7"), "the judge's money is counted apart"


def test_the_record_of_an_abandoned_trial_is_a_timeout_that_says_what_is_wrong():
    record = abandoned_record(work(), Trial.of("c", 1, deadline_s=2.0), 7.5)
    assert (record.outcome, record.error.kind, record.error.reason) == ("errored", "timeout", "abandoned")
    assert record.key == ("s", "", "c", 1)
    assert "2 s" in record.error.message
    assert "7.5 s" in record.error.message
