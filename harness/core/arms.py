"""Arms: one suite run under several settings (``compare="prompt"``), every arm against the first on the same cases.

The same cases and seeds, taken in turn, so that a slow minute of the provider hits every arm. Differences are candidate
minus first, paired by case, with the interval of any other paired comparison; over several arms the decision "better"
or "worse" is Holm's, so that trying ten prompts does not find a winner by luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.core.record import PlannedSuite
from harness.core.scorecard import ArmComparison, CaseLine, Scorecard
from harness.stats.multiplicity import holm
from harness.stats.paired import mcnemar, paired_difference
from harness.stats.sign_flip import sign_flip_test

ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class _Pairs:
    differences: list[float]
    groups: list[int] | None
    single: bool
    """Whether each side had exactly one measured trial per case."""
    unpaired: int


def compare_arms(
    scorecard: Scorecard, planned: Sequence[PlannedSuite], *, level: float = 0.95
) -> tuple[ArmComparison, ...]:
    """Every arm of every compared axis against the first arm of that axis; empty without ``compare=``."""
    families: dict[tuple[str, str, str], list[PlannedSuite]] = {}
    for item in planned:
        if item.compare:
            families.setdefault((item.suite, item.compare, item.compare_within), []).append(item)
    made: list[ArmComparison] = []
    for (suite, axis, within), arms in families.items():
        first, found = arms[0], []
        for arm in arms[1:]:
            pairs = _pairs(scorecard, suite, first.arm, arm.arm)
            estimate = paired_difference(pairs.differences, pairs.groups, level=level)
            found.append(
                ArmComparison(
                    suite=suite,
                    axis=axis,
                    within=within,
                    first=first.compare_value,
                    arm=arm.compare_value,
                    pairs=len(pairs.differences),
                    unpaired=pairs.unpaired,
                    won=sum(1 for d in pairs.differences if d > 0),
                    lost=sum(1 for d in pairs.differences if d < 0),
                    difference=estimate.value,
                    low=estimate.low,
                    high=estimate.high,
                    level=level,
                    p_value=_p_value(pairs),
                )
            )
        made += _decided(found)
    return tuple(made)


def _decided(found: list[ArmComparison]) -> list[ArmComparison]:
    adjusted = holm([item.p_value for item in found])
    out = []
    for item, p in zip(found, adjusted, strict=True):
        shown = p is not None and p <= ALPHA and bool(item.difference)
        better = (item.difference or 0) > 0
        out.append(replace(item, p_holm=p, answer="not shown" if not shown else "better" if better else "worse"))
    return out


def _p_value(pairs: _Pairs) -> float | None:
    if not pairs.differences:
        return None
    if pairs.single and pairs.groups is None:
        return mcnemar(sum(1 for d in pairs.differences if d > 0), sum(1 for d in pairs.differences if d < 0))
    return sign_flip_test(pairs.differences, pairs.groups)


def _pairs(scorecard: Scorecard, suite: str, first: str, arm: str) -> _Pairs:
    sides: list[dict[str, CaseLine]] = []
    for wanted in (first, arm):
        line = next((line for line in scorecard.suites if (line.suite, line.arm) == (suite, wanted)), None)
        cases = scorecard.cases[line.start : line.stop] if line is not None else ()
        sides.append({case.case_id: case for case in cases})
    old, new = sides
    both = [name for name in sorted(set(old) & set(new)) if old[name].measured and new[name].measured]
    differences = [new[n].passed / new[n].measured - old[n].passed / old[n].measured for n in both]
    numbers: dict[str, int] = {}
    groups = [numbers.setdefault(new[name].cluster or name, len(numbers)) for name in both]
    return _Pairs(
        differences=differences,
        groups=None if len(numbers) == len(both) else groups,
        single=all(old[n].measured == 1 == new[n].measured for n in both),
        unpaired=len(set(old) | set(new)) - len(both),
    )
