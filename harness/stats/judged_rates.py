"""Pass rates that a judge decided, corrected for the judge's errors.

A judge with sensitivity .9 and specificity .8 calls 27 % of work good of which 10 % is. Two ways back to the truth:

- :func:`prediction_powered`: people have labelled some of the *same* work. Their labels say what the judge gets wrong
  here; nothing is assumed.
- :func:`rogan_gladen`: only the judge's error rates are known, from an exam on other rows. Assumes that it makes them
  on this work at the same rates; where it does not, no interval helps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

from harness.stats.estimate import Estimate, check_level
from harness.stats.paired import paired_difference
from harness.stats.rates import rate


def rogan_gladen(
    judged: float,
    n: float,
    *,
    caught: int,
    missed: int,
    false_alarms: int,
    cleared: int,
    level: float = 0.95,
    clusters: int = 0,
) -> Estimate:
    """The share of good work, from the share that a judge passed and the counts of its exam.

    Rogan and Gladen (1978), American Journal of Epidemiology 107:71-76: (p + TNR - 1) / (TPR + TNR - 1). The interval
    is that of Lang and Reiczigel (2014), Preventive Veterinary Medicine 113:13-22, which adds pseudo-counts to all
    three shares, so that it has width also for a judge without a mistake in its exam, and shifts the middle. The
    estimate and the bounds are kept inside [0, 1].

    :param judged: passes among the ``n``; a fraction where ``n`` is an effective size.
    :param caught: exam: good work passed. ``missed``: failed. ``cleared``: bad work failed. ``false_alarms``: passed.
    :raises ValueError: for counts out of range.
    """
    check_level(level)
    if not 0 <= judged <= n or min(caught, missed, false_alarms, cleared) < 0:
        raise ValueError(f"counts are at least 0 and passes at most n, got {judged!r} of {n!r}")
    good, bad = caught + missed, false_alarms + cleared
    if n <= 0 or not good or not bad:
        note = "nothing judged" if n <= 0 else f"the exam had no {'passing' if not good else 'failing'} row"
        return Estimate(value=None, level=level, note=note)
    tpr, tnr = caught / good, cleared / bad
    if tpr + tnr <= 1:
        note = "a judge that is right no more often than chance cannot be corrected"
        return Estimate(value=None, level=level, n=n, clusters=clusters, note=note)
    z = NormalDist().inv_cdf(0.5 + level / 2)
    value = min(1.0, max(0.0, (judged / n + tnr - 1) / (tpr + tnr - 1)))
    size, tpr_n, tnr_n = n + z * z, good + 2, bad + 2
    p, se, sp = (judged + z * z / 2) / size, (caught + 1) / tpr_n, (cleared + 1) / tnr_n
    apart = se + sp - 1
    if apart <= 0:
        return Estimate(value=value, level=level, n=n, clusters=clusters, note="the exam is too short for an interval")
    middle = (p + sp - 1) / apart
    shift = 2 * z * z * (middle * se * (1 - se) / tpr_n - (1 - middle) * sp * (1 - sp) / tnr_n)
    variance = p * (1 - p) / size + middle**2 * se * (1 - se) / tpr_n + (1 - middle) ** 2 * sp * (1 - sp) / tnr_n
    half = z * math.sqrt(variance) / apart
    low, high = (min(1.0, max(0.0, middle + shift + side * half)) for side in (-1, 1))
    return Estimate(
        value=value,
        low=min(low, value),
        high=max(high, value),
        level=level,
        method="Rogan-Gladen, Lang-Reiczigel",
        n=n,
        clusters=clusters,
        note=f"judge's TPR {tpr:.3f} of {good}, TNR {tnr:.3f} of {bad}, taken from its exam",
    )


def prediction_powered(
    judged: Sequence[float],
    labelled: Sequence[tuple[float, float]],
    *,
    groups: Sequence[int] | None = None,
    labelled_groups: Sequence[int] | None = None,
    level: float = 0.95,
) -> Estimate:
    """The share of good work: the judge's share on all work without a label, plus its mean error where there is one.

    Prediction-powered inference for a mean (Angelopoulos, Bates, Fannjiang, Jordan and Zrnic 2023, Science 382:669-674,
    algorithm 1): the two samples are independent, so their variances add. In place of the normal interval, which has no
    width where the judge made no mistake on the labelled work, the score intervals of the two parts (Wilson; corrected
    Tango for the mean error) are put together by their distances (MOVER; Zou and Donner 2008, Statistics in Medicine
    27:1693-1702). With labels for all work it is their share, by Wilson.

    :param judged: the judge's value (0 or 1, or a case's share) of each case without a label.
    :param labelled: (human, judge) of each case with one.
    :param groups: one label per value of ``judged``; ``labelled_groups`` per pair. None: every case is its own.
    """
    check_level(level)
    if not labelled:
        return Estimate(value=None, level=level, note="no case has a human label")
    if not judged:
        return rate([human for human, _ in labelled], labelled_groups, level=level)
    share = rate(judged, groups, level=level)
    errors = paired_difference([human - judge for human, judge in labelled], labelled_groups, level=level)
    plain = rate([human for human, _ in labelled], labelled_groups, level=level)
    if share.value is None or errors.value is None or None in (share.low, share.high, errors.low, errors.high):
        return Estimate(value=None, level=level, note=errors.note or share.note or "too few labels")
    assert share.low is not None
    assert share.high is not None
    assert errors.low is not None
    assert errors.high is not None
    value = share.value + errors.value
    low = value - math.hypot(share.value - share.low, errors.value - errors.low)
    high = value + math.hypot(share.high - share.value, errors.high - errors.value)
    gain = ""
    if plain.low is not None and plain.high is not None and plain.high - plain.low < high - low:
        gain = "; the labels alone would be narrower, because the judge errs too often here"
    return Estimate(
        value=min(1.0, max(0.0, value)),
        low=min(1.0, max(0.0, low)),
        high=max(0.0, min(1.0, high)),
        level=level,
        method="prediction-powered, MOVER of Wilson and Tango",
        n=share.n + len(labelled),
        clusters=share.clusters + errors.clusters,
        note=f"{len(labelled)} human labels correct the judge by {errors.value:+.3f}{gain}",
    )
