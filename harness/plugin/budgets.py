"""Budgets on functions: what ``@pytest.mark.budget(p95_s=0.05)`` does with pytest-benchmark's ``benchmark`` fixture."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from harness.core.errors import Failure, HarnessError, MissingDependency, UsageError
from harness.core.record import Outcome, PlannedSuite, Record
from harness.core.score import Score
from harness.plugin.budget_verdicts import DATASET
from harness.plugin.session import HarnessSession
from harness.runs.bench.budget import Budget, Finding, judge

MADE_BY = "budget"
"""Key of the evidence by which a score is known as the finding of a budget."""


@dataclass(kw_only=True)
class _Captured:
    """The call that the test handed to ``benchmark``."""

    call: Callable[[], object] | None = None
    made: int = 0


class Budgets:
    """Registered as a plugin when budgeted tests were collected."""

    def __init__(self, session: HarnessSession, items: list[pytest.Item]) -> None:
        self.session = session
        self.budgets: dict[pytest.Item, Budget] = {}
        for item in items:
            mark = item.get_closest_marker("budget")
            if mark is None:
                continue
            if item.get_closest_marker("golden") is not None:
                raise UsageError(f"{item.nodeid}: a golden test has no budget; limit it by a rule on latency_s")
            if not isinstance(item, pytest.Function) or "benchmark" not in item.fixturenames:
                raise UsageError(
                    f"{item.nodeid}: a budgeted test asks for the fixture benchmark, and hands it the function: "
                    "benchmark(function, *args)"
                )
            if not item._fixtureinfo.name2fixturedefs.get("benchmark"):
                raise MissingDependency("pytest-benchmark", extra="bench", purpose="@pytest.mark.budget")
            self.budgets[item] = Budget.from_marker(mark.args, mark.kwargs, where=item.nodeid)

    def plan(self) -> None:
        """What is going to be measured, for the manifest."""
        for item in self.budgets:
            self.session.plan(
                PlannedSuite(
                    suite=_suite(item), area=item.path.parent.name, dataset=DATASET, cases=1, trials=1, observe=True
                )
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        """Run the test, then measure on until each limit is decided; outside is a failure of the test."""
        budget = self.budgets.get(item)
        if budget is None:
            return (yield)
        fixture: Any = getattr(item, "funcargs", {}).get("benchmark")
        captured, started, begun = _capture(fixture), time.time(), time.perf_counter()
        findings: tuple[Finding, ...] = ()
        try:
            result = yield
            why = _unmeasured(fixture, captured)
            if why:
                findings = tuple(_unknown(name, limit, why) for name, limit in budget.limits.items())
            else:
                assert captured.call is not None
                # A round of many iterations is their mean, which says nothing about the times of single calls.
                kept = fixture.stats
                rounds, single = list(kept.stats.data), kept.iterations == 1
                findings = judge(budget, captured.call, times=rounds if single else (), means=() if single else rounds)
        except pytest.skip.Exception as skipped:
            self._keep(item, "not_run", (), started, begun, error=Failure(kind="harness", message=str(skipped)))
            raise
        except AssertionError as failed:
            self._keep(item, "failed", (), started, begun, failure=str(failed)[:2000])
            raise
        except Exception as broken:
            error = Failure(kind="agent", message=str(broken)[:2000], type=type(broken).__name__)
            self._keep(item, "errored", (), started, begun, error=error)
            raise
        item.stash[FINDINGS] = findings
        answers = [finding.answer for finding in findings]
        if "fail" in answers:
            over = [finding.reason for finding in findings if finding.answer == "fail"]
            self._keep(item, "failed", findings, started, begun, failure="; ".join(over))
            pytest.fail("over budget:\n  " + "\n  ".join(over), pytrace=False)
        if "inconclusive" in answers:
            said = "; ".join(finding.reason for finding in findings if finding.answer == "inconclusive")
            error = Failure(kind="harness", message=said, reason="inconclusive")
            self._keep(item, "errored", findings, started, begun, error=error)
        else:
            self._keep(item, "passed", findings, started, begun)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        """An inconclusive budget has a word of its own, and every budget its arithmetic."""
        report = yield
        findings = item.stash.get(FINDINGS, None)
        if findings is not None and call.when == "call":
            report.sections.append(("budget", "\n".join(finding.reason for finding in findings)))
            if report.outcome == "passed" and any(finding.answer == "inconclusive" for finding in findings):
                report.harness_status = "inconclusive"
        return report

    def _keep(
        self, item: pytest.Item, outcome: Outcome, findings: tuple[Finding, ...], started: float, begun: float,
        *, failure: str = "", error: Failure | None = None,
    ) -> None:  # fmt: skip
        callspec = getattr(item, "callspec", None)
        record = Record(
            suite=_suite(item),
            case_id=callspec.id if callspec is not None else item.name,
            case_hash="",
            trial=0,
            outcome=outcome,
            nodeid=item.nodeid,
            dataset=DATASET,
            area=item.path.parent.name,
            scores=tuple(_score(finding) for finding in findings),
            failure=failure,
            error=error,
            started_at=started,
            duration_s=time.perf_counter() - begun,
        )
        try:
            self.session.journal.append(record.to_json())
        except HarnessError as trouble:
            self.session.exit_reason = self.session.exit_reason or str(trouble)
            item.session.shouldstop = str(trouble)
        self.session.counts[outcome] += 1


FINDINGS: pytest.StashKey[tuple[Finding, ...]] = pytest.StashKey()


def _capture(fixture: Any) -> _Captured:
    """Note what the test hands to ``benchmark``; pytest-benchmark keeps the times and forgets the function."""
    captured = _Captured()
    raw, pedantic = getattr(fixture, "_raw", None), getattr(fixture, "_raw_pedantic", None)
    if raw is None or pedantic is None:
        return captured

    def noting(function: Callable[..., object], *args: Any, **kwargs: Any) -> Any:
        captured.call = lambda: function(*args, **kwargs)
        return raw(function, *args, **kwargs)

    def noting_pedantic(
        target: Callable[..., object], args: Any = (), kwargs: Any = None, setup: Any = None, **more: Any
    ) -> Any:
        if setup is None:
            captured.call = lambda: target(*args, **(kwargs or {}))
        else:
            captured.made += 1
        return pedantic(target, args=args, kwargs=kwargs, setup=setup, **more)

    fixture._raw, fixture._raw_pedantic = noting, noting_pedantic
    return captured


def _unmeasured(fixture: Any, captured: _Captured) -> str:
    """Why there is nothing to judge, or empty."""
    if captured.made:
        return "benchmark.pedantic(setup=...) cannot be called again; prepare in a fixture instead"
    if captured.call is None:
        return "the test never called benchmark(function)"
    if getattr(fixture, "stats", None) is None:
        return "pytest-benchmark is switched off (--benchmark-disable)"
    return ""


def _unknown(name: str, limit: float, why: str) -> Finding:
    unit = "MB" if name == "memory_mb" else "B" if name == "leak_bytes" else "s"
    reason = f"{name}: not measured: {why}"
    return Finding(name=name, limit=limit, unit=unit, answer="inconclusive", reason=reason, needs="a measurement")


def _score(finding: Finding) -> Score:
    evidence = {
        "made_by": MADE_BY, "limit": finding.limit, "low": finding.low, "high": finding.high, "n": finding.n,
        "answer": finding.answer, "needs": finding.needs,
    }  # fmt: skip
    return Score(
        name=finding.name,
        value=finding.estimate,
        passed={"pass": True, "fail": False, "inconclusive": None}[finding.answer],
        unit=finding.unit,
        direction="lower",
        reason=finding.reason,
        evidence=evidence,
    )


def _suite(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    return item.nodeid.removesuffix(f"[{callspec.id}]") if callspec is not None else item.nodeid
