"""Triage: which suites got worse, for whoever looks into it. A list, not a decision: a tenth of it may be wrong.

Benjamini-Hochberg over the suites in scope; on a run that may have stopped early e-BH over evidence that holds under
stopping, which also needs no independence between suites.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.core.in_order import walk
from harness.core.scorecard import Scorecard, SuiteLine
from harness.gates.pairs import Pairs
from harness.gates.wording import some

FALSE_SHARE = 0.1
RESAMPLES = 1_999


def got_worse(pairs: Pairs) -> str:
    """``; by suite, worse in ...`` to append to a reason; empty for one suite or when none stands out."""
    from harness.stats.multiplicity import benjamini_hochberg
    from harness.stats.sign_flip import sign_flip_test

    places = sorted(set(pairs.places))
    if len(places) < 2:
        return ""
    p_values: list[float | None] = []
    for place in places:
        own = [index for index, other in enumerate(pairs.places) if other == place]
        best = [pairs.best[index] for index in own]
        # Nothing lost, nothing to test: most suites of a healthy run cost no permutation.
        lost = any(d < 0 for d in best)
        groups = _labels([pairs.labels[index] for index in own])
        p_values.append(sign_flip_test(best, groups, alternative="less", resamples=RESAMPLES) if lost else 1.0)
    adjusted = benjamini_hochberg(p_values)
    return _told([place for place, p in zip(places, adjusted, strict=True) if p is not None and p <= FALSE_SHARE])


def got_worse_in_order(
    scorecard: Scorecard, lines: Sequence[SuiteLine], shares: Mapping[tuple[str, str, str], float]
) -> str:
    """The same for the pass rate on a run that may have stopped early.

    Each suite's evidence is counted along its own part of the seeded order, up to the first gap.
    """
    from harness.stats.multiplicity import e_bh
    from harness.stats.sequential.non_inferiority import NonInferiorityWatch

    if len(lines) < 2:
        return ""
    evidence: list[float | None] = []
    for line in lines:
        watch = NonInferiorityWatch(0.0)
        for _, group in walk(scorecard, [line], base=shares):
            watch.update(group.worst - group.base_share, best=group.best - group.base_share)
        evidence.append(watch.state.log_e_fail if watch.state.n else None)
    kept = e_bh(evidence, alpha=FALSE_SHARE)
    return _told([(line.suite, line.arm) for line, chosen in zip(lines, kept, strict=True) if chosen])


def _told(places: Sequence[tuple[str, str]]) -> str:
    named = [f"{suite.rpartition('::')[2]}{f'[{arm}]' if arm else ''}" for suite, arm in places]
    return f"; by suite, worse in {some(named)} (a list in which {100 * FALSE_SHARE:g} % may be false)" if named else ""


def _labels(groups: list[tuple[str, str]]) -> list[int]:
    numbers: dict[tuple[str, str], int] = {}
    return [numbers.setdefault(group, len(numbers)) for group in groups]
