"""Stopping early (``--harness-until-decided``): seeded order, a watch per rule on passes, needless trials left out.

What holds a suite's trials back from being left out:

- every pass-rate rule over it (from the gate's file, or declared as ``pass_rate=``) has to be decided;
- so has every rule that compares its pass rate with the baseline, which is therefore read before the run; without one
  such a rule is inconclusive however much is run, and holds nothing back;
- an enough-evidence rule over it has to have its number of cases;
- a suite that no pass-rate rule covers is run to its end, and so is every must-pass case.

Rules on cost, latency or an evaluator judge what was measured. With ``[gate] holm = true`` every rule is watched at the
level of Holm's first step (the chance divided by the number of tests): the later steps ask for less. Trials in flight
when the last rule is decided end, and are recorded; the answer does not change any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from harness.core.case import Case
from harness.core.errors import Failure, UsageError
from harness.core.in_order import Group, place
from harness.core.record import DECIDED, Record, Trial
from harness.plugin.judging import covers
from harness.plugin.session import KEY, HarnessSession

if TYPE_CHECKING:
    from harness.gates.early import Watch
    from harness.plugin.ends import Ends
    from harness.plugin.watches import EvidenceWatch, Place, RuleWatch
    from harness.runs.trial import Work


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


class Deciding:
    """Watches the rules while the run goes on (on the engine's loop) and leaves out what none of them needs."""

    def __init__(self, session: HarnessSession, entries: Sequence[Planned]) -> None:
        from harness.gates.family import is_test, uses_holm
        from harness.plugin.watches import RuleWatch, base_of, compares

        self._session = session
        self._watches: list[RuleWatch | EvidenceWatch] = []
        self._closed: set[Place] = set()
        self._ends: Ends | None = None
        gating = [entry for entry in entries if not entry.observe]
        rules = session.rules()
        declared = {(e.suite, e.arm, e.pass_rate) for e in gating if e.pass_rate is not None}
        self._tests = sum(map(is_test, rules)) + len(declared) if uses_holm(rules) else 1
        self._base = base_of(session, gating) if any(map(compares, rules)) else None
        for rule in rules:
            self._add(rule, gating)
        for suite, arm, rate in declared:
            own = [entry for entry in gating if (entry.suite, entry.arm) == (suite, arm)]
            self._watch_rate(float(rate), 0.95, own)
        rated = {place for watch in self._watches if isinstance(watch, RuleWatch) for place in watch.places}
        if not rated:
            raise UsageError(
                "--harness-until-decided has nothing to decide: no pass-rate rule covers these suites, and none that "
                "compares them with a baseline that exists. Declare pass_rate= on a golden mark, add a threshold rule "
                "to the gate's file, or accept a baseline"
            )
        self._open = rated

    def _add(self, rule: Any, entries: Sequence[Planned]) -> None:
        from harness.gates.early import claims_watch_for
        from harness.gates.enough_evidence import EnoughEvidence
        from harness.gates.family import raised
        from harness.gates.threshold import Threshold
        from harness.plugin.watches import EvidenceWatch, RuleWatch, compares

        covered = [entry for entry in entries if covers(rule, entry.suite, entry.area)]
        if not covered or getattr(rule, "advisory", False):
            return
        if isinstance(rule, Threshold) and rule.metric == "pass_rate" and rule.at_least is not None:
            own = [entry for entry in covered if rule.arm is None or entry.arm == rule.arm]
            if own:
                self._watch_rate(rule.at_least, rule.confidence, own, looks=rule.looks)
        elif compares(rule) and self._base:
            claims, counter = rule.claims()
            confidence = raised(rule.confidence, self._tests)

            def make(total: int) -> Watch:
                return claims_watch_for(claims, counter, confidence=confidence, looks=rule.looks, total=total)

            made = RuleWatch(make, covered, self._session.settings.seed, base=self._base)
            if made.counts:
                self._watches.append(made)
        elif isinstance(rule, EnoughEvidence):
            self._watches.append(EvidenceWatch(rule.cases, {(e.suite, e.arm) for e in covered}))

    def _watch_rate(
        self, at_least: float, confidence: float, entries: Sequence[Planned], *, looks: int | None = None
    ) -> None:
        from harness.gates.early import watch_for
        from harness.gates.family import raised
        from harness.plugin.watches import RuleWatch

        def make(total: int) -> Watch:
            return watch_for(at_least, raised(confidence, self._tests), looks=looks, total=total)

        self._watches.append(RuleWatch(make, entries, self._session.settings.seed))

    def note(self, record: Record) -> None:
        """Count a finished trial, and those of sister workers; when they decide the last rule of a suite, leave out the
        rest of that suite."""
        self._count(record)
        if (ends := self._sisters()) is not None:
            ends.tell(record)
            for other in ends.hear():
                self._count(other)
        ready = {place for place in self._open if all(w.decided for w in self._watches if place in w.places)}
        if not ready:
            return
        self._open -= ready
        self._closed |= ready
        engine = self._session.engine()
        for job in engine.drop(lambda job: self.needless(job.payload)):
            engine.settle(job, [self.left_out(job.payload, trial) for trial in job.trials])

    def _count(self, record: Record) -> None:
        group = (record.dataset or record.suite, record.group)
        for watch in self._watches:
            watch.note(group, record)

    def _sisters(self) -> Ends | None:
        """The other workers of the run; None in a session of one process."""
        session = self._session
        if self._ends is None and session.worker != "main" and session.folder is not None:
            from harness.plugin.ends import Ends
            from harness.plugin.run_start import session_uid

            self._ends = Ends(session.folder, session_uid(session), session.worker)
        return self._ends

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
