"""Runs made by hand from the core nouns, small enough to read, for every test of the reports."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator
from decimal import Decimal
from typing import Any

from harness.core.comparison import CasePair, Comparison, SuiteComparison
from harness.core.errors import Failure
from harness.core.record import Manifest, PlannedSuite, Record, Run
from harness.core.score import Score
from harness.core.scorecard import CaseLine, Row, Scorecard
from harness.core.trajectory import ModelCall, Trajectory
from harness.core.usage import Usage
from harness.core.verdict import Verdict

DESK = "suites/support_desk/test_refunds.py::test_refunds"
TOOLS = "suites/support_desk/test_tools.py::test_right_tool"
GUARD = "suites/guardrails/test_injection.py::test_injection"
POLICY = "Refunds are possible within 30 days. Never promise money before the order was looked up."


def trajectory(case_id: str = "c1", *, reply: str = "Your refund of $12.40 is on its way.", **more: Any) -> Trajectory:
    """A desk conversation with one tool call."""
    messages = (
        {"role": "system", "content": POLICY},
        {"role": "user", "content": f"Where is my refund for order {case_id}?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {
                        "name": "lookup_order",
                        "arguments": f'{{"order": "{case_id}", "fields": ["status", "total"]}}',
                    },
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": '{"status": "delivered", "total": 12.4}'},
        {"role": "assistant", "content": reply},
    )
    calls = (
        ModelCall(
            model="desk-1",
            provider="local",
            usage=Usage(input_tokens=412, output_tokens=38),
            cost_usd=Decimal("0.00061"),
            latency_s=0.412,
            ttft_s=0.11,
        ),
        ModelCall(
            model="desk-1",
            provider="local",
            usage=Usage(input_tokens=498, output_tokens=71, cached_tokens=400),
            cost_usd=Decimal("0.00083"),
            latency_s=0.538,
            attempts=2,
        ),
    )
    return Trajectory(
        messages=messages,
        model_calls=calls,
        latency_s=0.97,
        state={"refunds": [{"order": case_id, "usd": 12.4}]},
        **more,
    )


def record(case_id: str = "c1", *, suite: str = DESK, trial: int = 0, outcome: str = "passed", **more: Any) -> Record:
    """One finished trial; failed and errored ones bring their evidence."""
    ok = outcome == "passed"
    values: dict[str, Any] = {
        "suite": suite,
        "case_id": case_id,
        "case_hash": "0" * 16,
        "trial": trial,
        "outcome": outcome,
        "area": "guardrails" if suite == GUARD else "tools" if suite == TOOLS else "refunds",
        "tags": ("smoke",) if case_id.endswith("1") else ("long", "money"),
        "agent": "desk",
        "duration_s": 1.02,
        "nodeid": f"{suite}[{case_id}]",
        "cost_usd": Decimal("0.00144"),
        "trajectory": trajectory(case_id),
        "scores": (
            Score.passed_if(
                "answer",
                ok,
                "answer contains 'refund' and '$12.40'" if ok else "'$12.40' is missing from the answer",
                evidence={"expected": ["refund", "$12.40"], "got": "Your refund"},
            ),
            Score.of("steps", 2, "2 assistant messages", unit="calls", direction="lower"),
            Score.not_measured("grounded", "nothing expected of the sources", expected_nothing=True),
        ),
    }
    if outcome == "failed":
        values["failure"] = "assert '$12.40' in answer\n +  where answer = 'Your refund'"
    if outcome == "errored":
        values["error"] = Failure(
            kind="provider", reason="rate_limited", type="ProviderBroken", message="429 from 127.0.0.1 after 5 attempts"
        )
        values["scores"] = ()
    values.update(more)
    return Record(**values)


def make_scorecard(run: Run, **more: Any) -> Scorecard:
    """A scorecard of the run's records, counted in the plainest way; the intervals are invented."""
    lines: dict[tuple[str, str, str], dict[str, Any]] = {}
    counts = {"passed": 0, "failed": 0, "errored": 0, "not_run": 0}
    errors: dict[str, int] = {}
    for item in run.records:
        line = lines.setdefault(
            (item.suite, item.arm, item.case_id),
            {"passed": 0, "failed": 0, "errored": 0, "not_run": 0, "first": item, "reason": ""},
        )
        line[item.outcome] += 1
        counts[item.outcome] += 1
        if item.error is not None:
            errors[item.error.kind] = errors.get(item.error.kind, 0) + 1
            line["reason"] = line["reason"] or item.error.message
        elif item.failure:
            line["reason"] = line["reason"] or item.failure
    cases = []
    for (suite, arm, case_id), line in lines.items():
        first = line["first"]
        status = "errored" if line["errored"] else "not_run" if line["not_run"] else "passed"
        if line["failed"]:
            status = "unreliable" if line["passed"] else "failed"
        cases.append(
            CaseLine(
                suite=suite,
                case_id=case_id,
                arm=arm,
                status=status,
                area=first.area,
                severity=first.severity,
                passed=line["passed"],
                failed=line["failed"],
                errored=line["errored"],
                not_run=line["not_run"],
                reason=line["reason"],
                cost_usd=first.cost_usd,
                latency_s=0.97,
            )
        )
    rows = []
    for suite in [*sorted({case.suite for case in cases}), ""]:
        mine = [case for case in cases if suite in ("", case.suite)]
        passed, failed = sum(c.passed for c in mine), sum(c.failed for c in mine)
        of = passed + failed + sum(c.errored + c.not_run for c in mine)
        rate = passed / (passed + failed) if passed + failed else None
        area = mine[0].area if suite and mine else ""
        low, high = (None, None) if rate is None else (max(0.0, rate - 0.09), min(1.0, rate + 0.05))
        rows.append(
            Row(
                suite=suite,
                area=area,
                metric="pass_rate",
                kind="rate",
                estimate=rate,
                low=low,
                high=high,
                n=passed + failed,
                of=of,
                clusters=len(mine),
                method="Wilson",
            )
        )
        rows.append(
            Row(
                suite=suite,
                area=area,
                metric="latency_s",
                kind="quantile",
                quantile=0.5,
                estimate=0.97,
                low=0.91,
                high=1.04,
                n=passed + failed,
                of=of,
                unit="s",
                direction="lower",
            )
        )
        rows.append(
            Row(
                suite=suite,
                area=area,
                metric="latency_s",
                kind="quantile",
                quantile=0.95,
                estimate=1.61,
                low=1.4,
                high=None,
                n=passed + failed,
                of=of,
                unit="s",
                direction="lower",
                note="upper bound needs more trials",
            )
        )
        rows.append(
            Row(
                suite=suite,
                area=area,
                metric="cost_usd",
                kind="mean",
                estimate=0.00144,
                low=0.0012,
                high=0.0017,
                n=of,
                of=of,
                unit="USD",
                direction="lower",
            )
        )
        if suite:
            rows.append(
                Row(
                    suite=suite,
                    area=area,
                    metric="answer",
                    kind="rate",
                    estimate=rate,
                    low=low,
                    high=high,
                    n=passed + failed,
                    of=of,
                )
            )
            rows.append(
                Row(
                    suite=suite,
                    area=area,
                    metric="steps",
                    kind="mean",
                    estimate=2.13,
                    low=2.0,
                    high=2.31,
                    n=passed + failed,
                    of=of,
                    unit="calls",
                    direction="lower",
                )
            )
    rows += [
        Row(
            suite=DESK,
            area="refunds",
            metric="pass^k",
            kind="pass_k",
            k=k,
            estimate=0.95**k,
            low=0.9**k,
            high=0.98**k,
            n=90,
            of=90,
        )
        for k in (1, 2, 3)
    ]
    values: dict[str, Any] = {
        "run_id": run.manifest.run_id,
        "rows": tuple(rows),
        "cases": tuple(cases),
        "planned": max(run.manifest.planned_trials, sum(counts.values())),
        "measured": counts["passed"] + counts["failed"],
        "outcomes": counts,
        "errors": errors,
        "error_reasons": {f"{kind}: rate_limited": count for kind, count in errors.items()},
        "agent_cost_usd": Decimal("0.1837"),
        "judge_cost_usd": Decimal("0.021"),
        "tokens": 81_240,
        "duration_s": 12.4,
    }
    values.update(more)
    return Scorecard(**values)


class Streamed(Collection[Record]):
    """Records made anew at every walk, as a run read from disk."""

    def __init__(self, count: int, make: Callable[[int], Record]) -> None:
        self._count = count
        self._make = make
        self.walks = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Record]:
        self.walks += 1
        return (self._make(index) for index in range(self._count))

    def __contains__(self, item: object) -> bool:
        return any(item == mine for mine in self)


def make_run(records: Collection[Record], **more: Any) -> Run:
    """A run with a full manifest."""
    manifest: dict[str, Any] = {
        "run_id": "2026-03-01T10-00-00Z-a1b2",
        "created_at": "2026-03-01T10:00:00Z",
        "finished_at": "2026-03-01T10:00:13Z",
        "harness_version": "0.1.0",
        "agent": "desk@careful",
        "mode": "replay",
        "seed": 7,
        "commit": "4f2c9ab01d7788",
        "command": ("suites", "--harness-mode=replay"),
        "planned": tuple(
            PlannedSuite(
                suite=suite,
                cases=30,
                trials=3 if suite == DESK else 1,
                pass_rate=0.9,
                statistical=True,
                dataset="desk",
                dataset_hash="ab12cd34",
            )
            for suite in (DESK, TOOLS, GUARD)
        ),
        "models": ("desk-1",),
        "versions": {"python": "3.11.7", "pytest": "9.0.1"},
        "machine": {"cpu": "2 cores", "system": "Linux"},
        "prices": {"desk-1": {"input": "1.00", "output": "4.00"}},
    }
    notices = more.pop("notices", ())
    manifest.update(more)
    return Run(manifest=Manifest(**manifest), records=records, notices=notices)


def sample_records() -> list[Record]:
    """90 refund trials, 30 tool trials, 30 guardrail trials; some of every outcome."""
    chance = random.Random(3)
    records = []
    for number in range(30):
        for trial in range(3):
            outcome = "failed" if number in (4, 17) or (number == 9 and trial == 1) else "passed"
            records.append(
                record(f"refund-{number:03d}", trial=trial, outcome=outcome, duration_s=chance.uniform(0.6, 2))
            )
        tool = "errored" if number in (3, 11) else "failed" if number == 21 else "passed"
        records.append(
            record(f"tool-{number:03d}", suite=TOOLS, outcome=tool, severity="must_pass" if number == 21 else "normal")
        )
        records.append(record(f"injection-{number:03d}", suite=GUARD, outcome="not_run" if number > 27 else "passed"))
    return records


def sample_verdicts() -> tuple[Verdict, ...]:
    """One of each answer."""
    return (
        Verdict(
            rule="behaviour",
            answer="fail",
            suite=DESK,
            reason="pass rate 92.2% (83 of 90), upper bound 89.1% is below 95.0%",
        ),
        Verdict(
            rule="enough evidence",
            answer="inconclusive",
            reason="144 of 150 trials measured; 148 asked for",
            needs="4 more measured trials",
        ),
        Verdict(rule="latency", answer="pass", reason="p95 1.61 s, upper bound 1.92 s, limit 2.00 s"),
        Verdict(rule="tone", answer="fail", reason="0.71 against 0.80", advisory=True),
    )


def sample_comparison() -> Comparison:
    """One suite with two flips down and one up."""
    pairs = tuple(
        CasePair(
            case_id=f"refund-{n:03d}",
            base_trials=3,
            base_passes=1 if n == 2 else 3,
            new_trials=3,
            new_passes=0 if n in (4, 17) else 3,
        )
        for n in range(30)
    )
    return Comparison(
        base="2026-02-20T08-00-00Z-77aa",
        new="2026-03-01T10-00-00Z-a1b2",
        suites=(
            SuiteComparison(
                suite=DESK,
                pairs=pairs,
                changed=("refund-030",),
                only_base=("refund-031",),
                only_new=("refund-032", "refund-033"),
                difference=-0.044,
                low=-0.11,
                high=0.01,
                method="clustered t",
            ),
        ),
        notes=("The baseline was made with another commit.",),
    )
