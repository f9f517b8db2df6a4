"""What one pytest session with golden cases shares: settings, agents, the engine, the run folder and the journal.

Made when the first golden test is collected, never before: a session without one pays for nothing.
"""

from __future__ import annotations

import gc
import os
import re
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.core.case import Case, content_hash
from harness.core.errors import HarnessError, UsageError
from harness.core.record import PlannedSuite, Record, Trial
from harness.plugin.marker import Golden

if TYPE_CHECKING:
    from harness.core.contracts import Agent, Evaluator, GateRule
    from harness.datasets.recorded import RecordedRuns
    from harness.plugin.attacking import Attacking
    from harness.plugin.deciding import Deciding
    from harness.results.journal import JournalWriter
    from harness.results.lock import RunLock
    from harness.results.reader import Finished
    from harness.runs.engine import Engine
    from harness.runs.trial import TrialSession, Work
    from harness.settings import Settings

KEY: pytest.StashKey[HarnessSession] = pytest.StashKey()
DEFAULT_DEADLINE_S = 600.0
"""A trial without a declared deadline is still ended after ten minutes: nothing may hang for ever."""


def worker_id(config: pytest.Config) -> str:
    """``gw0`` on a worker of pytest-xdist, ``main`` elsewhere. The only place that asks."""
    workerinput = getattr(config, "workerinput", None)
    return "main" if workerinput is None else str(workerinput["workerid"])


def workers(config: pytest.Config) -> int:
    """How many worker processes share this run, 1 without pytest-xdist."""
    workerinput = getattr(config, "workerinput", None)
    return 1 if workerinput is None else int(workerinput.get("workercount", 1))


def current(config: pytest.Config) -> HarnessSession:
    """The session's shared state, made on first use. Raises UsageError for settings that make no sense."""
    session = config.stash.get(KEY, None)
    if session is None:
        session = HarnessSession(config)
        config.stash[KEY] = session
    return session


class HarnessSession:
    """See the module's sentence."""

    def __init__(self, config: pytest.Config) -> None:
        from harness.plugin.options import load_settings

        self.config = config
        self.settings: Settings = load_settings(config)
        self.root = config.rootpath
        self.worker = worker_id(config)
        self.plans: dict[tuple[str, str], PlannedSuite] = {}
        self.deselected = 0
        self.folder: Path | None = None
        self.run_id = ""
        self.created_at = ""
        self.started = time.time()
        self.notices: list[str] = []
        self.said_at_collection: list[str] = []
        self.exit_reason = ""
        self.counts: dict[str, int] = {"passed": 0, "failed": 0, "errored": 0, "not_run": 0}
        self.cost_usd = 0.0
        self.models: set[str] = set()
        self.finished: dict[Any, Finished] = {}
        self._datasets: dict[str, Any] = {}
        self._recorded: dict[str, RecordedRuns] = {}
        self._agents: dict[Any, Agent] = {}
        self._stack = AsyncExitStack()
        self._engine: Engine | None = None
        self._journal: JournalWriter | None = None
        self._lock: RunLock | None = None
        self._rules: tuple[GateRule, ...] | None = None
        self._way_out: Any = None
        self._expected: Any = None
        self.deciding: Deciding | None = None
        self._abandoned: set[tuple[int, int]] = set()
        self.claims: dict[str, tuple[str, ...] | None] = {}
        """Per suite what it says it notices."""
        self._attacking: Attacking | None = None

    # -- declarations ---------------------------------------------------------------------------------------------

    def cases(self, golden: Golden) -> tuple[str, str, tuple[Case, ...]]:
        """Name, content hash and the selected cases of a declaration's source."""
        dataset = self._dataset(golden.source)
        return dataset.name, dataset.content_hash, tuple(case for case in dataset if golden.wants(case))

    def recorded(self, golden: Golden) -> RecordedRuns | None:
        """The recorded trajectories that a declaration plays, or None when it runs an agent."""
        source = golden.source
        if not isinstance(source, str) or not source.startswith("recorded:"):
            return None
        path = Path(source.removeprefix("recorded:"))
        path = self.settings.replay or (path if path.is_absolute() else self.root / path)
        runs = self._recorded.get(str(path))
        if runs is None:
            from harness.datasets.recorded import load_recorded

            runs = self._recorded[str(path)] = load_recorded(path)
        return runs

    def _dataset(self, source: Any) -> Any:
        from harness.core.case import Dataset

        if isinstance(source, Dataset):
            return source
        if isinstance(source, (list, tuple)) and all(isinstance(item, Case) for item in source):
            return Dataset(name="inline", cases=tuple(source))
        if isinstance(source, str) and source.startswith("recorded:"):
            runs = self.recorded(Golden(source=source))
            assert runs is not None
            return runs.dataset
        key = str(source) if isinstance(source, (str, Path)) else ""
        if key and key in self._datasets:
            return self._datasets[key]
        from harness.datasets import load_dataset

        if key and "/" not in key and (self.settings.datasets / key).exists():
            source = self.settings.datasets / key
        loaded = load_dataset(source, root=self.root)
        if key:
            self._datasets[key] = loaded
        return loaded

    @property
    def attacking(self) -> Attacking | None:
        """What puts faults into trials; None where nobody asked for it."""
        if self._attacking is None and (self.settings.sensitivity or self.settings.sensitivity_of):
            from harness.plugin.attacking import Attacking

            self._attacking = Attacking(self)
        return self._attacking

    def agent(self, golden: Golden, runs: RecordedRuns | None) -> Agent:
        """The agent of a declaration: recorded runs, the marker's own, or the session's."""
        if self.attacking is not None and self.attacking.stored is not None:
            return self.attacking.stored
        if runs is not None:
            key: Any = ("recorded", id(runs))
        elif golden.agent is not None:
            key = golden.agent if isinstance(golden.agent, str) else ("object", id(golden.agent))
        else:
            key = self.settings.agent or ""
        found = self._agents.get(key)
        if found is None:
            found = self._agents[key] = self._make_agent(golden, runs, key)
        return found

    def _make_agent(self, golden: Golden, runs: RecordedRuns | None, key: Any) -> Agent:
        from harness.runs.opened import Opened

        if runs is not None:
            from harness.agents.replay import ReplayAgent

            return ReplayAgent(runs.trajectories)
        if golden.agent is not None and not isinstance(golden.agent, str):
            from harness.agents.spec import agent_from

            return Opened(agent_from(golden.agent), self._stack)
        if not key:
            raise UsageError(
                "no agent to test. Say which one: --harness-agent=mypackage.agent:answer on the command line, "
                'or agent = "mypackage.agent:answer" under [tool.harness] in pyproject.toml'
            )
        from harness.agents.spec import agent_from_spec

        return Opened(agent_from_spec(key, root=self.root), self._stack)

    def evaluators(self, golden: Golden, case: Case) -> tuple[Evaluator, ...]:
        """The declared evaluators, by default those that read something the case expects."""
        if golden.evaluators is not None:
            return golden.evaluators
        if self._expected is None:
            from harness.evaluators import expected_evaluators

            self._expected = expected_evaluators
        return tuple(self._expected(case))

    def trials(self, golden: Golden, case: Case, runs: RecordedRuns | None) -> tuple[Trial, ...]:
        """The trials of one case, with their seeds and deadlines."""
        deadline = self.settings.with_marker("deadline_s", golden.deadline_s)
        deadline = DEFAULT_DEADLINE_S if deadline is None else deadline
        if runs is not None:
            indices = sorted(index for case_id, index in runs.trajectories if case_id == case.id)
        else:
            indices = list(range(self.settings.with_marker("trials", golden.trials) or 1))
        seed = self.settings.seed
        return tuple(Trial.of(case.id, index, run_seed=seed, deadline_s=deadline) for index in indices)

    def config_hash(self, golden: Golden) -> str:
        """Over everything declared that could change an outcome; resuming demands it unchanged."""
        declared = None if golden.evaluators is None else [_stable_repr(item) for item in golden.evaluators]
        agent = (
            golden.agent if isinstance(golden.agent, str) else (_stable_repr(golden.agent) if golden.agent else None)
        )
        return content_hash(
            {
                "agent": agent or self.settings.agent,
                "guards": self.settings.guards or "",
                "replay": str(self.settings.replay or ""),
                "mode": self.settings.mode,
                "seed": self.settings.seed,
                "evaluators": declared,
                "deadline_s": golden.deadline_s or self.settings.deadline_s,
                **({"reward": self.settings.reward} if self.settings.reward else {}),
            }
        )

    def rules(self) -> tuple[GateRule, ...]:
        """The gate's rules; empty where no rules file is set."""
        if self._rules is None:
            self._rules = ()
            if self.settings.rules is not None:
                from harness.gates.rules_file import load_rules

                self._rules = tuple(load_rules(self.settings.rules))
        return self._rules

    def statistical(self, golden: Golden, suite: str, area: str) -> bool:
        """Whether a rate decides over this suite: by its marker, or by a rule of the gate that covers it."""
        if golden.statistical:
            return True
        from harness.plugin.judging import decides_by_rate

        return any(decides_by_rate(rule, suite, area) for rule in self.rules())

    def plan(self, planned: PlannedSuite) -> None:
        """Count a suite's cases into what this run is going to do (called once per item)."""
        key = (planned.suite, planned.arm)
        before = self.plans.get(key)
        self.plans[key] = planned if before is None else replace(before, cases=before.cases + planned.cases)

    # -- running --------------------------------------------------------------------------------------------------

    def open_run(self) -> Path:
        """The run folder: a new one, the one to resume, or the one a sister worker has made."""
        if self.folder is not None:
            return self.folder
        from harness.plugin.run_start import claim_folder

        self.folder, self.run_id, self.created_at = claim_folder(self)
        if self.worker in ("main", "gw0"):
            from harness.results.lock import RunLock

            self._lock = RunLock(self.folder)
        if self.settings.resume:
            from harness.results.reader import finished_keys

            self.finished = dict(finished_keys(self.folder))
        return self.folder

    @property
    def journal(self) -> JournalWriter:
        """This process's journal, opened on first use."""
        if self._journal is None:
            from harness.results.journal import JournalWriter

            redact: Any = self.settings.redact
            self._journal = JournalWriter(self.open_run(), self.worker, redact=redact)
            self.notices.extend(self._journal.notices)
        return self._journal

    def engine(self) -> Engine:
        """The engine, started on first use."""
        if self._engine is None:
            from harness.plugin.judge_home import settle
            from harness.plugin.way_out import WayOut
            from harness.runs.engine import Engine
            from harness.runs.window import Window

            if str(self.root) not in sys.path and not self.config.getini("pythonpath"):
                sys.path.insert(0, str(self.root))
            concurrency = self.settings.concurrency
            settle(self.settings, self.root)
            assert self.journal is not None  # opened here, so that a full disk or a second run is said before any call
            self._way_out = WayOut(self)
            window = Window(
                fixed=None if concurrency == "auto" else int(concurrency),
                share=workers(self.config),
                floor=self._way_out.limiter.suggested_in_flight,
            )
            self._engine = Engine(
                self.run_trial,
                window=window,
                # With its faults a trial takes as long as many; each of them has the deadline for itself.
                abandon=None if self.attacking is not None else self.abandon_trial,
                closing=self._close_resources,
            )
            # Thousands of collected items live until the end; the collector need not go through them again and again.
            self._froze = gc.get_freeze_count() == 0
            if self._froze:
                gc.freeze()
            self._engine.start()
        return self._engine

    async def run_trial(self, work: Work, trial: Trial) -> Record:
        """One trial, journaled; what stays in memory is without its trajectory."""
        from harness.runs.trial import run_trial

        way_out, attacking, given = self._way_out, self.attacking, work
        if attacking is not None:
            work = attacking.play(work, trial)
        record, session = await run_trial(work, trial, gateway=way_out.gateway, begin=way_out.begin, end=way_out.end)
        if (id(given), trial.index) not in self._abandoned:
            self.journal.append(record.to_json())
            self._count(record, session)
            if self.deciding is not None:
                self.deciding.note(record)
            if attacking is not None:
                await attacking.examine(work, trial, record, session.trajectories)
        return _outline(record)

    def abandon_trial(self, work: Work, trial: Trial, duration_s: float) -> Record:
        """The record of a trial that does not end although it was cancelled; what it still does counts no more."""
        from harness.runs.trial import abandoned_record

        self._abandoned.add((id(work), trial.index))  # its task keeps the work alive, so the id stays its own
        record = abandoned_record(work, trial, duration_s)
        self.journal.append(record.to_json())
        self.counts[record.outcome] += 1
        if self.deciding is not None:
            self.deciding.note(record)
        return record

    def _count(self, record: Record, session: TrialSession) -> None:
        self.counts[record.outcome] += 1
        for cost in (record.cost_usd, record.judge_cost_usd):
            if cost is not None:
                self.cost_usd += float(cost)
        for call in session.context.calls:
            self.models.add(call.model)
        if record.error is not None and record.error.kind == "budget" and not self.exit_reason:
            self.exit_reason = "budget"

    async def _close_resources(self) -> None:
        try:
            await self._stack.aclose()
        finally:
            if self._way_out is not None:
                self._way_out.close()

    def close(self) -> None:
        """End the engine and the journal; safe to call twice."""
        engine, self._engine = self._engine, None
        if engine is not None:
            from harness.plugin.judge_home import leave

            engine.stop()
            if self._froze:
                gc.unfreeze()
            self.peak_in_flight = engine.peak_in_flight
            leave()
            if (error := engine.closing_error) is not None:
                self.notices.append(f"closing the agents raised {type(error).__name__}: {str(error)[:500]}")
        journal, self._journal = self._journal, None
        if journal is not None:
            try:
                journal.close()
            except HarnessError as error:
                self.notices.append(str(error))
                self.exit_reason = self.exit_reason or "journal"
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    peak_in_flight = 0
    _froze = False

    @property
    def planned_trials(self) -> int:
        """Over all suites."""
        return sum(item.cases * item.trials for item in self.plans.values())


def _outline(record: Record) -> Record:
    """The record without what is large. A frozen dataclass of this many fields is ten times as dear to replace()."""
    outline = object.__new__(Record)
    vars(outline).update(vars(record), trajectory=None, scores=())
    return outline


def _stable_repr(thing: Any) -> str:
    """A repr without memory addresses, so that the same declaration reads the same in the next process."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(thing))


def is_partial(session: HarnessSession) -> bool:
    """Whether a selection left cases out: -k, -m, --lf, a node id, or only a part of the suites folder."""
    config = session.config
    # --lf drops what passed while it collects, so nothing is ever reported as deselected.
    cache = getattr(config, "cache", None)
    left_out = bool(config.getoption("lf", False) and cache is not None and cache.get("cache/lastfailed", {}))
    if session.deselected or left_out:
        return True
    suites = session.root / "suites"
    for arg in config.args:
        if "::" in arg:
            return True
        path = Path(os.path.join(config.invocation_params.dir, arg))
        if suites.is_dir() and suites != path and suites in path.parents:
            return True
    return False
