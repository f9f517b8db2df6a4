"""Running items: one report per light item, pytest's own protocol for the others, and work started ahead of both."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.core.errors import HarnessError
from harness.plugin.bindings import NAMES
from harness.plugin.collect import golden_functions
from harness.plugin.forethought import forethought
from harness.plugin.function_items import arguments, arm, arm_values, group_of, overrides_agent, wide_names
from harness.plugin.items import GOLDEN, OUTCOME, GoldenItem, Prepared, report_light
from harness.plugin.outcomes import decide
from harness.plugin.output import OutputWatch
from harness.plugin.session import HarnessSession

if TYPE_CHECKING:
    from harness.core.record import Record


class Protocol:
    """Registered as a plugin once a session is known to run golden items."""

    def __init__(self, session: HarnessSession, items: list[pytest.Item]) -> None:
        self.session = session
        self.items = items
        self.position = {item: index for index, item in enumerate(items)}
        self.functions: dict[pytest.Item, Any] = {}
        self.groups: dict[Any, int] = {}
        """How many items had been dealt when a group of items that share wide fixtures was last looked through."""
        self.golden = 0
        self._hooks: dict[Any, Any] = {}
        self._begun = 0
        self._looked_at = 0
        self._tick: Any = None
        self._idle = forethought(session.config)
        self._worker: Any = None
        self._output = OutputWatch(session.config)
        for function, shared, case in golden_functions(items):
            self.functions[function] = (shared, case)
        self._plan()

    # -- before the first item ------------------------------------------------------------------------------------

    def _plan(self) -> None:
        for item in self.items:
            if isinstance(item, GoldenItem):
                trials = self.session.trials(item.shared.golden, item.case, item.shared.runs)
                self.session.plan(item.shared.planned(len(trials)))
                self.golden += 1
            elif item in self.functions:
                shared, case = self.functions[item]
                trials = self.session.trials(shared.golden, case, shared.runs)
                self.session.plan(shared.planned(len(trials), arm(item), arm_values(item)))
                self.golden += 1

    def decide_early(self) -> None:
        """Prepare for stopping early: the plan of every golden item goes to the watches of the rules."""
        from harness.plugin.deciding import Deciding, Planned

        entries = []
        for item in self.items:
            if isinstance(item, GoldenItem):
                shared, case = item.shared, item.case
            elif item in self.functions:
                shared, case = self.functions[item]
            else:
                continue
            entries.append(
                Planned(
                    suite=shared.suite,
                    arm=arm(item),
                    area=shared.area,
                    dataset=shared.dataset,
                    case=case,
                    trials=len(self.session.trials(shared.golden, case, shared.runs)),
                    pass_rate=shared.golden.pass_rate,
                    observe=shared.golden.observe,
                )
            )
        self.session.deciding = Deciding(self.session, entries)

    def _dealt(self) -> int:
        """How many items this process has been given so far, which only grows."""
        pending = self._queue()
        if pending is None:
            return len(self.items)
        with pending.torun.lock() as queued:
            return self._begun + len(queued)

    def _queue(self) -> Any:
        """On a worker of pytest-xdist: the plugin that receives the items to run, one after the other."""
        if self.session.worker == "main":
            return None
        if self._worker is None:
            for plugin in self.session.config.pluginmanager.get_plugins():
                if hasattr(plugin, "torun") and hasattr(plugin, "item_index"):
                    self._worker = plugin
        return self._worker

    def _assigned(self) -> list[pytest.Item]:
        """The items this process is going to run, as far as it knows: all of them, or a worker's share."""
        pending = self._queue()
        if pending is None:
            return self.items
        with pending.torun.lock() as queued:
            indices = [index for index in queued if isinstance(index, int)]
        following = pending.nextitem_index
        if isinstance(following, int):
            indices.append(following)
        return [self.items[index] for index in sorted(indices)]

    def _offer(self, current: pytest.Item) -> None:
        """Hand the engine what may start ahead; on a worker also what has been dealt since."""
        self._begun += 1
        dealt = self._dealt()
        if dealt <= self._looked_at:
            return
        self._looked_at = dealt
        ready = []
        for item in [current, *self._assigned()]:
            prepared = self._prepared(item)
            if prepared is None or prepared.job is not None or not prepared.ahead:
                continue
            ready.append(self._job(item, prepared))
        if ready:
            self.session.engine().offer(ready)

    def _prepared(self, item: pytest.Item) -> Prepared | None:
        if isinstance(item, GoldenItem):
            return item.prepare()
        if item not in self.functions:
            return None
        prepared = item.stash.get(GOLDEN, None)
        if prepared is None:
            assert isinstance(item, pytest.Function)
            prepared = item.stash[GOLDEN] = self._prepare_function(item)
        return prepared

    def _prepare_function(self, item: pytest.Function) -> Prepared:
        """The work of an item that pytest made; ahead only where nothing has to be set up for it first."""
        shared, case = self.functions[item]
        others, ready = arguments(item)
        values: dict[str, Any] = dict(others)
        item.stash[_VALUES] = values
        prepared: Prepared = shared.prepared(item.nodeid, case, arm=arm(item), others=lambda: values)
        if item.cls is not None:
            from harness.plugin.bindings import body_of

            bound = body_of(item.obj, shared.names, self.session.engine, lambda: values)
            prepared.work = replace(prepared.work, body=bound)
        prepared.ahead = prepared.ahead and ready and not overrides_agent(item)
        return prepared

    def _job(self, item: pytest.Item, prepared: Prepared) -> Any:
        from harness.core.record import Record
        from harness.runs.engine import Job

        trials = prepared.trials
        if self.session.finished:
            trials, prepared.known = self._resume(prepared)
        assert not isinstance(prepared.known, Record)
        prepared.job = Job(position=self.position[item], trials=trials, payload=prepared.work)
        return prepared.job

    def _resume(self, prepared: Prepared) -> tuple[Any, tuple[Record, ...]]:
        """The trials still to run, and stand-ins for those that an earlier session has measured."""
        from harness.core.record import Record

        work, missing, known = prepared.work, [], []
        for trial in prepared.trials:
            before = self.session.finished.get((work.suite, work.arm, work.case.id, trial.index))
            if before is None or before.config_hash != work.config_hash or before.case_hash != work.case_hash:
                missing.append(trial)
                continue
            known.append(
                Record(
                    suite=work.suite,
                    case_id=work.case.id,
                    case_hash=work.case_hash,
                    trial=trial.index,
                    outcome=before.outcome,
                    failure="" if before.outcome == "passed" else "failed before the run was resumed",
                    statistical=work.statistical,
                )
            )
            self.session.counts[before.outcome] += 1
        return tuple(missing), tuple(known)

    # -- each item ------------------------------------------------------------------------------------------------

    def _result(self, item: pytest.Item, prepared: Prepared) -> tuple[tuple[Record, ...], BaseException | None]:
        engine = self.session.engine()
        deciding = self.session.deciding
        if prepared.job is None and deciding is not None and deciding.needless(prepared.work):
            return tuple(deciding.left_out(prepared.work, trial) for trial in prepared.trials), None
        if prepared.job is None:
            engine.run_now(self._job(item, prepared))
        assert prepared.job is not None
        try:
            if not prepared.job.done and isinstance(item, GoldenItem):
                with self._output:
                    records = engine.wait(prepared.job, tick=self._tick, idle=self._idle)
            else:
                records = engine.wait(prepared.job, tick=self._tick, idle=self._idle)
        except HarnessError as error:
            # The harness cannot keep its promise any more (a full disk, say): stop the session, keep what there is.
            self.session.exit_reason = self.session.exit_reason or f"{type(error).__name__}: {error}"
            item.session.shouldstop = str(error)
            return prepared.known, error
        finally:
            if self._tick is not None:
                self._tick.clear()
        if self.session.exit_reason == "budget":
            item.session.shouldstop = "the money cap (--harness-budget-usd) is reached"
        return (*prepared.known, *records), None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Light items are reported with one report; others are left to pytest."""
        self._offer(item)
        if not isinstance(item, GoldenItem):
            return None
        hook = self._hook(item)
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        prepared = item.prepare()
        records, crash = self._result(item, prepared)
        hook.pytest_runtest_logreport(report=report_light(item, records, crash))
        item.prepared = None  # nothing of a reported item stays in memory
        self._tear_down(item, nextitem)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _hook(self, item: GoldenItem) -> Any:
        """The hooks for the item's file, looked up once per file now that every conftest has been loaded."""
        found = self._hooks.get(item.parent)
        if found is None:
            found = self._hooks[item.parent] = item.ihook
        return found

    def _tear_down(self, item: GoldenItem, nextitem: pytest.Item | None) -> None:
        """Tear down what earlier items of pytest's own left set up and the next item does not need."""
        if item.session.shouldfail or item.session.shouldstop:
            nextitem = None
        state = item.session._setupstate
        if not state.stack:
            return
        call = pytest.CallInfo.from_call(
            lambda: state.teardown_exact(nextitem), when="teardown", reraise=(KeyboardInterrupt, pytest.exit.Exception)
        )
        if call.excinfo is not None:
            report = item.ihook.pytest_runtest_makereport(item=item, call=call)
            item.ihook.pytest_runtest_logreport(report=report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """The body of an item that pytest made from a golden test: all its trials."""
        if pyfuncitem not in self.functions:
            return None
        prepared = self._prepared(pyfuncitem)
        assert prepared is not None
        self._adopt_fixtures(pyfuncitem, prepared)
        records, crash = self._result(pyfuncitem, prepared)
        outcome = pyfuncitem.stash[OUTCOME] = decide(prepared, records, crash)
        if outcome.status == "not_run":
            pytest.skip(outcome.reason)
        if outcome.status != "passed":
            pytest.fail(str(outcome.longrepr if outcome.report == "failed" else outcome.reason), pytrace=False)
        return True

    def _adopt_fixtures(self, item: pytest.Function, prepared: Prepared) -> None:
        """Give the body the fixtures that are set up now, and let its group run ahead with those of wider scope."""
        wanted = [name for name in item._fixtureinfo.argnames if name not in NAMES]
        values = item.stash[_VALUES]
        if prepared.job is None:
            values.update({name: item.funcargs[name] for name in wanted})
            if overrides_agent(item):
                self._use_overridden_agent(item, prepared)
        wide = wide_names(item)
        if wide is None:
            return
        group, dealt = group_of(item), self._dealt()
        if dealt <= self.groups.get(group, 0):
            return
        self.groups[group] = dealt
        shared = {name: item.funcargs[name] for name in wide if name in item.funcargs}
        ready = []
        for other in self._assigned():
            if other is item or other not in self.functions or group_of(other) != group:
                continue
            assert isinstance(other, pytest.Function)
            waiting = self._prepared(other)
            if waiting is None or waiting.job is not None:
                continue
            if not self.functions[other][0].is_async and not waiting.work.ahead:
                continue  # a plain body that calls the agent itself blocks the main thread
            other.stash[_VALUES].update(shared)
            if overrides_agent(other):
                waiting.work = replace(waiting.work, agent=prepared.work.agent)
            ready.append(self._job(other, waiting))
        if ready:
            self.session.engine().offer(ready)

    def _use_overridden_agent(self, item: pytest.Function, prepared: Prepared) -> None:
        from harness.agents.spec import agent_from
        from harness.runs.opened import Opened

        given = Opened(agent_from(item.funcargs["agent"]), self.session._stack)
        prepared.work = replace(prepared.work, agent=given)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        """Unreliable and errored items are shown as such."""
        report = yield
        outcome = item.stash.get(OUTCOME, None)
        if outcome is None or call.when != "call" or hasattr(report, "wasxfail"):  # an xfail mark keeps its meaning
            return report
        if call.excinfo is not None and outcome.status != "not_run":
            report.outcome = outcome.report
            report.longrepr = outcome.longrepr
            outcome.mark(report)
        return report


_VALUES: pytest.StashKey[dict[str, Any]] = pytest.StashKey()
