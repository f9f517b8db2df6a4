"""The beginning of a session with golden items: refuse what cannot work, make the plan, claim the run folder."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.core.clock import iso_utc
from harness.core.errors import HarnessError
from harness.core.record import Manifest
from harness.plugin.feasible import hopeless
from harness.plugin.load_tests import load_items, plan_load_tests
from harness.plugin.serial import ORDER
from harness.plugin.session import HarnessSession, current, is_partial, workers


def begin(session: pytest.Session) -> None:
    """Called once when collection has ended, and golden items or load tests may be among the collected."""
    from harness.plugin.protocol import Protocol

    loaded = load_items(session.items)
    budgeted = any(item.get_closest_marker("budget") for item in session.items)
    if not loaded and not budgeted and not any(item.get_closest_marker("golden") for item in session.items):
        return
    try:
        shared = current(session.config)
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from None
    try:
        budgets = None
        if budgeted:
            from harness.plugin.budgets import Budgets

            budgets = Budgets(shared, session.items)
        phase = plan_load_tests(shared, session.items)
        protocol = Protocol(shared, session.items)
        nothing = protocol.golden == 0 and phase is None and budgets is None
        if session.config.getoption("collectonly", False) or nothing or session.testsfailed:
            return
        if shared.settings.estimate:
            from harness.plugin.estimate import print_estimate

            print_estimate(shared)
            session.items[:] = []
            return
        if shared.settings.until_decided:
            protocol.decide_early()
        # A mistake in the gate's file, or a rule that cannot pass, is said before the first call, not after the last.
        shared.said_at_collection = hopeless(shared) if protocol.golden else []
        if budgets is not None:
            budgets.plan()
        open_run(shared)
        write_plan(shared)
        if protocol.golden:
            shared.engine()
    except HarnessError as error:
        if shared.worker == "main":
            raise pytest.UsageError(str(error)) from None
        # A worker that raises here would be replaced again and again; a failed collection reaches the controller whole.
        report = pytest.CollectReport(nodeid="harness", outcome="failed", longrepr=str(error), result=[])
        session.config.hook.pytest_collectreport(report=report)
        session.items[:] = []
        return
    if phase is not None:
        session.config.pluginmanager.register(phase, "harness-load")
    if budgets is not None:
        session.config.pluginmanager.register(budgets, "harness-budgets")
    if not protocol.golden:
        return
    session.config.pluginmanager.register(protocol, "harness-protocol")
    if shared.worker == "main":
        from harness.plugin.progress import progress_of

        protocol._tick = progress_of(shared)


def open_run(shared: HarnessSession) -> None:
    """Make, resume or share the run folder; the serial phase writes into that of the workers."""
    order = shared.config.stash.get(ORDER, None)
    if order is None:
        shared.open_run()
        return
    shared.worker = "serial"
    if order.folder:
        shared.folder = Path(order.folder)
        shared.run_id = shared.folder.name
        return
    from harness.results.run_folder import new_run_folder

    shared.run_id, shared.folder = new_run_folder(shared.settings.runs)


def write_plan(shared: HarnessSession) -> None:
    """The manifest as far as it is known at the start, so that a killed run still says what it was going to do."""
    from harness.results.run_folder import read_manifest, write_manifest

    assert shared.folder is not None
    if shared.settings.resume or shared.config.stash.get(ORDER, None) is not None:
        earlier = read_manifest(shared.folder)
        if earlier is not None:
            shared.created_at = earlier.created_at
            write_manifest(shared.folder, _continued(earlier, manifest_of(shared)))
            return
    # Every worker has the same plan; the last one to write changes nothing.
    write_manifest(shared.folder, manifest_of(shared))


def _continued(earlier: Manifest, now: Manifest) -> Manifest:
    """The plan of a resumed run: what this session is going to do, and what the earlier one was that this one is not.

    Resuming with a selection must not make the rest of the run look as if nobody had planned it.
    """
    mine = {(item.suite, item.arm): item for item in now.planned}
    kept = []
    for item in earlier.planned:
        again = mine.pop((item.suite, item.arm), None)
        kept.append(item if again is None or again.cases < item.cases else again)
    return replace(now, planned=(*kept, *mine.values()), partial=now.partial and earlier.partial)


def manifest_of(shared: HarnessSession, **more: Any) -> Manifest:
    """What this run is."""
    from harness import __version__
    from harness.plugin.environment import commit_of, machine, versions

    commit, dirty = commit_of(shared.root)
    settings = shared.settings
    fields: dict[str, Any] = {
        "run_id": shared.run_id,
        "created_at": shared.created_at or iso_utc(time.time()),
        "harness_version": __version__,
        "agent": str(settings.replay or settings.agent or ""),
        "mode": settings.mode,
        "seed": settings.seed,
        "commit": commit,
        "dirty": dirty,
        "command": tuple(str(arg) for arg in shared.config.invocation_params.args),
        "partial": is_partial(shared),
        "until_decided": shared.settings.until_decided,
        "planned": tuple(shared.plans.values()),
        "versions": versions(),
        "machine": machine(workers(shared.config)),
        "prices": {name: {key: str(value) for key, value in price.items()} for name, price in settings.prices.items()},
    }
    return Manifest(**{**fields, **more})
