"""Watches: the evidence of each rule while a run that may stop early goes on, fed as trials end, counted in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.core.in_order import Group, GroupCount, in_order
from harness.core.record import Manifest, Record, Run
from harness.gates.early import Watch
from harness.gates.paired_rule import PairedRule
from harness.plugin.session import HarnessSession, is_partial

if TYPE_CHECKING:
    from harness.plugin.deciding import Planned

Place = tuple[str, str]
"""Suite and arm."""
CaseKey = tuple[str, str, str]
"""Suite, arm and case id."""


class RuleWatch:
    """One rule's evidence, fed along the order of the groups it covers.

    :param make: the evidence, for so many groups.
    :param base: the baseline's share per (suite, arm, case id), for a rule that compares; other cases are not watched.
    """

    def __init__(
        self,
        make: Callable[[int], Watch],
        entries: Sequence[Planned],
        seed: int,
        *,
        base: Mapping[CaseKey, float] | None = None,
    ) -> None:
        self.counts: dict[Group, GroupCount] = {}
        for entry in entries:
            key = (entry.suite, entry.arm, entry.case.id)
            if base is not None and key not in base:
                continue
            count = self.counts.setdefault(entry.group, GroupCount())
            count.planned[key] = entry.trials
            if base is not None:
                count.base[key] = base[key]
        # A suite of which the baseline has no case is not this rule's, and must not be closed by it.
        self.places = {key[:2] for count in self.counts.values() for key in count.planned}
        self.watch = make(len(self.counts))
        self._order = in_order(seed, self.counts)
        self._next = 0

    @property
    def decided(self) -> bool:
        """Whether it needs no more."""
        return self.watch.state.decided_at is not None

    def note(self, group: Group, record: Record) -> None:
        """Count a trial that ended."""
        count = self.counts.get(group)
        key = (record.suite, record.arm, record.case_id)
        if count is None or key not in count.planned or record.outcome == "not_run":
            return
        count.ended += 1
        if record.outcome == "passed":
            count.passed[key] = count.passed.get(key, 0) + 1
        elif record.outcome == "failed":
            count.failed[key] = count.failed.get(key, 0) + 1
        while not self.decided and self._next < len(self._order) and self.counts[self._order[self._next]].complete:
            ready = self.counts[self._order[self._next]]
            self.watch.update(ready.worst - ready.base_share, best=ready.best - ready.base_share)
            self._next += 1


def compares(rule: Any) -> bool:
    """Whether a rule decides over passes by comparing them with a baseline."""
    return isinstance(rule, PairedRule) and rule.metric == "pass_rate" and not rule.advisory


def base_of(session: HarnessSession, entries: Sequence[Planned]) -> dict[CaseKey, float]:
    """The baseline's pass share of every planned case that it has with the same content; empty without a baseline.

    Found as it will be at the end: by the settings, or as the committed one that shares most cases with the plan.
    """
    from harness.commands.baselines import compare_with
    from harness.core.comparison import suite_key

    plan = Manifest(
        run_id=session.run_id or "the run to be made",
        created_at="",
        agent=str(session.settings.agent or ""),
        mode=session.settings.mode,
        seed=session.settings.seed,
        partial=is_partial(session),
        planned=tuple(session.plans.values()),
    )
    # As if every case had ended: a baseline is paired with what a run has, and this one is going to have these.
    records = [
        Record(
            suite=entry.suite,
            arm=entry.arm,
            case_id=entry.case.id,
            case_hash=entry.case.content_hash,
            trial=0,
            outcome="passed",
            dataset=entry.dataset,
        )
        for entry in entries
    ]
    settings = session.settings
    folder = session.folder or settings.runs / plan.run_id
    against = compare_with(
        settings.baseline, Run(manifest=plan, records=records), folder, root=session.root, runs=settings.runs
    )
    if against.comparison is None:
        return {}
    shares = {
        (suite.suite, pair.case_id): pair.base_passes / pair.base_trials
        for suite in against.comparison.suites
        for pair in suite.pairs
    }
    keys = [(entry, (suite_key(entry.suite, entry.arm), entry.case.id)) for entry in entries]
    return {(entry.suite, entry.arm, entry.case.id): shares[key] for entry, key in keys if key in shares}


class EvidenceWatch:
    """An enough-evidence rule's count of cases."""

    def __init__(self, cases: int, places: set[Place]) -> None:
        self.places = places
        self._missing = cases
        self._seen: set[Group] = set()

    @property
    def decided(self) -> bool:
        """Whether it needs no more."""
        return self._missing <= 0

    def note(self, group: Group, record: Record) -> None:
        """Count a trial that ended."""
        key = (record.dataset or record.suite, record.case_id)
        measured = record.outcome in ("passed", "failed") and (record.suite, record.arm) in self.places
        if measured and key not in self._seen:
            self._seen.add(key)
            self._missing -= 1
