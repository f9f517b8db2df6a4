"""Claims: one-sided statements about a mean difference, the atoms of which paired rules are made.

``above -5 points`` is non-inferiority, ``above 0`` superiority, ``above -m`` and ``below m`` together equivalence. A
rule passes when every one of its claims is shown, and fails when one of its counter-claims is. Differences are
oriented: above 0 the candidate is better, whatever the metric's direction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.gates.pairs import Pairs
from harness.stats.paired import paired_bounds, pairs_to_decide

if TYPE_CHECKING:
    from harness.stats.sign_flip import SignFlips


@dataclass(frozen=True, kw_only=True)
class Claim:
    """ "The mean difference is above (or below) ``at`` plus ``per_base`` times the baseline's mean." """

    side: Literal["above", "below"]
    at: float = 0.0
    per_base: float = 0.0
    """Share of the baseline's mean; tested as the mean of d - per_base * baseline, so that chance in the baseline's
    mean counts too."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the pairs say at one confidence."""

    passes: bool
    fails: bool
    low: float | None
    """One-sided bounds of the oriented mean difference."""
    high: float | None
    more: int | None = None
    """About how many more cases like these would pass; None when no number does."""


def show(pairs: Pairs, claims: Sequence[Claim], counter: Sequence[Claim], *, confidence: float) -> Shown:
    """Whether all ``claims`` are shown, and whether any of ``counter`` is, at the one-sided ``confidence`` each.

    Differences in [-1, 1] by the corrected Tango bounds, a broken trial as lost for what is above and as won for what
    is below; others by sign flips, exact p-values compared with 1 - confidence, which also decide when all differences
    are equal. One unmeasured trial of a metric without a worst value leaves everything open.
    """
    if pairs.bounded:
        low = paired_bounds(pairs.worst, pairs.groups, confidence=confidence)[0]
        high = paired_bounds(pairs.best, pairs.groups, confidence=confidence)[1]

        def shown(claim: Claim) -> bool:
            if claim.side == "above":
                return low is not None and low > claim.at
            return high is not None and high < claim.at

        passes = all(map(shown, claims))
        more = None if passes else _more_bounded(pairs, claims, confidence)
        return Shown(passes=passes, fails=any(map(shown, counter)), low=low, high=high, more=more)
    return _show_measured(pairs, claims, counter, confidence)


def _more_bounded(pairs: Pairs, claims: Sequence[Claim], confidence: float) -> int | None:
    needed = [
        pairs_to_decide(pairs.worst, -claim.at, pairs.groups, confidence=confidence)
        if claim.side == "above"
        else pairs_to_decide([-d for d in pairs.best], claim.at, pairs.groups, confidence=confidence)
        for claim in claims
    ]
    known = [n for n in needed if n is not None]
    return max(1, max(known) - len(pairs.worst)) if len(known) == len(needed) else None


def _show_measured(pairs: Pairs, claims: Sequence[Claim], counter: Sequence[Claim], confidence: float) -> Shown:
    from harness.stats.sign_flip import sign_flips

    made: dict[float, SignFlips] = {}
    for share in {0.0, *(claim.per_base for claim in (*claims, *counter))}:
        shifted = [d - share * base for d, base in zip(pairs.worst, pairs.base, strict=True)]
        made[share] = sign_flips(shifted, pairs.groups)
    alpha = 1 - confidence + 1e-12

    def shown(claim: Claim) -> bool:
        side: Literal["greater", "less"] = "greater" if claim.side == "above" else "less"
        return not pairs.missing and made[claim.per_base].p(claim.at, side) <= alpha

    low, high = (None, None) if pairs.missing else made[0.0].bounds(confidence)
    passes = all(map(shown, claims))
    waits = [] if passes else [_more_measured(made[c.per_base], c, confidence, len(pairs.worst)) for c in claims]
    known = [n for n in waits if n is not None]
    more = max(known) if known and len(known) == len(waits) else None
    return Shown(passes=passes, fails=any(map(shown, counter)), low=low, high=high, more=more)


def _more_measured(flips: SignFlips, claim: Claim, confidence: float, n: int) -> int | None:
    """The half-width shrinks with the square root of n, and must get below the distance of the mean from the claim."""
    low, high = flips.bounds(confidence)
    bound, sign = (low, 1) if claim.side == "above" else (high, -1)
    room = sign * (flips.mean - claim.at)
    if room <= 0:
        return None
    if bound is None:
        # Too few groups for any answer: the smallest p-value of g groups is 2 ** -g.
        return max(1, math.ceil(-math.log2(1 - confidence)) - flips.groups)
    return max(1, math.ceil(n * (sign * (flips.mean - bound) / room) ** 2) - n)
