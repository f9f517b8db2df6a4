"""What pytest loads: flags, the marker, the fixtures, and hooks that do nothing until a golden test is collected."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

from harness.plugin.fixtures import agent, case, evaluate, guards_under_test, leaks, load, reward, trajectory, trial

__all__ = ["agent", "case", "evaluate", "guards_under_test", "leaks", "load", "reward", "trajectory", "trial"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """One flag per row of the table of options."""
    from harness.plugin.options import add_flags

    add_flags(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; check the flags that were given."""
    from harness.plugin.options import check_flags

    config.addinivalue_line(
        "markers", "golden(source, ...): run the test once per golden case (see the harness's docs)"
    )
    config.addinivalue_line("markers", "perf(ttft_p95_s=..., ...): budgets of a load test (see the harness's docs)")
    config.addinivalue_line(
        "markers", "reward(reward, ...): the reward function of a test that asks for reward (see the harness's docs)"
    )
    config.addinivalue_line(
        "markers", "budget(p95_s=..., memory_mb=..., ...): limits on the function that the test hands to benchmark"
    )
    config.addinivalue_line("markers", "harness_serial: run this test at the end, alone, also under pytest-xdist")
    check_flags(config)
    if "HARNESS_SERIAL_PHASE" in os.environ and not hasattr(config, "workerinput"):
        from harness.plugin.serial import take_order

        take_order(config)


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> list[pytest.Item] | None:
    """Golden test functions become one light item per case."""
    if not hasattr(obj, "__code__") or not name.startswith("test"):
        return None
    if not _may_be_golden(collector, obj):
        return None
    from harness.plugin.collect import collect_light

    istest = getattr(collector, "istestfunction", None)
    if istest is None or not istest(obj, name):
        return None
    return collect_light(collector, name, obj)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Golden tests that need pytest's machinery get the case as a parameter; a reward under test is looked up."""
    if "reward" in metafunc.fixturenames:
        from harness.plugin.rewards import check_reward_of

        check_reward_of(metafunc)
    parent = metafunc.definition.parent
    if parent is not None and _may_be_golden(parent, metafunc.function):
        from harness.plugin.collect import generate

        generate(metafunc)


def _may_be_golden(collector: Any, function: Any) -> bool:
    if any(mark.name == "golden" for mark in getattr(function, "pytestmark", ())):
        return True
    return collector.get_closest_marker("golden") is not None


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Remember that a selection left golden cases out: such a run is partial."""
    if items:
        from harness.plugin import session

        shared = items[0].config.stash.get(session.KEY, None)
        if shared is not None:
            shared.deselected += sum(1 for item in items if item.get_closest_marker("golden") is not None)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, None, None]:
    """Tags of a case select with -k; a run that may stop early takes its cases in a drawn order; what measures time
    comes last and alone."""
    golden, load = _collected_golden(config), _asks_for_load(items)
    if golden:
        from harness.plugin.collect import tag_items

        tag_items(items)
    result = yield
    if golden:
        from harness.plugin.deciding import reorder

        reorder(config, items)
    if any(isinstance(item, pytest.Function) and _measures(item) for item in items):
        from harness.plugin.serial import arrange

        arrange(config, items)
    if load:
        from harness.plugin.load_tests import put_last

        put_last(items)
    return result


def _measures(item: pytest.Item) -> bool:
    return item.get_closest_marker("budget") is not None or item.get_closest_marker("harness_serial") is not None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """With golden items, budgeted items or load tests collected: make the plan, the run folder and the engine."""
    if (
        _collected_golden(session.config)
        or _asks_for_load(session.items)
        or any(
            isinstance(item, pytest.Function) and item.get_closest_marker("budget") is not None
            for item in session.items
        )
    ):
        from harness.plugin.start import begin

        begin(session)


def _asks_for_load(items: list[pytest.Item]) -> bool:
    """Whether some item asks for a fixture called ``load``; whose it is, is looked at later."""
    return any("load" in getattr(item, "fixturenames", ()) for item in items)


def _collected_golden(config: pytest.Config) -> bool:
    from sys import modules

    loaded = modules.get("harness.plugin.session")
    return loaded is not None and loaded.KEY in config.stash


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """What is known to be hopeless before it is run."""
    if not _collected_golden(config):
        return []
    from harness.plugin.session import KEY

    return [f"harness: {text}" for text in config.stash[KEY].said_at_collection]


def _workers_ran_golden(config: pytest.Config) -> bool:
    if not getattr(config.option, "tx", None):
        return False
    from harness.plugin.workers import has_run

    return has_run(config)


def _found_mistakes(config: pytest.Config) -> bool:
    from sys import modules

    loaded = modules.get("harness.plugin.collect")
    return loaded is not None and loaded.MISTAKES in config.stash


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Deal golden items to the workers in one go, so that each can run ahead through its share."""
    from harness.plugin.workers import make_scheduler

    return make_scheduler(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Under pytest-xdist: when all workers have ended, what measures speed runs alone."""
    result = yield
    if getattr(session.config.option, "tx", None):
        from harness.plugin.workers import run_serial_phase

        run_serial_phase(session)
    return result


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    """A worker ended: remember when it crashed, because then the gate may not say pass."""
    from harness.plugin.workers import note_end

    note_end(node, error)


def pytest_report_teststatus(report: Any) -> tuple[str, str, str] | None:
    """Unreliable and errored cases have words of their own."""
    status = getattr(report, "harness_status", None)
    if status == "unreliable":
        return "unreliable", "u", "UNRELIABLE"
    if status == "errored":
        return "error", "E", "ERROR"
    if status == "inconclusive" and report.when == "call":
        return "inconclusive", "i", "INCONCLUSIVE"
    return None


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Close the run, judge it, write the reports, set the exit status."""
    if _collected_golden(session.config) or _workers_ran_golden(session.config):
        from harness.plugin.finish import finish

        finish(session, exitstatus)
    if exitstatus == pytest.ExitCode.INTERRUPTED and _found_mistakes(session.config):
        session.exitstatus = pytest.ExitCode.USAGE_ERROR  # pytest knows only "errors during collection"


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The verdict, last on the screen."""
    from sys import modules

    loaded = modules.get("harness.plugin.finish")
    if loaded is not None:
        loaded.print_summary(terminalreporter, config)
