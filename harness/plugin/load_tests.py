"""Load tests in a session: the ``load`` fixture, the ``perf`` mark, a serial phase, and records for the scorecard.

A suite has one case per budget (passed, failed, or errored where inconclusive) and one per run, whose scores are
the run's figures, so that the default gate, rules of the gate's file and baselines see them like any other suite.
Load tests run last and alone, also among workers of pytest-xdist: what else runs on the machine would be measured.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from harness.core.case import content_hash
from harness.core.errors import HarnessError, UsageError
from harness.core.record import PlannedSuite, Record
from harness.plugin.collect import is_ours
from harness.plugin.session import HarnessSession

if TYPE_CHECKING:
    from harness.runs.load.budgets import Budget
    from harness.runs.load.repeats import LoadResult

AREA = "performance"
WAIT_S = 600.0
"""How long a load test waits for other workers to come to their end, before it runs beside them."""
LOCAL = ("localhost", "127.0.0.1", "::1", "[::1]")


def load_items(items: Sequence[pytest.Item]) -> list[pytest.Function]:
    """The items that ask for the harness's own ``load`` fixture (a project may have one of its own)."""
    return [
        item
        for item in items
        if isinstance(item, pytest.Function)
        and "load" in item.fixturenames
        and is_ours(item._fixtureinfo.name2fixturedefs.get("load"))
    ]


def put_last(items: list[pytest.Item]) -> None:
    """Move load tests behind all others."""
    found = set(load_items(items))
    items.sort(key=lambda item: item in found)


def budgets_of(item: pytest.Item) -> tuple[Budget, ...]:
    """The budgets of the nearest ``perf`` mark. Raises UsageError for figures that do not exist."""
    from harness.runs.load.budgets import parse_budgets

    mark = item.get_closest_marker("perf")
    if mark is None:
        return ()
    where = f"{item.nodeid}: @pytest.mark.perf"
    if mark.args:
        raise UsageError(f"{where} takes figures by name, such as ttft_p95_s=0.3, got {mark.args[0]!r}")
    if not mark.kwargs:
        raise UsageError(f"{where} names no figure; write for example @pytest.mark.perf(ttft_p95_s=0.3)")
    return parse_budgets(mark.kwargs, where=where)


def plan_load_tests(shared: HarnessSession, items: Sequence[pytest.Item]) -> LoadPhase | None:
    """Plan the load tests of a session; None without any.

    :raises UsageError: a ``perf`` mark names something that is no figure.
    """
    found = load_items(items)
    for item in found:
        budgets_of(item)
        suite, arm = _place(item)
        shared.plan(PlannedSuite(suite=suite, arm=arm, area=AREA, dataset="load", cases=1))
    return LoadPhase(shared) if found else None


class LoadPhase:
    """Registered where a session has load tests: runs them alone, and makes outcomes of their budgets."""

    def __init__(self, shared: HarnessSession) -> None:
        self.shared = shared
        self.results: dict[str, list[LoadResult]] = {}
        self._lock = -1

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Hold the machine: shared with other workers until this one has come to its load tests, then alone."""
        if self.shared.worker != "main":
            alone = bool(load_items([item]))
            self._hold(alone=alone)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """A failed budget fails the test; an inconclusive one leaves it to the gate, which then says so."""
        yield
        results = self.results.get(item.nodeid, [])
        if item.get_closest_marker("perf") is not None and not results:
            pytest.fail("this test has @pytest.mark.perf and never called load(...)", pytrace=False)
        verdicts = [verdict for result in results for verdict in result.verdicts]
        text = "\n".join(f"{v.answer}: {v.rule}: {v.reason}" for v in verdicts if v.answer != "pass")
        if any(verdict.answer == "fail" for verdict in verdicts):
            pytest.fail(text, pytrace=False)
        if text:
            pytest.xfail(text)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Let the others have the machine."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _hold(self, *, alone: bool) -> None:
        import fcntl

        if self._lock < 0:
            self._lock = os.open(self.shared.open_run() / "serial.lock", os.O_RDWR | os.O_CREAT, 0o600)
        if not alone:
            fcntl.flock(self._lock, fcntl.LOCK_SH)
            return
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        ends = time.monotonic() + WAIT_S
        while time.monotonic() < ends:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(0.05)
        self.shared.notices.append(f"a load test did not wait longer than {WAIT_S:g} s for the other workers")

    # -- one load test --------------------------------------------------------------------------------------------

    def run(self, item: pytest.Item, url: str, options: Mapping[str, Any]) -> LoadResult:
        """What ``load(url, ...)`` does: run, judge, record."""
        from harness.runs.load.repeats import run_repeats

        known = dict(options)
        repeats = known.pop("repeats", 1)
        more = {name: known.pop(name) for name in ("good", "stall_s", "warm_up_s") if name in known}
        plan = plan_from(url, known)
        if self.shared.settings.mode == "replay" and _host(url) not in LOCAL:
            raise UsageError(
                f"load({url!r}): this session may not reach other machines; allow it with --harness-mode=live"
            )
        before = self.results.setdefault(item.nodeid, [])
        began = time.time()
        folder = self.shared.open_run() / "load" / _folder_name(item.nodeid, len(before))
        try:
            result = run_repeats(plan, folder, budgets=budgets_of(item), repeats=repeats, **more)
        except HarnessError as error:
            if not isinstance(error, UsageError):
                self._record(item, "the load run", began, outcome="errored", reason=str(error), count=len(before))
            raise
        before.append(result)
        self._keep(item, result, began, len(before) - 1)
        return result

    def _keep(self, item: pytest.Item, result: LoadResult, began: float, count: int) -> None:
        from harness.commands.load_files import write_files
        from harness.core.score import Score
        from harness.runs.load.definitions import DEFINITIONS

        write_files(result)
        for verdict in result.verdicts:
            outcome = {"pass": "passed", "fail": "failed"}.get(verdict.answer, "errored")
            reason = verdict.reason + (f"; needs {verdict.needs}" if verdict.needs else "")
            self._record(item, f"budget {verdict.rule}", began, outcome=outcome, reason=reason, count=count)
        for index, (run, summary) in enumerate(zip(result.runs, result.summaries, strict=True), 1):
            scores = []
            for figure in summary.figures:
                e = figure.estimate
                if e.value is None:
                    continue
                definition = DEFINITIONS[figure.metric]
                bounds = "no interval" if e.low is None or e.high is None else f"[{e.low:.6g}, {e.high:.6g}]"
                scores.append(
                    Score.of(
                        figure.name, e.value, f"{bounds} at {e.level:.3g}, {e.n:,} values worth {e.effective:,.0f}",
                        unit=definition.unit, direction=definition.direction,
                        evidence={"low": e.low, "high": e.high, "n": e.n, "effective_n": e.effective},
                    )
                )  # fmt: skip
            bad = summary.audit.client_limited or not summary.good or summary.stopped
            reason = "; ".join(summary.audit.reasons) or f"{summary.good} of {summary.due} requests were good"
            self._record(
                item, f"run {index}", run.began_at, outcome="errored" if bad else "passed", reason=reason,
                scores=tuple(scores), count=count, duration_s=run.wall_s,
            )  # fmt: skip

    def _record(
        self, item: pytest.Item, case: str, began: float, *, outcome: Any, reason: str, count: int,
        scores: tuple[Any, ...] = (), duration_s: float = 0.0,
    ) -> None:  # fmt: skip
        from harness.core.errors import Failure

        suite, arm = _place(item)
        case_id = case if count == 0 else f"{case} (call {count + 1})"
        error = Failure(kind="harness", message=reason, reason="inconclusive") if outcome == "errored" else None
        record = Record(
            suite=suite, arm=arm, nodeid=item.nodeid, case_id=case_id, trial=0,
            case_hash=content_hash({"load": case_id}), outcome=outcome, dataset="load",
            area=AREA, error=error, failure=reason if outcome == "failed" else "",
            scores=scores, started_at=began, duration_s=duration_s or time.time() - began,
        )  # fmt: skip
        self.shared.journal.append(record.to_json())
        self.shared.counts[outcome] += 1


def plan_from(url: str, options: Mapping[str, Any]) -> Any:
    """The plan of the fixture's keywords.

    :raises UsageError: one of them is not known, or does not fit.
    """
    import difflib

    from harness.runs.load.endpoint import Asking
    from harness.runs.load.running import Plan
    from harness.runs.load.schedule import Arrivals

    given = dict(options)
    asking = {name: given.pop(name) for name in Asking.__dataclass_fields__ if name in given}
    if isinstance(asking.get("prompts"), list):
        asking["prompts"] = tuple(asking["prompts"])
    own = ("arrivals", "rate", "rate_to", "cv", "trace", "seed")
    arrivals: dict[str, Any] = {name: given.pop(name) for name in own if name in given}
    unknown = [name for name in given if name not in Plan.__dataclass_fields__ or name in ("url", "asking")]
    if unknown:
        names = [*Plan.__dataclass_fields__, *Asking.__dataclass_fields__, *own, "repeats", "good", "stall_s"]
        near = difflib.get_close_matches(unknown[0], names, n=3, cutoff=0.4)
        raise UsageError(f"load() has no keyword {unknown[0]!r}; did you mean {', '.join(near) or ', '.join(names)}?")
    made = None
    if "rate" in arrivals or "trace" in arrivals:
        if "streams" in given:
            raise UsageError("load(): rate is an open loop and streams a closed one; give one of them")
        kind = arrivals.pop("arrivals", None) or (
            "trace" if "trace" in arrivals else "ramp" if "rate_to" in arrivals else "poisson"
        )
        arrivals["trace"] = tuple(arrivals.get("trace", ()))
        made = Arrivals(kind=kind, **arrivals)
    elif set(arrivals) - {"seed"}:
        raise UsageError(f"load(): {', '.join(arrivals)} needs rate, in requests per second")
    return Plan(url=url, asking=Asking(**asking), arrivals=made, **given)


def _place(item: pytest.Item) -> tuple[str, str]:
    from harness.plugin.function_items import arm

    return item.nodeid.partition("[")[0], arm(item)


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url if "://" in url else f"http://{url}").hostname or ""


def _folder_name(nodeid: str, count: int) -> str:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", nodeid)[-100:].strip("-.")
    return f"{name}-{count + 1}" if count else name
