"""Yes-or-no detectors (guards, judges) against the truth: counts, rates with intervals, the ranking of their scores.

The words: *positive* is what should be caught. Recall is the share of positives that were caught, specificity the share
of negatives let through, precision the share of catches that were right. A share of nothing is not a number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.stats.estimate import Estimate, check_level
from harness.stats.rates import rate, wilson


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Counts of the four outcomes, and how many could not be measured."""

    caught: int
    """True positives."""
    missed: int
    """False negatives."""
    false_alarms: int
    """False positives."""
    cleared: int
    """True negatives."""
    unmeasured: int = 0
    """Items without a truth or without an answer; in none of the rates."""

    def recall(self, *, level: float = 0.95) -> Estimate:
        """Share of positives caught, Wilson interval."""
        return _share(self.caught, self.caught + self.missed, level, "no positives")

    def specificity(self, *, level: float = 0.95) -> Estimate:
        """Share of negatives let through."""
        return _share(self.cleared, self.cleared + self.false_alarms, level, "no negatives")

    def false_positive_rate(self, *, level: float = 0.95) -> Estimate:
        """Share of negatives that were stopped."""
        return _share(self.false_alarms, self.cleared + self.false_alarms, level, "no negatives")

    def precision(self, *, level: float = 0.95) -> Estimate:
        """Share of catches that were right; depends on how common positives are in the data."""
        return _share(self.caught, self.caught + self.false_alarms, level, "nothing was caught")

    def balanced_accuracy(self, *, level: float = 0.95) -> Estimate:
        """Mean of recall and specificity, .5 for guessing.

        The interval combines the two Wilson intervals by their distances to the estimates, as Newcombe (1998), method
        10, does for a difference, so it has width also when nothing went wrong.
        """
        parts = self.recall(level=level), self.specificity(level=level)
        n = self.caught + self.missed + self.false_alarms + self.cleared
        if parts[0].value is None or parts[1].value is None:
            note = parts[0].note or parts[1].note
            return Estimate(value=None, level=level, n=n, note=note)
        low = math.hypot(*(_gap(part.value, part.low) for part in parts))
        high = math.hypot(*(_gap(part.high, part.value) for part in parts))
        value = (parts[0].value + parts[1].value) / 2
        return Estimate(
            value=value,
            low=max(0.0, value - low / 2),
            high=min(1.0, value + high / 2),
            level=level,
            method="Wilson, combined",
            n=n,
            clusters=n,
        )

    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None when there were neither positives nor catches."""
        both = 2 * self.caught + self.missed + self.false_alarms
        return 2 * self.caught / both if both else None

    def matthews(self) -> float | None:
        """Matthews correlation in [-1, 1] (1975, Biochimica et Biophysica Acta 405:442-451); None without variation."""
        sides = (
            self.caught + self.missed,
            self.cleared + self.false_alarms,
            self.caught + self.false_alarms,
            self.cleared + self.missed,
        )
        if 0 in sides:
            return None
        top = self.caught * self.cleared - self.missed * self.false_alarms
        return top / math.sqrt(math.prod(sides))


def confusion(truth: Sequence[bool | None], answers: Sequence[bool | None]) -> Confusion:
    """Counts over items; an item with None on either side is unmeasured.

    :raises ValueError: for unequal lengths.
    """
    if len(truth) != len(answers):
        raise ValueError(f"one answer per item is needed, got {len(truth)} truths and {len(answers)} answers")
    pairs = list(zip(truth, answers, strict=True))
    return Confusion(
        caught=sum(t is not None and a is not None and bool(t) and bool(a) for t, a in pairs),
        missed=sum(t is not None and a is not None and bool(t) and not a for t, a in pairs),
        false_alarms=sum(t is not None and a is not None and not t and bool(a) for t, a in pairs),
        cleared=sum(t is not None and a is not None and not t and not a for t, a in pairs),
        unmeasured=sum(t is None or a is None for t, a in pairs),
    )


def auc(positives: Sequence[float], negatives: Sequence[float], *, level: float = 0.95) -> Estimate:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties one half.

    Mann and Whitney's statistic with the variance of DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44:837-845
    (by ranks: Sun and Xu 2014, IEEE Signal Processing Letters 21:1389-1393), its interval on the logit scale, inside
    [0, 1]. With perfect separation the variance is 0 and says nothing: then the bound is the Clopper-Pearson-like one
    of the smaller side, the Wilson bound of all right out of that many.

    :raises ValueError: for scores that are not finite.
    """
    import numpy as np
    from scipy.special import ndtri
    from scipy.stats import rankdata

    check_level(level)
    x, y = np.asarray(positives, dtype=float), np.asarray(negatives, dtype=float)
    m, n = x.size, y.size
    if m == 0 or n == 0:
        return Estimate(value=None, level=level, note="no positives" if m == 0 else "no negatives")
    if not (bool(np.isfinite(x).all()) and bool(np.isfinite(y).all())):
        raise ValueError("scores must be finite; leave out items without a score")
    together = rankdata(np.concatenate([x, y]))
    of_x = (together[:m] - rankdata(x)) / n
    of_y = 1 - (together[m:] - rankdata(y)) / m
    value = float(of_x.mean())
    smaller = min(m, n)
    variance = (float(of_x.var(ddof=1)) / m if m > 1 else 0.25) + (float(of_y.var(ddof=1)) / n if n > 1 else 0.25)
    z = float(ndtri(0.5 + level / 2))
    if not 0 < value < 1 or variance <= 0:
        low, high = wilson(value * smaller, smaller, level=level)
        method = "Mann-Whitney, Wilson on the smaller side"
    else:
        half = z * math.sqrt(variance) / (value * (1 - value))
        logit = math.log(value / (1 - value))
        low, high = (1 / (1 + math.exp(-(min(700.0, max(-700.0, logit + s * half))))) for s in (-1, 1))
        method = "Mann-Whitney, DeLong on the logit scale"
    return Estimate(
        value=value,
        low=min(low, value),
        high=max(high, value),
        level=level,
        method=method,
        n=m + n,
        clusters=m + n,
        note=f"only {smaller} on one side" if smaller < 10 else "",
    )


def _share(part: int, whole: int, level: float, nothing: str) -> Estimate:
    if whole == 0:
        return Estimate(value=None, level=check_level(level), note=nothing)
    return rate([1.0] * part + [0.0] * (whole - part), level=level)


def _gap(upper: float | None, lower: float | None) -> float:
    assert upper is not None
    assert lower is not None
    return upper - lower
