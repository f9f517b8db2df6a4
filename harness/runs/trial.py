"""One trial from start to record: the one place where what goes wrong becomes data."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from harness.core.case import Case
from harness.core.clock import SYSTEM, Clock
from harness.core.contracts import Agent, Evaluator
from harness.core.errors import Broken, Failure
from harness.core.exchange import CURRENT, DirectGateway, Gateway, TrialContext
from harness.core.record import Outcome, Record, Trial
from harness.core.score import Score
from harness.core.trajectory import Trajectory

MAX_TEXT = 20_000
"""Longest failure text kept, in characters."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What an exception of a test body means."""

    outcome: Outcome
    text: str = ""
    failure: Failure | None = None


@dataclass(frozen=True, kw_only=True)
class Work:
    """Everything that the trials of one item have in common."""

    suite: str
    nodeid: str
    case: Case
    agent: Agent
    arm: str = ""
    dataset: str = ""
    area: str = ""
    statistical: bool = False
    observe: bool = False
    """Measured and shown, never gating."""
    config_hash: str = ""
    evaluators: tuple[Evaluator, ...] = ()
    """Declared ones: each judges the final trajectory, and may fail the trial."""
    ahead: bool = False
    """Whether the agent runs before the body (a body that asks for ``trajectory``, or has none)."""
    body: Callable[[TrialSession], Awaitable[None] | None] | None = None
    """The test's body; awaited when it returns an awaitable."""
    explain: Callable[[BaseException], Judgement] | None = None
    """Tells what the test framework's own exceptions mean, and how an assertion reads."""
    case_hash: str = ""


class TrajectoryBroken(Broken):
    """The agent's run broke, so what follows it in a test body would judge nothing."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(kw_only=True)
class TrialSession:
    """What the body of a test can do in its trial: run the agent, evaluate."""

    work: Work
    trial: Trial
    context: TrialContext
    trajectories: list[Trajectory] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    clock: Clock = SYSTEM

    @property
    def trajectory(self) -> Trajectory | None:
        """What happened so far: one run of the agent as it is, several joined in order."""
        if len(self.trajectories) <= 1:
            return self.trajectories[0] if self.trajectories else None
        first, last = self.trajectories[0], self.trajectories[-1]
        known = [part.latency_s for part in self.trajectories if part.latency_s is not None]
        starts, place = [], [0, 0]
        for part in self.trajectories:
            starts.append(place)
            place = [place[0] + len(part.messages), place[1] + len(part.model_calls)]
        return replace(
            first,
            messages=tuple(message for part in self.trajectories for message in part.messages),
            model_calls=tuple(call for part in self.trajectories for call in part.model_calls),
            latency_s=sum(known) if len(known) == len(self.trajectories) else None,
            state=last.state,
            error=last.error,
            metadata={**first.metadata, "agent_runs": len(self.trajectories), "agent_runs_at": starts},
        )

    async def run_agent(self, given: Any = None, *, keep_errors: bool = False) -> Trajectory:
        """Run the agent on the case, or on another input with the rest of the case unchanged.

        :param given: None for the case as it is; a Case; or any input that replaces ``case.input``.
        :param keep_errors: return a broken trajectory instead of ending the trial as errored.
        """
        case = self.work.case
        if isinstance(given, Case):
            case = given
        elif given is not None:
            case = replace(case, input=given, turns=())
        began = self.clock.monotonic()
        seen = len(self.context.calls)
        try:
            trajectory = await self.work.agent.run(case, self.trial)
            if not isinstance(trajectory, Trajectory):
                raise TypeError(
                    f"{_name(self.work.agent)}.run returned {type(trajectory).__name__}; it has to return a "
                    f"harness.Trajectory (Trajectory.from_answer(text) makes one from a text)"
                )
        except BaseException as error:
            if _is_passed_on(error):
                self._keep_partial(seen, began)
                raise
            trajectory = Trajectory(error=Failure.of(error, kind="agent"))
        trajectory = self._complete(trajectory, seen, began)
        self.trajectories.append(trajectory)
        if trajectory.error is not None and not keep_errors:
            raise TrajectoryBroken(trajectory.error)
        return trajectory

    def _complete(self, trajectory: Trajectory, seen: int, began: float) -> Trajectory:
        calls = tuple(call for call in self.context.calls[seen:] if call.purpose == "agent")
        changes: dict[str, Any] = {}
        if calls and not trajectory.model_calls:
            changes["model_calls"] = calls
        if trajectory.latency_s is None:
            changes["latency_s"] = self.clock.monotonic() - began
        if self.context.notes:
            changes["metadata"] = {**trajectory.metadata, **self.context.notes}
        return replace(trajectory, **changes) if changes else trajectory

    def _keep_partial(self, seen: int, began: float) -> None:
        """On cancellation keep what was said and which calls were made, so that neither text nor cost is lost."""
        calls = tuple(self.context.calls[seen:])
        messages = tuple(self.context.notes.pop("partial_messages", ()))
        if calls or messages:
            elapsed = self.clock.monotonic() - began
            self.trajectories.append(Trajectory(messages=messages, model_calls=calls, latency_s=elapsed))

    async def evaluate(self, evaluators: Sequence[Evaluator], trajectory: Trajectory | None = None) -> list[Score]:
        """Judge with each evaluator; a broken evaluator is a not-measured score and never blocks the others."""
        subject = self.trajectory if trajectory is None else trajectory
        if subject is None:
            raise ValueError("nothing to evaluate: the agent has not run in this trial yet; await agent(case) first")
        made = []
        for evaluator in evaluators:
            try:
                score = evaluator.evaluate(subject, self.work.case)
                if inspect.isawaitable(score):
                    score = await score
                if not isinstance(score, Score):
                    raise TypeError(f"returned {type(score).__name__} instead of a harness.Score")
            except BaseException as error:
                if _is_passed_on(error):
                    raise
                failure = Failure.of(error, kind="harness")
                score = Score.not_measured(
                    _name(evaluator), f"{failure.type}: {failure.message}"[:2000], kind=failure.kind
                )
            made.append(score)
        self.scores.extend(made)
        return made


def _is_passed_on(error: BaseException) -> bool:
    """Whether an exception ends the trial from outside. A cancellation that nobody asked for is the code's own."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is None or task.cancelling() > 0
    return isinstance(error, GeneratorExit)


def _name(thing: Any) -> str:
    return str(getattr(thing, "name", "") or type(thing).__name__)


async def run_trial(
    work: Work,
    trial: Trial,
    *,
    gateway: Gateway | None = None,
    begin: Callable[[TrialContext], None] | None = None,
    end: Callable[[TrialContext, Record | None], None] | None = None,
    clock: Clock = SYSTEM,
) -> tuple[Record, TrialSession]:
    """One trial, whatever happens in it.

    :param begin: told the context before anything runs.
    :param end: told the context and the record (None when the trial was cancelled) after everything.

    Cancellation from outside is passed on; everything else ends in the record.
    """
    suite = f"{work.suite}[{work.arm}]" if work.arm else work.suite
    context = TrialContext(case=work.case, trial=trial, suite=suite, gateway=gateway or DirectGateway())
    if begin is not None:
        begin(context)
    record: Record | None = None
    try:
        record, session = await _judged(work, trial, context, clock)
    finally:
        if end is not None:
            end(context, record)
    return record, session


async def _judged(work: Work, trial: Trial, context: TrialContext, clock: Clock) -> tuple[Record, TrialSession]:
    token = CURRENT.set(context)
    session = TrialSession(work=work, trial=trial, context=context, clock=clock)
    started_at, began = clock.wall(), clock.monotonic()
    judgement = Judgement(outcome="passed")
    try:
        if trial.deadline_s is None:
            await _act(session)
        else:
            async with asyncio.timeout(trial.deadline_s) as limit:
                await _act(session)
    except TrajectoryBroken as broken:
        judgement = Judgement(outcome="errored", failure=broken.failure)
    except TimeoutError as error:
        if trial.deadline_s is not None and limit.expired():
            limit_s = f"{trial.deadline_s:g} s"
            message = f"the trial's deadline of {limit_s} passed; raise it with --harness-deadline-s=SECONDS"
            failure = Failure(kind="timeout", message=message, type="TrialTimeout", reason="deadline")
            judgement = Judgement(outcome="errored", failure=failure)
        else:
            judgement = _explain(work, error)
    except BaseException as error:
        if _is_passed_on(error) or isinstance(error, KeyboardInterrupt):
            raise
        judgement = _explain(work, error)
    finally:
        CURRENT.reset(token)
    if judgement.outcome == "passed":
        judgement = _by_scores(session)
    elif judgement.outcome == "errored":
        _not_judged(session)
    return _record(session, judgement, started_at, clock.monotonic() - began), session


async def _act(session: TrialSession) -> None:
    work = session.work
    if work.ahead:
        await session.run_agent()
    if work.body is not None:
        result = work.body(session)
        if result is not None:
            await result
    if work.evaluators and session.trajectories:
        await session.evaluate(work.evaluators)


def abandoned_record(work: Work, trial: Trial, duration_s: float, *, clock: Clock = SYSTEM) -> Record:
    """The record of a trial that was cancelled at its deadline and did not end.

    :param duration_s: how long it has been running.
    """
    message = (
        f"the trial refuses to end: cancelled at its deadline of {trial.deadline_s:g} s, it was still running after "
        f"{duration_s:.1f} s and was abandoned. Something in it swallows asyncio.CancelledError"
    )
    failure = Failure(kind="timeout", message=message, type="TrialTimeout", reason="abandoned")
    session = TrialSession(work=work, trial=trial, context=TrialContext(case=work.case, trial=trial), clock=clock)
    return _record(session, Judgement(outcome="errored", failure=failure), clock.wall() - duration_s, duration_s)


def _explain(work: Work, error: BaseException) -> Judgement:
    if isinstance(error, Broken):
        return Judgement(outcome="errored", failure=Failure.of(error, kind="harness"))
    if work.explain is not None:
        return work.explain(error)
    if isinstance(error, AssertionError):
        return Judgement(outcome="failed", text=str(error)[:MAX_TEXT] or "assertion failed")
    return Judgement(outcome="errored", failure=Failure.of(error, kind="harness"))


def _by_scores(session: TrialSession) -> Judgement:
    """What the declared evaluators make of a trial whose body said nothing against it."""
    failed = [score for score in session.scores if score.passed is False]
    if failed:
        return Judgement(outcome="failed", text="\n".join(f"{s.name}: {s.reason}" for s in failed)[:MAX_TEXT])
    broken = [score for score in session.scores if not score.measured and not score.expected_nothing]
    if broken:
        first = broken[0]
        message = f"{first.name} could not judge: {first.reason}"
        failure = Failure(kind=first.error_kind or "harness", message=message[:4000], reason="not_measured")
        return Judgement(outcome="errored", failure=failure)
    work = session.work
    if work.body is None and not any(score.measured for score in session.scores):
        message = (
            "nothing judged this trial: the case expects nothing that an evaluator reads, and the test has no body"
        )
        return Judgement(outcome="errored", failure=Failure(kind="harness", message=message, reason="nothing_judged"))
    if work.body is None and not work.observe:
        measured = [score for score in session.scores if score.measured]
        if measured and all(_advisory(score) for score in measured):
            message = (
                f"only {measured[0].name} judged this trial, a judge without a valid exam record, and its word alone "
                "passes nothing. Examine it: harness calibrate JUDGE DATASET, or declare observe=True"
            )
            return Judgement(outcome="errored", failure=Failure(kind="judge", message=message, reason="advisory_judge"))
    return Judgement(outcome="passed")


def _advisory(score: Score) -> bool:
    """Whether a score is the word of a judge that may not decide."""
    told = score.evidence.get("judge") if score.passed is None else None
    return isinstance(told, Mapping) and bool(told.get("advisory"))


def _not_judged(session: TrialSession) -> None:
    """Say of every declared evaluator that had no chance that it had none, so that its N keeps the trial."""
    judged = {score.name for score in session.scores}
    for evaluator in session.work.evaluators:
        name = _name(evaluator)
        if name not in judged:
            session.scores.append(Score.not_measured(name, "the trial broke before it could be judged", kind="harness"))


def _cost(calls: Sequence[Any], purpose: str) -> tuple[Decimal | None, bool]:
    total, seen = Decimal(0), False
    for call in calls:
        if call.purpose == purpose:
            seen = True
            if call.cost_usd is None:
                return None, True
            total += call.cost_usd
    return (total if seen else None), seen


def _record(session: TrialSession, judgement: Judgement, started_at: float, duration_s: float) -> Record:
    work, case = session.work, session.work.case
    trajectory = session.trajectory
    cost, seen = _cost(session.context.calls, "agent")
    if not seen and trajectory is not None:
        cost = trajectory.cost_usd
    judge_cost, _ = _cost(session.context.calls, "judge")
    return Record(
        suite=work.suite,
        case_id=case.id,
        case_hash=work.case_hash or case.content_hash,
        trial=session.trial.index,
        outcome=judgement.outcome,
        nodeid=work.nodeid,
        arm=work.arm,
        dataset=work.dataset,
        area=work.area,
        severity=case.severity,
        cluster=case.cluster,
        tags=case.tags,
        seed=session.trial.seed,
        config_hash=work.config_hash,
        agent=_name(work.agent),
        error=judgement.failure,
        failure=judgement.text,
        scores=tuple(session.scores),
        trajectory=trajectory,
        started_at=started_at,
        duration_s=duration_s,
        cost_usd=cost,
        judge_cost_usd=judge_cost,
        statistical=work.statistical,
    )


def declared(evaluators: Mapping[str, Any] | Sequence[Any]) -> list[str]:
    """How evaluators are written into the configuration hash: their repr, which shows their parameters."""
    return [repr(item) for item in (evaluators.values() if isinstance(evaluators, Mapping) else evaluators)]
