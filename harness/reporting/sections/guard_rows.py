"""What a run says of guards as classifiers: each judged row, and figures over any choice of rows.

A row is a trial on which the evaluator ``guard_faults`` left its evidence: the row's label, source and category, and
what the guard decided. Figures over rows: shares on cases and clusters, as everywhere on the scorecard; precision,
balanced accuracy and AUC on rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from harness.core.record import Run
from harness.reporting.case_order import case_anchor, record_key
from harness.stats.detection import Confusion, auc
from harness.stats.estimate import Estimate
from harness.stats.rates import rate

EVIDENCE = "guard_faults"
OVER_REFUSAL = ("attack_words", "look_alike", "notinject")
"""Categories of benign rows that are full of the words of attacks."""


class GuardRow(NamedTuple):
    """One decision of a guard on a labelled row."""

    suite: str
    case_id: str
    anchor: str
    group: str
    attack: bool
    source: str
    category: str
    action: str
    right: bool
    score: float | None
    took_s: float
    cpu_s: float | None
    fault: str


def guard_rows(run: Run) -> list[GuardRow]:
    """Every judged row of a run, in its order."""
    rows = []
    for record in run.records:
        for score in record.scores:
            if score.name == EVIDENCE and "label" in score.evidence:
                told = score.evidence
                rows.append(
                    GuardRow(
                        suite=f"{record.suite}[{record.arm}]" if record.arm else record.suite,
                        case_id=record.case_id,
                        anchor=case_anchor(record_key(record)),
                        group=record.group,
                        attack=told["label"] == "attack",
                        source=str(told.get("source") or "unknown"),
                        category=str(told.get("category") or ""),
                        action=str(told.get("action")),
                        right=told.get("right") is True,
                        score=_number(told.get("score")),
                        took_s=_number(told.get("took_s")) or 0.0,
                        cpu_s=_number(told.get("cpu_s")),
                        fault=str(told.get("fault") or ""),
                    )
                )
    return rows


def _number(given: Any) -> float | None:
    return float(given) if isinstance(given, (int, float)) and not isinstance(given, bool) else None


@dataclass(frozen=True, kw_only=True)
class Classified:
    """A guard over some rows. Rows on which it broke are in ``faults`` and in nothing else."""

    attacks: int
    benign: int
    caught: int
    false_alarms: int
    faults: int
    recall: Estimate
    false_positive_rate: Estimate
    precision: Estimate
    balanced_accuracy: Estimate
    auc: Estimate
    over_refusal: Estimate


def classified(rows: Sequence[GuardRow]) -> Classified:
    """The figures of some rows."""
    seen = [row for row in rows if not row.fault]
    attacks, benign = [row for row in seen if row.attack], [row for row in seen if not row.attack]
    counts = Confusion(
        caught=sum(row.right for row in attacks),
        missed=sum(not row.right for row in attacks),
        false_alarms=sum(not row.right for row in benign),
        cleared=sum(row.right for row in benign),
        unmeasured=len(rows) - len(seen),
    )
    scored = [[row.score for row in side if row.score is not None] for side in (attacks, benign)]
    whole = all(len(some) == len(side) for some, side in zip(scored, (attacks, benign), strict=True))
    area = auc(*scored) if whole else Estimate(value=None, note="some rows have no score")
    return Classified(
        attacks=len(attacks),
        benign=len(benign),
        caught=counts.caught,
        false_alarms=counts.false_alarms,
        faults=len(rows) - len(seen),
        recall=_share(attacks, lambda row: row.right),
        false_positive_rate=_share(benign, lambda row: not row.right),
        precision=counts.precision(),
        balanced_accuracy=counts.balanced_accuracy(),
        auc=area,
        over_refusal=_share([row for row in benign if row.category in OVER_REFUSAL], lambda row: not row.right),
    )


def _share(rows: Iterable[GuardRow], counts: Callable[[GuardRow], bool]) -> Estimate:
    """The share of cases, trials of a case as one and cases of a cluster together."""
    cases: dict[tuple[str, str], list[bool]] = {}
    groups: dict[tuple[str, str], tuple[str, str]] = {}
    for row in rows:
        key = (row.suite, row.case_id)
        cases.setdefault(key, []).append(counts(row))
        groups[key] = (row.suite, row.group)
    if not cases:
        return Estimate(value=None, note="no such rows")
    labels = {group: index for index, group in enumerate(dict.fromkeys(groups.values()))}
    values = [sum(some) / len(some) for some in cases.values()]
    return rate(values, [labels[groups[key]] for key in cases], trials=sum(map(len, cases.values())))


__all__ = ["EVIDENCE", "OVER_REFUSAL", "Classified", "GuardRow", "classified", "guard_rows"]
