"""Drift between two runs of one agent: has what it does moved, whatever its pass rate says.

One trial a case (the first), so that the values are independent; latency, cost and tokens by Kolmogorov and Smirnov's
distance, outcomes and the tools called (as one path a trial) by the population stability index under permutation. The
thresholds know how many values there are. The same cases on both sides make the tests cautious, never too eager.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.reporting import numbers
from harness.reporting.visible_text import one_line

if TYPE_CHECKING:
    from harness.core.record import Record
    from harness.stats.drift import Drift

ALPHA = 0.05
"""Over all rows together (Bonferroni)."""
MOST_PATHS = 30
MEASURES = ("latency", "cost", "tokens")
KINDS = ("outcomes", "tools called")


@dataclass(kw_only=True)
class Behaviour:
    """What is kept of a run."""

    values: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in MEASURES})
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in KINDS})


@dataclass(frozen=True, kw_only=True)
class Moved:
    """One row: a figure or a kind of behaviour, and its distance between the runs."""

    name: str
    drift: Drift
    detail: str
    """What moved, as far as a line can say it."""


def behaviour(records: Iterable[Record]) -> Behaviour:
    """One pass over the first trials of a run."""
    found = Behaviour()
    for record in records:
        if record.trial or record.outcome == "not_run":
            continue
        word = f"{record.outcome}: {record.error.kind}" if record.error is not None else str(record.outcome)
        found.counts["outcomes"][word] += 1
        if record.cost_usd is not None:
            found.values["cost"].append(float(record.cost_usd))
        trajectory = record.trajectory
        if trajectory is None or record.outcome == "errored":
            continue
        if trajectory.latency_s is not None:
            found.values["latency"].append(trajectory.latency_s)
        if trajectory.model_calls:
            found.values["tokens"].append(float(trajectory.usage.total_tokens))
        try:
            path = " > ".join(call.name[:60] for call in trajectory.tool_calls[:20]) or "no tool"
        except (RecursionError, TypeError, ValueError, AttributeError):
            path = "unreadable"
        found.counts["tools called"][path] += 1
    return found


def drifts(old: Behaviour, new: Behaviour) -> list[Moved]:
    """Every row that both runs have values for."""
    from harness.stats.drift import category_drift, value_drift

    alpha = ALPHA / (len(MEASURES) + len(KINDS))
    rows = []
    for name in MEASURES:
        made = value_drift(old.values[name], new.values[name], alpha=alpha)
        if made is not None:
            middle = [sorted(side.values[name])[len(side.values[name]) // 2] for side in (old, new)]
            rows.append(
                Moved(name=name, drift=made, detail=f"median {_amount(name, middle[0])} -> {_amount(name, middle[1])}")
            )
    for name in KINDS:
        before, after = _pooled(old.counts[name], new.counts[name])
        if len({*before, *after}) < 2:
            continue  # one category cannot move
        moved = category_drift(before, after, alpha=alpha)
        if moved is not None:
            rows.append(Moved(name=name, drift=moved, detail=_largest(before, after)))
    return rows


def drift_lines(rows: Iterable[Moved], *, old: str, new: str) -> list[str]:
    """The rows as text."""
    lines = [f"drift of run {new} from {old}, first trial of each case"]
    for row in rows:
        word = "MOVED" if row.drift.moved else "same"
        distance = f"{numbers.plain(row.drift.distance)} (limit {numbers.plain(row.drift.threshold)})"
        lines.append(f"  {row.name:<13} {word:<6} {distance:<24} {row.detail}".rstrip())
    return lines if len(lines) > 1 else [*lines, "  nothing that both runs measured"]


def drift_json(rows: Iterable[Moved]) -> list[dict[str, Any]]:
    """The rows for machines."""
    return [{"name": row.name, "detail": row.detail, **vars(row.drift)} for row in rows]


def _pooled(old: Counter[str], new: Counter[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Both sides with the same categories; rare ones together, since an agent may invent as many as it likes."""
    kept = {name for name, _ in (old + new).most_common(MOST_PATHS)}
    sides = []
    for side in (old, new):
        pooled: Counter[str] = Counter()
        for name, count in side.items():
            pooled[name if name in kept else "(others)"] += count
        sides.append(dict(pooled))
    return sides[0], sides[1]


def _largest(old: dict[str, int], new: dict[str, int]) -> str:
    before, after = sum(old.values()), sum(new.values())
    shares = {name: (old.get(name, 0) / before, new.get(name, 0) / after) for name in {*old, *new}}
    name, (was, now) = max(sorted(shares.items()), key=lambda item: abs(item[1][1] - item[1][0]))
    if was == now:
        return ""
    return f"most: {one_line(name, 60)} {numbers.share(was)} -> {numbers.share(now)}"


def _amount(name: str, value: float) -> str:
    return numbers.measured(value, {"latency": "s", "cost": "USD"}.get(name, ""))
