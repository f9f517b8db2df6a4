"""``--harness-sensitivity``: faults put into every trial that passed, judged by the suite's own evaluators and bodies.

A fault in a trajectory needs no agent: it is played to the body as if the agent had made it. A fault in a part of a
live agent runs the agent once more. Neither is a trial of the run: nothing of it reaches the journal, the scorecard's
rates or the exit code, but through a rule of kind ``kill_rate``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.core.case import Case
from harness.core.errors import Broken, Failure
from harness.core.record import Record, Trial
from harness.core.trajectory import Trajectory
from harness.runs.trial import Judgement, TrialSession, Work, run_trial

if TYPE_CHECKING:
    from harness.plugin.session import HarnessSession
    from harness.sensitivity.attack import Attack, Fault


class Played:
    """An agent whose runs have been: each call gives the next one. Made anew for every fault."""

    def __init__(self, name: str, runs: Sequence[Trajectory]) -> None:
        self.name = name
        self._runs = iter(runs)

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        """The next run. Raises Broken when the test asks for more than there were."""
        found = next(self._runs, None)
        if found is None:
            raise Broken("the test's body runs the agent more often than in the trial that is played to it")
        return found


class Stored:
    """The trajectories of a stored run, in the agent's place."""

    name = "stored run"

    def __init__(self, folder: Path) -> None:
        from harness.results.reader import open_run

        self._runs: dict[tuple[str, str, str], dict[int, Record]] = {}
        for record in open_run(folder, strict=False).records:
            if record.trajectory is not None:
                self._runs.setdefault((record.suite, record.arm, record.case_id), {})[record.trial] = record
        self.folder = folder

    def trials(self, suite: str, arm: str, case_id: str) -> list[int]:
        """Which trials of a case there are."""
        return sorted(self._runs.get((suite, arm, case_id), ()))

    def agent(self, work: Work, trial: Trial) -> Played:
        """What the agent did in this trial: one run, or the several that its test asked for."""
        record = self._runs.get((work.suite, work.arm, work.case.id), {}).get(trial.index)
        if record is None or record.trajectory is None:
            raise Broken(f"the run {self.folder.name} has no trajectory of this trial, so nothing can be put into it")
        if record.case_hash and work.case_hash and record.case_hash != work.case_hash:
            raise Broken(f"the case has changed since the run {self.folder.name}; run it anew")
        return Played(record.agent or self.name, split(record.trajectory))

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        """Stands where a session needs an agent before a trial is known; never the one that is run."""
        raise Broken("a stored run was asked to answer a case of another trial")


def split(trajectory: Trajectory) -> list[Trajectory]:
    """A trial's runs of the agent, told apart by where each began; one where that is not known."""
    starts = trajectory.metadata.get("agent_runs_at")
    if not isinstance(starts, list) or len(starts) < 2 or not all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(n, int) for n in pair) for pair in starts
    ):  # fmt: skip
        return [trajectory]
    ends = [*starts[1:], [len(trajectory.messages), len(trajectory.model_calls)]]
    return [
        trajectory.with_(
            messages=trajectory.messages[first[0] : end[0]], model_calls=trajectory.model_calls[first[1] : end[1]]
        )
        for first, end in zip(starts, ends, strict=True)
    ]


class Attacking:
    """Puts every fault into the trials of one session, and keeps what became of it."""

    def __init__(self, session: HarnessSession) -> None:
        self._session = session
        self.stored = Stored(Path(session.settings.sensitivity_of)) if session.settings.sensitivity_of else None

    def play(self, work: Work, trial: Trial) -> Work:
        """The work as it is to be run: with the stored run in the agent's place where there is one."""
        if self.stored is None:
            return work
        try:
            return replace(work, agent=self.stored.agent(work, trial))
        except Broken as error:
            return replace(work, agent=_Missing(error))

    async def examine(self, work: Work, trial: Trial, record: Record, runs: Sequence[Trajectory]) -> None:
        """Attack one finished trial and write the line about it. What goes wrong here costs the run nothing else.

        A suite that claims no fault has nothing to find out; one that is only observed, unless it names some.
        """
        planned = self._session.plans.get((work.suite, work.arm))
        claims = self._session.claims.get(work.suite)
        if not claims and (claims is not None or (planned is not None and planned.observe)):
            return
        try:
            attack = await self._attack(work, trial, record, runs)
        except Exception as error:  # noqa: BLE001 - the trial itself has been measured and must stay so
            self._session.notices.append(f"{work.nodeid}: no faults put in: {type(error).__name__}: {error}"[:500])
            return
        from harness.sensitivity.store import append

        append(self._session.open_run(), self._session.worker, [attack])

    async def _attack(self, work: Work, trial: Trial, record: Record, runs: Sequence[Trajectory]) -> Attack:
        from harness.sensitivity import BOUNDS, OPERATORS, PARTS
        from harness.sensitivity.attack import BODY, Attack, Fault

        session = self._session
        planned = session.plans.get((work.suite, work.arm))
        seed = session.settings.seed
        bounds, faults = {}, {}
        for bound in BOUNDS if runs else ():
            made = [bound.made(run, work.case, seed=seed, trial=trial.index) for run in runs]
            bounds[bound.name] = (await self._judged(work, trial, Played(bound.name, made)))[0].outcome
        if record.outcome == "passed" and runs:
            for operator in OPERATORS:
                mutants = [operator.mutate(run, work.case, seed=seed, trial=trial.index) for run in runs]
                if all(mutant is None for mutant in mutants):
                    faults[operator.name] = Fault(fate="equivalent")
                    continue
                worse = [run if mutant is None else mutant for run, mutant in zip(runs, mutants, strict=True)]
                result = await self._judged(work, trial, Played(operator.name, worse))
                faults[operator.name] = _fault(result, runs, worse)
            if self.stored is None:
                for part in PARTS:
                    faults[part.name] = await self._live(work, trial, part, runs)
        judges = [str(getattr(judge, "name", "") or type(judge).__name__) for judge in work.evaluators]
        return Attack(
            suite=work.suite, arm=work.arm, area=work.area, case_id=work.case.id, trial=trial.index, seed=seed,
            cluster=work.case.cluster or "", observe=planned is not None and planned.observe,
            limit=None if planned is None else planned.pass_rate,
            judges=(*dict.fromkeys(judges), *((BODY,) if work.body is not None else ())),
            claims=session.claims.get(work.suite), faults=faults, bounds=bounds,
        )  # fmt: skip

    async def _live(self, work: Work, trial: Trial, part: Any, runs: Sequence[Trajectory]) -> Fault:
        from harness.sensitivity.attack import Fault

        worse = part.wrap(work.agent)
        if worse is None:
            return Fault(fate="equivalent")
        result = await self._judged(work, trial, worse)
        made = result[1].trajectories
        alike = len(made) == len(runs) and all(
            one.messages == other.messages and one.state == other.state for one, other in zip(runs, made, strict=True)
        )
        return Fault(fate="equivalent") if alike else _fault(result, runs, made)

    async def _judged(self, work: Work, trial: Trial, agent: Any) -> tuple[Record, TrialSession]:
        """One more run of a trial's body and evaluators, with another agent; no part of the run."""
        way_out = self._session._way_out
        body = None if work.body is None else _all_judges(work)
        other = replace(
            work, agent=agent, body=body, explain=_explain, evaluators=work.evaluators if body is None else ()
        )
        await asyncio.sleep(0)  # a trial with its faults is long; others get their turn in between
        return await run_trial(
            other,
            trial,
            gateway=way_out.gateway,
            begin=way_out.begin,
            end=lambda context, record: way_out.end(context, None),  # a recording of a faulty trial is never kept
        )


class _Missing:
    name = "stored run"

    def __init__(self, error: Broken) -> None:
        self._error = error

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        raise self._error


def _fault(result: tuple[Record, TrialSession], before: Sequence[Trajectory], after: Sequence[Trajectory]) -> Fault:
    from harness.sensitivity.attack import BODY, Fault
    from harness.sensitivity.example import difference

    record, session = result
    if record.outcome == "failed":
        by = dict.fromkeys(score.name for score in session.scores if score.passed is False)
        if record.failure.startswith(_BY_BODY):
            by[BODY] = None
        return Fault(fate="killed", by=tuple(by))
    if record.outcome != "passed":
        return Fault(fate="errored", after=str(record.error.message)[:300] if record.error else "")
    pairs = zip(before, after, strict=False)
    one, other = next(((a, b) for a, b in pairs if a != b), (before[0], after[0] if after else before[0]))
    shown = difference(one, other)
    return Fault(fate="survived", before=shown[0], after=shown[1])


_BY_BODY = "the test's body: "


def _is_assertion(error: BaseException) -> bool:
    return isinstance(error, (AssertionError, pytest.fail.Exception))


def _explain(error: BaseException) -> Judgement:
    """As the session explains exceptions, without the page of source that nobody would read."""
    if _is_assertion(error):
        return Judgement(outcome="failed", text=f"{_BY_BODY}{type(error).__name__}")
    if isinstance(error, pytest.skip.Exception):
        return Judgement(outcome="not_run", failure=Failure(kind="harness", message=f"skipped: {error}"))
    return Judgement(outcome="errored", failure=Failure.of(error, kind="harness"))


def _all_judges(work: Work) -> Any:
    """The body, and the declared evaluators also where the body has failed: each has to show what it notices."""

    async def body(session: TrialSession) -> None:
        broken: BaseException | None = None
        assert work.body is not None
        try:
            result = work.body(session)
            if result is not None:
                await result
        except (AssertionError, pytest.fail.Exception) as error:
            broken = error
        if session.trajectories:
            await session.evaluate(work.evaluators)
        if broken is not None:
            raise broken

    return body
