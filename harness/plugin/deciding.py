"""Stopping early (``--harness-until-decided``): seeded order, a watch per pass-rate rule, needless trials left out.

What holds a suite's trials back from being left out:

- every pass-rate rule over it (from the gate's file, or declared as ``pass_rate=``) has to be decided;
- an enough-evidence rule over it has to have its number of cases;
- a suite that no pass-rate rule covers is run to its end, and so is every must-pass case.

Rules on cost, latency or an evaluator judge what was measured. Trials in flight when the last rule is decided end, and
are recorded; the answer does not change any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from harness.core.case import Case
from harness.core.errors import Failure, UsageError
from harness.core.in_order import Group, GroupCount, in_order, place
from harness.core.record import DECIDED, Record, Trial
from harness.plugin.session import KEY, HarnessSession

if TYPE_CHECKING:
    from harness.runs.trial import Work
    from harness.stats.sequential.pass_rate import PassRateWatch

Place = tuple[str, str]
"""Suite and arm."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One item of the plan."""

    suite: str
    arm: str
    area: str
    dataset: str
    case: Case
    trials: int
    pass_rate: float | None
    observe: bool

    @property
    def group(self) -> Group:
        """What is independent of the others."""
        return (self.dataset or self.suite, self.case.cluster or self.case.id)


def reorder(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the golden items into the order of the run's seed; other items keep their places."""
    shared = config.stash[KEY]
    if not shared.settings.until_decided:
        return
    from harness.plugin.collect import golden_functions
    from harness.plugin.items import GoldenItem

    found: dict[pytest.Item, tuple[Any, Case]] = {
        item: (item.shared, item.case) for item in items if isinstance(item, GoldenItem)
    }
    found.update({item: (prepared, case) for item, prepared, case in golden_functions(items)})
    places = [index for index, item in enumerate(items) if item in found]

    def position(index: int) -> tuple[int, int]:
        prepared, case = found[items[index]]
        group = (prepared.dataset or prepared.suite, case.cluster or case.id)
        return place(shared.settings.seed, group), index

    ordered = [items[index] for index in sorted(places, key=position)]
    for index, item in zip(places, ordered, strict=True):
        items[index] = item


class _RuleWatch:
    """One rule's evidence, fed along the order of the groups it covers."""

    def __init__(self, name: str, at_least: float, confidence: float, entries: Sequence[Planned], seed: int) -> None:
        from harness.gates.early import watch_for

        self.name = name
        self.watch: PassRateWatch = watch_for(at_least, confidence)
        self.places = {(entry.suite, entry.arm) for entry in entries}
        self.counts: dict[Group, GroupCount] = {}
        for entry in entries:
            count = self.counts.setdefault(entry.group, GroupCount())
            count.planned[(entry.suite, entry.arm, entry.case.id)] = entry.trials
        self._order = in_order(seed, self.counts)
        self._next = 0

    @property
    def decided(self) -> bool:
        return self.watch.state.decided_at is not None

    def note(self, group: Group, record: Record) -> None:
        count = self.counts.get(group)
        if count is None or (record.suite, record.arm) not in self.places or record.outcome == "not_run":
            return
        key = (record.suite, record.arm, record.case_id)
        count.ended += 1
        if record.outcome == "passed":
            count.passed[key] = count.passed.get(key, 0) + 1
        elif record.outcome == "failed":
            count.failed[key] = count.failed.get(key, 0) + 1
        while not self.decided and self._next < len(self._order) and self.counts[self._order[self._next]].complete:
            ready = self.counts[self._order[self._next]]
            self.watch.update(ready.worst, best=ready.best)
            self._next += 1


class _EvidenceWatch:
    """An enough-evidence rule's count of cases."""

    def __init__(self, cases: int, places: set[Place]) -> None:
        self.places = places
        self._missing = cases
        self._seen: set[Group] = set()

    @property
    def decided(self) -> bool:
        return self._missing <= 0

    def note(self, group: Group, record: Record) -> None:
        key = (record.dataset or record.suite, record.case_id)
        measured = record.outcome in ("passed", "failed") and (record.suite, record.arm) in self.places
        if measured and key not in self._seen:
            self._seen.add(key)
            self._missing -= 1


class Deciding:
    """Watches the rules while the run goes on (on the engine's loop) and leaves out what none of them needs."""

    def __init__(self, session: HarnessSession, entries: Sequence[Planned]) -> None:
        self._session = session
        self._watches: list[_RuleWatch | _EvidenceWatch] = []
        self._closed: set[Place] = set()
        gating = [entry for entry in entries if not entry.observe]
        for rule in session.rules():
            self._add(rule, gating)
        for suite, arm, rate in {(e.suite, e.arm, e.pass_rate) for e in gating if e.pass_rate is not None}:
            own = [entry for entry in gating if (entry.suite, entry.arm) == (suite, arm)]
            self._watches.append(_RuleWatch(suite, float(rate), 0.95, own, session.settings.seed))
        rated = {place for watch in self._watches if isinstance(watch, _RuleWatch) for place in watch.places}
        if not rated:
            raise UsageError(
                "--harness-until-decided has nothing to decide: no pass-rate rule covers these suites. Declare "
                "pass_rate= on a golden mark, or add a threshold rule to the gate's file"
            )
        self._open = rated

    def _add(self, rule: Any, entries: Sequence[Planned]) -> None:
        from harness.gates.enough_evidence import EnoughEvidence
        from harness.gates.threshold import Threshold
        from harness.plugin.judging import covers

        covered = [entry for entry in entries if covers(rule, entry.suite, entry.area)]
        if not covered or getattr(rule, "advisory", False):
            return
        if isinstance(rule, Threshold) and rule.metric == "pass_rate" and rule.at_least is not None:
            own = [entry for entry in covered if rule.arm is None or entry.arm == rule.arm]
            if own:
                seed = self._session.settings.seed
                self._watches.append(_RuleWatch(rule.name, rule.at_least, rule.confidence, own, seed))
        elif isinstance(rule, EnoughEvidence):
            self._watches.append(_EvidenceWatch(rule.cases, {(e.suite, e.arm) for e in covered}))

    def note(self, record: Record) -> None:
        """Count a finished trial; when it decides the last rule of a suite, leave out the rest of that suite."""
        group = (record.dataset or record.suite, record.group)
        for watch in self._watches:
            watch.note(group, record)
        ready = {place for place in self._open if all(w.decided for w in self._watches if place in w.places)}
        if not ready:
            return
        self._open -= ready
        self._closed |= ready
        engine = self._session.engine()
        for job in engine.drop(lambda job: self.needless(job.payload)):
            engine.settle(job, [self.left_out(job.payload, trial) for trial in job.trials])

    def needless(self, work: Work) -> bool:
        """Whether no rule needs this item any more."""
        return (work.suite, work.arm) in self._closed and work.case.severity != "must_pass"

    def left_out(self, work: Work, trial: Trial) -> Record:
        """The journaled record of a trial that was not run because everything was decided."""
        case = work.case
        record = Record(
            suite=work.suite,
            case_id=case.id,
            case_hash=work.case_hash,
            trial=trial.index,
            outcome="not_run",
            nodeid=work.nodeid,
            arm=work.arm,
            dataset=work.dataset,
            area=work.area,
            severity=case.severity,
            cluster=case.cluster,
            tags=case.tags,
            seed=trial.seed,
            config_hash=work.config_hash,
            agent=str(getattr(work.agent, "name", "")),
            error=Failure(kind="harness", message="not run (decided): no rule needed it any more", reason=DECIDED),
            statistical=work.statistical,
        )
        self._session.journal.append(record.to_json())
        self._session.counts["not_run"] += 1
        return record
