"""Golden tests to pytest items: a light item per case where that is enough, pytest's own Function where it is not.

A *light* item has no fixtures to set up: the test asks only for the harness's names and has no marks that pytest has
to act on. It costs a fraction of a parametrized item, which is what makes ten thousand cases bearable. Everything else
(parametrize, skipif, usefixtures, other fixtures, methods of classes) goes through pytest's machinery, with the case as
one more parameter.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from harness.core.case import Case
from harness.core.errors import HarnessError, UsageError
from harness.core.record import PlannedSuite
from harness.plugin.bindings import NAMES, body_of, wanted
from harness.plugin.items import GoldenItem, Prepared
from harness.plugin.marker import Golden, parse
from harness.plugin.outcomes import explainer
from harness.plugin.session import HarnessSession, current

ACTED_ON = frozenset({"parametrize", "usefixtures", "skip", "skipif", "xfail", "flaky", "repeat", "asyncio", "anyio"})
"""Marks that pytest or a plugin has to act on, so that a light item would ignore them."""

HARMLESS = frozenset({"pytest_asyncio.plugin"})
"""Modules whose autouse fixtures concern only their own tests (pytest-asyncio's event loop policy)."""


MISTAKES: pytest.StashKey[dict[str, str]] = pytest.StashKey()
"""Mistakes of the user's that were found while collecting, and the test that each was first told at."""


def golden_mark(collector: Any, function: Any) -> pytest.Mark | None:
    """The golden mark of a test function: its own, else the nearest of its class or module."""
    for mark in getattr(function, "pytestmark", ()):
        if mark.name == "golden":
            return mark  # type: ignore[no-any-return]
    nearest: pytest.Mark | None = collector.get_closest_marker("golden")
    return nearest


def collect_light(collector: pytest.Collector, name: str, function: Any) -> list[pytest.Item] | None:
    """The items of a golden test function, or None when pytest has to make them (or it is not golden)."""
    mark = golden_mark(collector, function)
    if mark is None:
        return None
    where = f"{collector.nodeid}::{name}"
    try:
        session = current(collector.config)
        refuse_repeating_plugins(collector.config, function, where)
        golden = parse(mark.args, mark.kwargs, where=where)
        if not isinstance(collector, pytest.Module) or not _is_light(collector, function):
            return None
        if golden.compare:
            raise UsageError(_no_axis(where, golden.compare, []))
        prepared = Preparation(session, golden, where, collector, function)
        return [_light_item(collector, name, function, prepared, case) for case in prepared.cases]
    except (HarnessError, pytest.UsageError) as error:
        raise refused(collector.config, error, where) from None


def refused(config: pytest.Config, error: Exception, where: str) -> pytest.Collector.CollectError:
    """A mistake of the user's as pytest's error of one file; the session then ends as a usage error.

    A mistake that concerns every golden test (a flag, the rules, the agent) is told in full only once.
    """
    text = str(error)
    told = config.stash.setdefault(MISTAKES, {})
    first = told.setdefault(text, where)
    if first != where:
        text = f"{where}: the same mistake as in {first}: {textwrap.shorten(text, 80, placeholder=' ...')}"
    return pytest.Collector.CollectError(text)


def _is_light(collector: pytest.Module, function: Any) -> bool:
    marks = [*getattr(function, "pytestmark", ()), *collector.iter_markers()]
    if any(mark.name in ACTED_ON for mark in marks):
        return False
    if collector.config.getoption("usepdb", False) or collector.config.getoption("setuponly", False):
        return False
    # The closure holds what the function asks for and every autouse fixture that applies to it.
    manager = collector.session._fixturemanager
    info = manager.getfixtureinfo(collector, function, None)  # type: ignore[arg-type]
    if "request" in info.argnames:
        return False
    return not any(is_foreign(name, info.name2fixturedefs.get(name)) for name in info.names_closure)


def is_foreign(name: str, definitions: Any) -> bool:
    """Whether a fixture of a closure is something that pytest has to set up for the test's sake."""
    if name == "request" or (name in NAMES and is_ours(definitions)):
        return False
    return not definitions or getattr(definitions[-1].func, "__module__", "") not in HARMLESS


def is_ours(definitions: Any) -> bool:
    """Whether a fixture's closest definition is the harness's own (a team may override ``agent``)."""
    return bool(definitions) and getattr(definitions[-1].func, "__module__", "") == "harness.plugin.fixtures"


class Preparation:
    """What all items of one golden test function share."""

    def __init__(self, session: HarnessSession, golden: Golden, suite: str, collector: Any, function: Any) -> None:
        self.session = session
        self.golden = golden
        self.suite = suite
        self.function = function
        self.runs = session.recorded(golden)
        self.dataset, self.dataset_hash, self.cases = session.cases(golden)
        if not self.cases:
            raise UsageError(
                f"{suite}: golden({golden.source!r}) selects no case"
                + (f" (tags={list(golden.tags)})" if golden.tags else "")
                + f"; the dataset {self.dataset!r} has {len(session._dataset(golden.source))} cases"
            )
        seen: set[str] = set()
        for case in self.cases:
            if case.id in seen:
                raise UsageError(f"{suite}: case id {case.id!r} occurs twice; ids must be unique in a dataset")
            seen.add(case.id)
        self.agent = session.agent(golden, self.runs)
        self.area = golden.area or _area_of(collector)
        self.statistical = session.statistical(golden, suite, self.area)
        self.config_hash = session.config_hash(golden)
        session.claims[suite] = golden.faults
        self.names = wanted(function)
        self.explain = explainer(function)
        self.is_async = inspect.iscoroutinefunction(function)
        self.body = None if _has_no_body(function) else function
        self.wants_agent = "agent" in self.names

    def prepared(self, nodeid: str, case: Case, *, arm: str = "", others: Any = None, around: Any = None) -> Prepared:
        """One item's work."""
        from harness.runs.trial import Work

        engine = self.session.engine
        body = None if self.body is None else body_of(self.body, self.names, engine, others or dict, around)
        work = Work(
            suite=self.suite,
            nodeid=nodeid,
            case=case,
            agent=self.agent,
            arm=arm,
            dataset=self.dataset,
            area=self.area,
            statistical=self.statistical and case.severity != "must_pass",
            observe=self.golden.observe,
            config_hash=self.config_hash,
            evaluators=self.session.evaluators(self.golden, case),
            ahead=not self.wants_agent,
            body=body,
            explain=self.explain,
            case_hash=case.content_hash,
        )
        trials = self.session.trials(self.golden, case, self.runs)
        # A plain body that calls the agent itself blocks the main thread, so it runs in its own place.
        return Prepared(work=work, trials=trials, ahead=self.is_async or not self.wants_agent)

    def planned(self, trials: int, arm: str = "", values: Mapping[str, str] | None = None) -> PlannedSuite:
        """One case of this suite, for the plan.

        :param values: the other parameters of the item by name, as text.
        """
        axis, others = self.golden.compare, dict(values or {})
        value = others.pop(axis, "") if axis else ""
        return PlannedSuite(
            suite=self.suite,
            arm=arm,
            area=self.area,
            dataset=self.dataset,
            dataset_hash=self.dataset_hash,
            cases=1,
            trials=trials,
            pass_rate=self.golden.pass_rate,
            observe=self.golden.observe,
            statistical=self.statistical,
            compare=axis,
            compare_value=value,
            compare_within=",".join(f"{name}={text}" for name, text in others.items()) if axis else "",
        )


def _area_of(collector: Any) -> str:
    """The folder that the test file stands in, which is the topic of a suite."""
    return str(collector.path.parent.name)


def _has_no_body(function: Any) -> bool:
    """Whether a test only declares: nothing but a docstring, ``pass`` or ``...``."""
    code = function.__code__
    return code.co_code in (_empty.__code__.co_code, _documented.__code__.co_code) and code.co_names == ()


def _empty() -> None:
    pass


def _documented() -> None:
    """A docstring."""


def _light_item(collector: pytest.Module, name: str, function: Any, shared: Preparation, case: Case) -> GoldenItem:
    item: GoldenItem = GoldenItem.from_parent(collector, name=f"{name}[{case.id}]", shared=shared, case=case)
    for mark in getattr(function, "pytestmark", ()):
        item.own_markers.append(mark)
        item.keywords[mark.name] = mark
    return item


def refuse_repeating_plugins(config: pytest.Config, function: Any, where: str) -> None:
    """Plugins that rerun until green, or repeat items, would falsify every rate: refuse them on golden tests."""
    advice = "harness counts every trial; declare trials=N on the golden mark, or pass --harness-trials=N"
    for option, flag in (("reruns", "--reruns"), ("count", "--count")):
        value = config.getoption(option, None)
        if isinstance(value, int) and value > (0 if option == "reruns" else 1):
            raise UsageError(f"{where}: {flag}={value} does not go with golden tests; {advice}")
    for mark in getattr(function, "pytestmark", ()):
        if mark.name in ("flaky", "repeat"):
            raise UsageError(f"{where}: @pytest.mark.{mark.name} does not go with golden tests; {advice}")


def generate(metafunc: pytest.Metafunc) -> None:
    """The case as a parameter of a golden test that pytest makes itself."""
    mark = golden_mark(metafunc.definition.parent or metafunc.definition, metafunc.function)
    if mark is None:
        return
    where = metafunc.definition.nodeid
    try:
        session = current(metafunc.config)
        golden = parse(mark.args, mark.kwargs, where=where)
        if "case" not in metafunc.fixturenames:
            raise UsageError(f"{where}: a golden test has to ask for case, trajectory or agent")
        assert metafunc.definition.parent is not None
        axes = _parametrized(metafunc)
        if golden.compare and golden.compare not in axes:
            raise UsageError(_no_axis(where, golden.compare, axes))
        shared = Preparation(session, golden, where, metafunc.definition.parent, metafunc.function)
    except (HarnessError, pytest.UsageError) as error:
        raise refused(metafunc.config, error, where) from None
    metafunc.parametrize(
        "case", [(shared, case) for case in shared.cases], ids=[c.id for c in shared.cases], indirect=True
    )


def _parametrized(metafunc: pytest.Metafunc) -> list[str]:
    names: list[str] = []
    for mark in metafunc.definition.iter_markers("parametrize"):
        given = mark.args[0] if mark.args else mark.kwargs.get("argnames", ())
        names += [name.strip() for name in given.split(",")] if isinstance(given, str) else list(given)
    return names


def _no_axis(where: str, axis: str, axes: list[str]) -> str:
    there = f"it is parametrized over {', '.join(axes)}" if axes else "it is not parametrized"
    return f"{where}: compare={axis!r} needs @pytest.mark.parametrize({axis!r}, [...]) on the test; {there}"


def tag_items(items: list[pytest.Item]) -> None:
    """Make the tags of each case keywords of its item, so that ``-k refund`` selects the cases tagged so."""
    for item in items:
        if isinstance(item, GoldenItem):
            item.extra_keyword_matches.update(item.case.tags)
    for function, _, case in golden_functions(items):
        function.extra_keyword_matches.update(case.tags)


def golden_functions(items: list[pytest.Item]) -> Iterator[tuple[pytest.Function, Preparation, Case]]:
    """The items that pytest made from golden tests."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is None or not isinstance(item, pytest.Function):
            continue
        given = callspec.params.get("case")
        if isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], Preparation):
            yield item, given[0], given[1]
