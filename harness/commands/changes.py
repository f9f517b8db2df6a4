"""What changed between two runs, as data: per suite, per area and over all, with the cases that flipped.

The difference of pass shares is :mod:`harness.core.comparison`'s, pooled over the pairs of the suites in question.
Observed suites are compared too, but left out of the lines over several suites, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.commands.ratios import Ratio, ratio_of_cases, ratio_of_totals
from harness.core.comparison import (
    Baseline,
    CasePair,
    Comparison,
    SuiteComparison,
    family_labels,
    pooled_difference,
    suite_key,
)
from harness.core.record import Manifest, Run
from harness.core.scorecard import CaseLine
from harness.stats.decide import Decision, decide_paired

Values = Mapping[tuple[str, str], CaseLine]
"""Suite key and case id to the case's line."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One line: a suite, an area or everything."""

    kind: Literal["suite", "area", "all"]
    name: str
    pairs: tuple[CasePair, ...]
    difference: float | None
    """Mean over pairs of the pass share, new minus old; None without pairs."""
    low: float | None
    high: float | None
    cost: Ratio
    latency: Ratio
    unpaired: int = 0
    """Cases of the old run whose content changed, or that the new one did not measure."""
    added: int = 0
    """Cases that only the new run measured."""
    decision: Decision
    """Not worse by more than the margin: pass, fail, or inconclusive with about how many more cases would tell."""

    @property
    def worse(self) -> int:
        """Pairs that pass a smaller share than before."""
        return sum(pair.difference < 0 for pair in self.pairs)

    @property
    def better(self) -> int:
        """Pairs that pass a larger share than before."""
        return sum(pair.difference > 0 for pair in self.pairs)


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Two runs side by side."""

    comparison: Comparison
    suites: tuple[Change, ...]
    areas: tuple[Change, ...]
    all: Change
    level: float = 0.95
    margin: float = 0.05


def changes_between(old: Run | Baseline, new: Run, *, level: float = 0.95, margin: float = 0.05) -> Changes:
    """The new run against an old one, or against a stored baseline.

    :param level: of the two-sided intervals; a verdict's one-sided bounds have the same.
    :param margin: largest acceptable drop, in (0, 1).

    A baseline keeps cost and latency per suite only, so against one the ratios come without an interval.
    """
    from harness.core.pairing import datasets_of, pair_up, summarise

    base = old if isinstance(old, Baseline) else summarise(old.manifest, old.records)
    now = summarise(new.manifest, new.records)
    comparison = pair_up(base, now, level=level, datasets=datasets_of(new.manifest))
    before = None if isinstance(old, Baseline) else _lines(old)
    after = _lines(new)
    manifests = [new.manifest] if isinstance(old, Baseline) else [new.manifest, old.manifest]
    areas, observed = _places(manifests)

    def line(kind: Literal["suite", "area", "all"], name: str, parts: Sequence[SuiteComparison]) -> Change:
        ratios = _summed(comparison, parts) if before is None else _paired(before, after, parts, level)
        return _change(kind, name, parts, ratios, level=level, margin=margin)

    gating = [suite for suite in comparison.suites if suite.suite not in observed]
    grouped: dict[str, list[SuiteComparison]] = {}
    for suite in gating:
        grouped.setdefault(areas.get(suite.suite, ""), []).append(suite)
    return Changes(
        comparison=comparison,
        suites=tuple(line("suite", suite.suite, [suite]) for suite in comparison.suites),
        areas=tuple(line("area", area, grouped[area]) for area in sorted(grouped) if area),
        all=line("all", "all gating suites", gating),
        level=level,
        margin=margin,
    )


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """A comparison for machines: differences per suite, and every case that changed."""
    return {
        "base": comparison.base,
        "new": comparison.new,
        "suites": [
            {
                "suite": suite.suite,
                "difference": suite.difference,
                "low": suite.low,
                "high": suite.high,
                "level": suite.level,
                "method": suite.method,
                "pairs": len(suite.pairs),
                "changed_cases": list(suite.changed),
                "only_base": list(suite.only_base),
                "only_new": list(suite.only_new),
                "flipped": [{**_plain(pair), "difference": pair.difference} for pair in suite.pairs if pair.difference],
            }
            for suite in comparison.suites
        ],
        "notes": list(comparison.notes),
        "source": comparison.meta.get("source", ""),
    }


def _plain(pair: CasePair) -> dict[str, Any]:
    return {key: value for key, value in vars(pair).items() if key != "family"}


def changes_json(changes: Changes) -> dict[str, Any]:
    """All of it for machines; what was not measured is null."""
    lines = [*changes.suites, *changes.areas, changes.all]
    out = comparison_json(changes.comparison)
    out["lines"] = [
        {
            "kind": item.kind,
            "name": item.name,
            "difference": item.difference,
            "low": item.low,
            "high": item.high,
            "pairs": len(item.pairs),
            "worse": item.worse,
            "better": item.better,
            "unpaired": item.unpaired,
            "added": item.added,
            "answer": item.decision.answer,
            "margin": changes.margin,
            "more_cases": item.decision.more,
            "cost_ratio": vars(item.cost),
            "latency_ratio": vars(item.latency),
        }
        for item in lines
    ]
    return out


def _change(
    kind: Literal["suite", "area", "all"],
    name: str,
    parts: Sequence[SuiteComparison],
    ratios: tuple[Ratio, Ratio],
    *,
    level: float,
    margin: float,
) -> Change:
    pairs = tuple(pair for part in parts for pair in part.pairs)
    made = pooled_difference(pairs, level=level)
    return Change(
        kind=kind,
        name=name,
        pairs=pairs,
        difference=made.value,
        low=made.low,
        high=made.high,
        cost=ratios[0],
        latency=ratios[1],
        unpaired=sum(len(part.changed) + len(part.only_base) for part in parts),
        added=sum(len(part.only_new) for part in parts),
        decision=decide_paired(
            [pair.difference for pair in pairs], margin, family_labels(pairs), confidence=0.5 + level / 2
        ),
    )


def _lines(run: Run) -> Values:
    from harness.core.tally import tally

    card = tally(run.manifest, run.records)
    return {(suite_key(case.suite, case.arm), case.case_id): case for case in card.cases}


def _places(manifests: Iterable[Manifest]) -> tuple[dict[str, str], set[str]]:
    """Area per suite key, and the observed ones; the first manifest that knows a suite decides."""
    areas: dict[str, str] = {}
    observed: set[str] = set()
    for manifest in manifests:
        for plan in manifest.planned:
            key = suite_key(plan.suite, plan.arm)
            if key not in areas:
                areas[key] = plan.area
                if plan.observe:
                    observed.add(key)
    return areas, observed


def _paired(before: Values, after: Values, parts: Sequence[SuiteComparison], level: float) -> tuple[Ratio, Ratio]:
    costs: list[tuple[float, float]] = []
    times: list[tuple[float, float]] = []
    of = 0
    for part in parts:
        for pair in part.pairs:
            of += 1
            old, new = before[part.suite, pair.case_id], after[part.suite, pair.case_id]
            old_cost, new_cost = _cost(old), _cost(new)
            if old_cost is not None and new_cost is not None:
                costs.append((old_cost, new_cost))
            if old.latency_s is not None and new.latency_s is not None:
                times.append((old.latency_s, new.latency_s))
    return ratio_of_totals(costs, of=of, level=level), ratio_of_cases(times, of=of, level=level)


def _cost(case: CaseLine) -> float | None:
    ran = case.passed + case.failed + case.errored
    return None if case.cost_usd is None or not ran else float(case.cost_usd) / ran


def _summed(comparison: Comparison, parts: Sequence[SuiteComparison]) -> tuple[Ratio, Ratio]:
    made = []
    for name in ("costs_usd", "latency_p50_s"):
        values = [comparison.meta[name].get(part.suite, [None, None]) for part in parts]
        known = [(float(old), float(new)) for old, new in values if old is not None and new is not None]
        if len(parts) != 1 or not known or known[0][0] <= 0:
            why = "a baseline keeps it per suite only" if len(parts) != 1 else "not known on both sides"
            made.append(Ratio(note=why))
        else:
            old, new = known[0]
            made.append(Ratio(value=new / old, note="of the suites' figures; a baseline keeps no case's own"))
    return made[0], made[1]
