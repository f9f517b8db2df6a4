"""What a test body gets under each fixture name: the objects behind case, trial, agent, trajectory and evaluate."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from harness.core.exchange import CURRENT
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.runs.engine import Engine
from harness.runs.trial import TrialSession

NAMES = ("case", "trial", "agent", "trajectory", "evaluate")
"""The fixtures of a golden test, in the order in which they are usually wanted."""


class AsyncAgent:
    """``agent`` in an ``async def`` test: ``trajectory = await agent(case)``."""

    def __init__(self, session: TrialSession) -> None:
        self._session = session

    async def __call__(self, given: Any = None, *, keep_errors: bool = False) -> Trajectory:
        """Run the agent on the case (or on another input); see ``TrialSession.run_agent``."""
        return await self._session.run_agent(given, keep_errors=keep_errors)


class PlainAgent:
    """``agent`` in a plain ``def`` test: ``trajectory = agent(case)``."""

    def __init__(self, session: TrialSession, engine: Engine) -> None:
        self._session = session
        self._engine = engine

    def __call__(self, given: Any = None, *, keep_errors: bool = False) -> Trajectory:
        """Run the agent on the case (or on another input) and wait for it."""
        result = self._in_trial(lambda: self._session.run_agent(given, keep_errors=keep_errors))
        assert isinstance(result, Trajectory)
        return result

    def _in_trial(self, make: Callable[[], Any]) -> Any:
        token = CURRENT.set(self._session.context)  # the coroutine's task copies the context of this thread
        try:
            return self._engine.call(make())
        finally:
            CURRENT.reset(token)


class AsyncEvaluate:
    """``evaluate`` in an ``async def`` test: ``scores = await evaluate(Contains(...))``."""

    def __init__(self, session: TrialSession) -> None:
        self._session = session

    async def __call__(self, *evaluators: Any, trajectory: Trajectory | None = None) -> list[Score]:
        """Judge the latest trajectory; the scores go on the record, and a failing one fails the trial."""
        return await self._session.evaluate(evaluators, trajectory)


class PlainEvaluate:
    """``evaluate`` in a plain ``def`` test: ``scores = evaluate(Contains(...))``."""

    def __init__(self, session: TrialSession, engine: Engine) -> None:
        self._session = session
        self._engine = engine

    def __call__(self, *evaluators: Any, trajectory: Trajectory | None = None) -> list[Score]:
        """Judge the latest trajectory and wait for it; the scores go on the record."""
        token = CURRENT.set(self._session.context)
        try:
            result = self._engine.call(self._session.evaluate(evaluators, trajectory))
        finally:
            CURRENT.reset(token)
        assert isinstance(result, list)
        return result


def bind(names: tuple[str, ...], session: TrialSession, engine: Engine, *, is_async: bool) -> dict[str, Any]:
    """The harness's arguments of one body in one trial."""
    bound: dict[str, Any] = {}
    for name in names:
        if name == "case":
            bound[name] = session.work.case
        elif name == "trial":
            bound[name] = session.trial
        elif name == "agent":
            bound[name] = AsyncAgent(session) if is_async else PlainAgent(session, engine)
        elif name == "trajectory":
            bound[name] = session.trajectory
        elif name == "evaluate":
            bound[name] = AsyncEvaluate(session) if is_async else PlainEvaluate(session, engine)
    return bound


def wanted(function: Callable[..., Any]) -> tuple[str, ...]:
    """The harness's names that a test function asks for."""
    return tuple(name for name in inspect.signature(function).parameters if name in NAMES)


def body_of(
    function: Callable[..., Any],
    names: tuple[str, ...],
    engine: Callable[[], Engine],
    others: Callable[[], dict[str, Any]],
    around: Any = None,
) -> Callable[[TrialSession], Any]:
    """A test function as the body of a trial.

    :param names: what :func:`wanted` says of it.
    :param engine: gives the running engine.
    :param others: gives the arguments that are not the harness's (parameters, wider fixtures).
    :param around: a context manager factory to hold around a plain body (output capture), or None.
    """
    if inspect.iscoroutinefunction(function):

        async def awaited(session: TrialSession) -> None:
            await function(**{**others(), **bind(names, session, engine(), is_async=True)})

        return awaited

    async def in_main_thread(session: TrialSession) -> None:
        running = engine()

        def run() -> None:
            arguments = {**others(), **bind(names, session, running, is_async=False)}
            token = CURRENT.set(session.context)
            try:
                if around is None:
                    result = function(**arguments)
                else:
                    with around():
                        result = function(**arguments)
            finally:
                CURRENT.reset(token)
            if result is not None and inspect.isawaitable(result):
                raise TypeError(f"{function.__name__} returned an awaitable; declare it with 'async def'")

        await running.in_main_thread(run)

    return in_main_thread
