"""Decisions with three answers, from one-sided bounds: not worse, better, or the same within a margin.

"Not significant" is never a pass: what the bounds do not settle is inconclusive, with about how many more cases would.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.stats.paired import paired_bounds, paired_counts, pairs_to_decide
from harness.stats.sign_flip import RESAMPLES, sign_flips

Answer = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """An answer with its arithmetic. All differences are candidate minus baseline, and higher is better."""

    answer: Answer
    difference: float | None
    low: float | None
    """One-sided lower bound at the decision's confidence."""
    high: float | None
    pairs: int
    more: int | None = None
    """About how many more cases like these would pass it; None when no number does, or none are needed."""
    note: str = ""


def non_inferior(low: float | None, high: float | None, margin: float, *, fail_below: float = 0.0) -> Answer:
    """Pass when ``low`` is above ``-margin``, fail when ``high`` is below ``fail_below``; None settles nothing.

    The rule of ICH E9 (1998), section 3.3.2. Fail comes first: a drop that is small but shown is still a drop; with
    ``fail_below=-margin`` only a drop of the margin fails, and the two never meet.
    """
    _check_margin(margin)
    if high is not None and high < fail_below:
        return "fail"
    return "pass" if low is not None and low > -margin else "inconclusive"


def superior(low: float | None, high: float | None, *, by: float = 0.0) -> Answer:
    """Pass when the candidate is shown to be better by more than ``by``, fail when it is shown not to be."""
    if low is not None and low > by:
        return "pass"
    return "fail" if high is not None and high < by else "inconclusive"


def equivalent(low: float | None, high: float | None, margin: float) -> Answer:
    """Pass when both bounds lie inside (-margin, margin), fail when one of them shows a difference beyond it.

    Two one-sided tests (Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15:657-680): bounds at 95 %
    each test at 5 %.
    """
    _check_margin(margin)
    if low is not None and high is not None and -margin < low and high < margin:
        return "pass"
    beyond = (high is not None and high < -margin) or (low is not None and low > margin)
    return "fail" if beyond else "inconclusive"


def decide_paired(
    differences: Sequence[float],
    margin: float,
    groups: Sequence[int] | None = None,
    *,
    confidence: float = 0.975,
    fail_below: float = 0.0,
) -> Decision:
    """Non-inferiority of differences in [-1, 1], one per case, by the corrected Tango bounds.

    :param groups: one label per case where cases are not independent.
    :param confidence: of each one-sided bound; .975 is the level of 2.5 %.
    """
    low, high = paired_bounds(differences, groups, confidence=confidence)
    answer = non_inferior(low, high, margin, fail_below=fail_below)
    if low is None:
        return Decision(answer=answer, difference=None, low=None, high=None, pairs=0, note="no pairs")
    more = None
    if answer == "inconclusive":
        needed = pairs_to_decide(differences, margin, groups, confidence=confidence)
        more = None if needed is None else max(1, needed - len(differences))
    counts = paired_counts(differences, groups)
    few = groups is not None and counts.groups < 6
    return Decision(
        answer=answer,
        difference=counts.difference,
        low=low,
        high=high,
        pairs=counts.pairs,
        more=more,
        note=f"only {counts.groups} clusters" if few else "",
    )


def decide_measured(
    differences: Sequence[float],
    margin: float,
    groups: Sequence[int] | None = None,
    *,
    confidence: float = 0.975,
    fail_below: float = 0.0,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Decision:
    """Non-inferiority of differences in any unit (seconds, dollars: give baseline minus candidate), by sign flips.

    Decided by the p-values, which exist also when all differences are equal and the interval has no width: twenty
    cases without any difference pass. Five cases or fewer never decide at 2.5 %.
    """
    _check_margin(margin)
    if not len(differences):
        return Decision(answer="inconclusive", difference=None, low=None, high=None, pairs=0, note="no pairs")
    flips = sign_flips(differences, groups, resamples=resamples, seed=seed)
    alpha = 1 - confidence + 1e-12
    answer: Answer = "inconclusive"
    if flips.p(fail_below, "less") <= alpha:
        answer = "fail"
    elif flips.p(-margin, "greater") <= alpha:
        answer = "pass"
    low, high = flips.bounds(confidence)
    more = None
    if answer == "inconclusive" and low is not None:
        more = _more_measured(flips.mean, low, margin, len(differences))
    few = 2.0**-flips.groups > alpha
    return Decision(
        answer=answer,
        difference=flips.mean,
        low=low,
        high=high,
        pairs=len(differences),
        more=more,
        note=f"{flips.groups} groups are too few to decide anything at this confidence" if few else "",
    )


def _more_measured(mean: float, low: float, margin: float, n: int) -> int | None:
    """The half-width shrinks with the square root of n, and must get below mean + margin."""
    room = mean + margin
    if room <= 0:
        return None
    return max(1, math.ceil(n * ((mean - low) / room) ** 2) - n)


def _check_margin(margin: float) -> None:
    if not margin >= 0 or math.isinf(margin):
        raise ValueError(f"a margin is a size, at least 0, got {margin!r}")
