"""Tally: one pass over the records that keeps counters and numbers only, so that a run of any size fits in memory.

- A record that appears twice (a resumed run, journals joined twice) counts once: the last one.
- Numbers are kept as columns beside the record's sequence number; nothing of a trajectory is kept but its figures.
- A trial that was planned and has no record is *not run*; a planned case without any record has no id to show, so it
  is counted in ``SuiteLine.missing_cases``.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import median

from harness.core.judge_tally import JudgeTally, judge_lines
from harness.core.record import DECIDED, Manifest, Outcome, PlannedSuite, Record
from harness.core.scorecard import CaseLine, CaseStatus, JudgedSample, Sample, Scorecard, SuiteLine

_OUTCOMES: tuple[Outcome, ...] = ("passed", "failed", "errored", "not_run")
_CODE = {outcome: code for code, outcome in enumerate(_OUTCOMES)}
_OWN = ("cost_usd", "latency_s", "tokens")
_REASON_LENGTH = 400


@dataclass
class _Column:
    """The values of one evaluator, or of one of our own figures, in one suite and arm."""

    name: str
    unit: str = ""
    direction: str = "higher"
    area: str = ""
    judged: bool = True
    records: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    unmeasured: set[int] = field(default_factory=set)
    """Records that it should have judged and could not."""


@dataclass
class _Case:
    """What is known of a case before its trials are counted."""

    record: Record
    """The latest one, without its trajectory and scores."""
    records: list[int] = field(default_factory=list)


class Tally:
    """Counters of a run. Feed it with :meth:`add`, then take the :meth:`scorecard` (without rows)."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str, str, int], int] = {}
        self._outcomes = bytearray()
        self._trials = array("q")
        self._costs: list[Decimal | None] = []
        self._judge_costs: list[Decimal | None] = []
        self._reasons: dict[int, str] = {}
        self._errors: dict[int, tuple[str, str]] = {}
        self._unjudged: set[int] = set()
        self._decided: set[int] = set()
        self._cases: dict[tuple[str, str], dict[str, _Case]] = {}
        self._columns: dict[tuple[str, str], dict[str, _Column]] = {}
        self._judges: dict[tuple[str, str, str], JudgeTally] = {}
        self._tokens: dict[int, int] = {}
        self._starts = array("d")
        self._ends = array("d")

    def add(self, record: Record) -> None:
        """Count one record."""
        number = len(self._outcomes)
        self._last[record.key] = number
        self._outcomes.append(_CODE[record.outcome])
        self._trials.append(record.trial)
        self._costs.append(record.cost_usd)
        self._judge_costs.append(record.judge_cost_usd)
        self._starts.append(record.started_at)
        self._ends.append(record.started_at + record.duration_s)
        place = (record.suite, record.arm)
        cases = self._cases.setdefault(place, {})
        case = cases.get(record.case_id)
        if case is None:
            case = cases[record.case_id] = _Case(record=_light(record))
        elif case.record.case_hash != record.case_hash or case.record.severity != record.severity:
            case.record = _light(record)
        case.records.append(number)
        if record.outcome == "not_run" and record.error is not None and record.error.reason == DECIDED:
            self._decided.add(number)
        if record.outcome != "passed":
            self._reasons[number] = _reason(record).strip().partition("\n")[0][:_REASON_LENGTH]
        if record.outcome == "errored":
            error = record.error
            kind, reason = (error.kind, error.reason or error.type) if error is not None else ("harness", "")
            self._errors[number] = (kind, f"{kind}: {reason}" if reason else kind)
            if not record.scores:
                self._unjudged.add(number)
        self._measure(place, number, record)

    def _measure(self, place: tuple[str, str], number: int, record: Record) -> None:
        columns = self._columns.setdefault(place, {})
        if record.cost_usd is not None:
            self._keep(columns, "cost_usd", "USD", number, float(record.cost_usd))
        trajectory = record.trajectory
        # What a run took or said until it broke is no measurement of it: a time-out would make the agent look fast.
        broke = record.outcome == "errored" and (trajectory is None or trajectory.error is not None)
        if trajectory is not None:
            if trajectory.latency_s is not None and not broke:
                self._keep(columns, "latency_s", "s", number, trajectory.latency_s)
            if trajectory.model_calls:
                tokens = sum(call.usage.total_tokens for call in trajectory.model_calls)
                self._tokens[number] = tokens
                self._keep(columns, "tokens", "tokens", number, tokens)
        for score in record.scores:
            # An evaluator may carry the name of one of our own figures; both are shown, under different names.
            name = f"{score.name} (evaluator)" if score.name in _OWN else score.name
            if score.evidence and "judge" in score.evidence:
                key = (*place, name)
                if key not in self._judges:
                    self._judges[key] = JudgeTally()
                self._judges[key].add(number, score)
            column = columns.get(name)
            if column is None:
                column = columns[name] = _Column(name=name, unit=score.unit, direction=score.direction, area=score.area)
            if score.value is not None and not broke:
                column.records.append(number)
                column.values.append(score.value)
            elif not score.expected_nothing:
                column.unmeasured.add(number)

    @staticmethod
    def _keep(columns: dict[str, _Column], name: str, unit: str, number: int, value: float) -> None:
        column = columns.get(name)
        if column is None:
            column = columns[name] = _Column(name=name, unit=unit, direction="lower", judged=False)
        column.records.append(number)
        column.values.append(value)

    def scorecard(self, manifest: Manifest) -> Scorecard:
        """Everything but the rows."""
        live = set(self._last.values())
        planned = {(item.suite, item.arm): item for item in manifest.planned}
        places = list(planned) + [place for place in sorted(self._cases) if place not in planned]
        lines: list[SuiteLine] = []
        cases: list[CaseLine] = []
        samples: dict[tuple[str, str, str], Sample] = {}
        judged: dict[tuple[str, str, str], JudgedSample] = {}
        for place in places:
            start = len(cases)
            index: dict[int, int] = {}
            plan = planned.get(place)
            for case_id in sorted(self._cases.get(place, {})):
                case = self._cases[place][case_id]
                numbers = sorted((n for n in case.records if n in live), key=self._trials.__getitem__)
                index.update(dict.fromkeys(numbers, len(cases)))
                cases.append(self._case_line(place, case.record, numbers, plan))
            line = _suite_line(place, plan, cases, start)
            lines.append(line)
            for name, column in self._columns.get(place, {}).items():
                samples[(*place, name)] = sample = _sample(column, index, line, self._unjudged)
                if (told := self._judges.get((*place, name))) is not None:
                    judged[(*place, name)] = told.sample(index, of=sample.of)
        cases = self._with_latency(cases, samples)
        counts: dict[str, int] = {outcome: sum(getattr(line, outcome) for line in lines) for outcome in _OUTCOMES}
        unpriced = sum(1 for number in live if self._costs[number] is None and self._outcomes[number] != 3)
        spent = sum((self._costs[number] or Decimal(0) for number in live), Decimal(0))
        errors = [self._errors[number] for number in sorted(live & self._errors.keys())]
        return Scorecard(
            run_id=manifest.run_id,
            rows=(),
            cases=tuple(cases),
            suites=tuple(lines),
            samples=samples,
            judged=judged,
            judges=judge_lines(self._judges, live),
            planned=sum(line.planned for line in lines),
            measured=sum(line.measured for line in lines),
            outcomes=counts,
            errors=dict(Counter(kind for kind, _ in errors)),
            error_reasons=dict(Counter(reason for _, reason in errors)),
            agent_cost_usd=None if unpriced or not live else spent,
            judge_cost_usd=sum((self._judge_costs[number] or Decimal(0) for number in live), Decimal(0)),
            unpriced_trials=unpriced,
            tokens=sum(self._tokens.get(number, 0) for number in live),
            duration_s=self._duration(live),
            finished=bool(manifest.finished_at),
            exit_reason=manifest.exit_reason,
            partial=manifest.partial,
            seed=manifest.seed,
            until_decided=manifest.until_decided,
            decided=sum(line.decided for line in lines),
        )

    def _duration(self, live: set[int]) -> float | None:
        ran = [number for number in live if self._outcomes[number] != _CODE["not_run"]]
        return max(self._ends[n] for n in ran) - min(self._starts[n] for n in ran) if ran else None

    def _case_line(
        self, place: tuple[str, str], record: Record, numbers: list[int], plan: PlannedSuite | None
    ) -> CaseLine:
        counts = [0, 0, 0, 0]
        for number in numbers:
            counts[self._outcomes[number]] += 1
        passed, failed, errored, not_run = counts
        decided = sum(1 for number in numbers if number in self._decided)
        not_run -= decided
        if plan is not None:
            not_run += max(0, plan.trials - len(numbers))
        costs = [self._costs[number] for number in numbers]
        known = [cost for cost in costs if cost is not None]
        statistical = record.statistical or (plan is not None and plan.statistical)
        # A failure says more than an error, and an error more than a trial that never ran.
        worst = sorted((n for n in numbers if n in self._reasons), key=self._outcomes.__getitem__)
        return CaseLine(
            suite=place[0],
            arm=place[1],
            case_id=record.case_id,
            status=_status(passed, failed, errored, decided and not not_run, statistical=statistical),
            area=record.area or (plan.area if plan is not None else ""),
            severity=record.severity,
            cluster=record.group,
            passed=passed,
            failed=failed,
            errored=errored,
            not_run=not_run,
            decided=decided,
            reason=self._reasons[worst[0]] if worst else "",
            case_hash=record.case_hash,
            cost_usd=sum(known, Decimal(0)) if known and len(known) == len(costs) else None,
        )

    @staticmethod
    def _with_latency(cases: list[CaseLine], samples: dict[tuple[str, str, str], Sample]) -> list[CaseLine]:
        per_case: dict[int, list[float]] = {}
        for (_, _, name), sample in samples.items():
            if name == "latency_s":
                for case, value in zip(sample.cases, sample.values, strict=True):
                    per_case.setdefault(case, []).append(value)
        for index, values in per_case.items():
            # The line was made a moment ago and is shared with nobody yet; a second construction of 20,000 frozen
            # dataclasses by `replace` would cost more than the whole count.
            object.__setattr__(cases[index], "latency_s", median(values))
        return cases


def tally(manifest: Manifest, records: Iterable[Record]) -> Scorecard:
    """The scorecard of a run without its rows: lines per suite and case, and the samples behind every figure."""
    counted = Tally()
    for record in records:
        counted.add(record)
    return counted.scorecard(manifest)


def _light(record: Record) -> Record:
    return Record(
        suite=record.suite,
        case_id=record.case_id,
        case_hash=record.case_hash,
        trial=record.trial,
        outcome=record.outcome,
        area=record.area,
        severity=record.severity,
        cluster=record.cluster,
        statistical=record.statistical,
    )


def _reason(record: Record) -> str:
    if record.error is not None:
        return f"{record.error.kind}: {record.error.message}"
    if record.failure:
        return record.failure
    return next((f"{score.name}: {score.reason}" for score in record.scores if score.passed is False), "")


def _status(passed: int, failed: int, errored: int, left_out: int | bool, *, statistical: bool) -> CaseStatus:
    if failed:
        return "unreliable" if passed and statistical else "failed"
    if errored:
        return "errored"
    if passed:
        return "passed"
    return "decided" if left_out else "not_run"


def _suite_line(place: tuple[str, str], plan: PlannedSuite | None, cases: list[CaseLine], start: int) -> SuiteLine:
    own = cases[start:]
    trials = plan.trials if plan is not None else max((case.trials for case in own), default=0)
    missing = max(0, plan.cases - len(own)) if plan is not None else 0
    return SuiteLine(
        suite=place[0],
        arm=place[1],
        area=plan.area if plan is not None else next((case.area for case in own if case.area), ""),
        dataset=plan.dataset if plan is not None else "",
        trials=trials,
        missing_cases=missing,
        passed=sum(case.passed for case in own),
        failed=sum(case.failed for case in own),
        errored=sum(case.errored for case in own),
        not_run=sum(case.not_run for case in own) + missing * trials,
        decided=sum(case.decided for case in own),
        pass_rate=plan.pass_rate if plan is not None else None,
        observe=bool(plan is not None and plan.observe),
        statistical=bool(plan is not None and plan.statistical) or any(c.status == "unreliable" for c in own),
        start=start,
        stop=len(cases),
    )


def _sample(column: _Column, index: dict[int, int], line: SuiteLine, unjudged: set[int]) -> Sample:
    kept = array("q")
    values = array("d")
    for number, value in zip(column.records, column.values, strict=True):
        case = index.get(number)
        if case is not None:
            kept.append(case)
            values.append(value)
    # A trial whose case expects nothing of an evaluator is none of its trials. One that never ran, or broke before any
    # evaluator, might have been, and stays in N.
    lost = sum(1 for number in column.unmeasured | unjudged if number in index)
    asked = len(kept) + lost + line.not_run
    return Sample(
        cases=kept,
        values=values,
        unit=column.unit,
        direction="lower" if column.direction == "lower" else "higher",
        area=column.area,
        of=asked if column.judged else max(len(kept), line.planned),
        evaluator=column.judged,
    )
