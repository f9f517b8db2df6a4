"""Ratios of cost and latency between two runs, paired by case.

- *cost*: total of the new run over total of the old one, over the cases that both ran; each case counts its mean cost
  per trial. What the bill does. Interval by the delta method on the logarithm, cases as the unit (Cochran 1977,
  Sampling Techniques, section 6.3).
- *latency*: geometric mean of the cases' ratios; each case counts its median. What a typical case does, whatever its
  length (Fleming and Wallace 1986, "How not to lie with statistics", CACM 29:218). Interval by Student's t on the
  logarithms.

Below 1 is cheaper or faster. A case that lacks a value on one side is left out and n says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """New over old."""

    value: float | None = None
    """None: not measured."""
    low: float | None = None
    high: float | None = None
    """Bounds of the interval; None where it cannot be had (few cases, no spread, sums instead of cases)."""
    n: int = 0
    """Cases with a value on both sides."""
    of: int = 0
    """Cases paired."""
    note: str = ""


def ratio_of_totals(pairs: Sequence[tuple[float, float]], *, of: int, level: float = 0.95) -> Ratio:
    """New total over old total.

    :param pairs: (old, new) per case, none below 0.
    """
    n = len(pairs)
    old, new = math.fsum(pair[0] for pair in pairs), math.fsum(pair[1] for pair in pairs)
    if not n:
        return Ratio(of=of, note="no case has a cost on both sides")
    if old <= 0 or new <= 0:
        note = "nothing was spent on either side" if old <= 0 and new <= 0 else "nothing was spent on one side"
        return Ratio(n=n, of=of, note=note)
    value = new / old
    if n < 3:
        return Ratio(value=value, n=n, of=of, note="too few cases for an interval")
    rest = math.fsum((pair[1] - value * pair[0]) ** 2 for pair in pairs)
    error = math.sqrt(n / (n - 1) * rest) / new
    return _on_log_scale(math.log(value), error, n=n, of=of, level=level)


def ratio_of_cases(pairs: Sequence[tuple[float, float]], *, of: int, level: float = 0.95) -> Ratio:
    """Geometric mean of new over old. Cases with a 0 on one side have no ratio and are left out."""
    logs = [math.log(new / old) for old, new in pairs if old > 0 and new > 0]
    n = len(logs)
    if not n:
        return Ratio(of=of, note="no case has a latency on both sides")
    mean = math.fsum(logs) / n
    if n < 3:
        return Ratio(value=math.exp(mean), n=n, of=of, note="too few cases for an interval")
    error = math.sqrt(math.fsum((item - mean) ** 2 for item in logs) / (n - 1) / n)
    return _on_log_scale(mean, error, n=n, of=of, level=level)


def _on_log_scale(centre: float, error: float, *, n: int, of: int, level: float) -> Ratio:
    if error <= 1e-12:
        return Ratio(value=math.exp(centre), n=n, of=of, note="every case changed alike: no spread for an interval")
    from scipy.special import stdtrit

    reach = float(stdtrit(n - 1, 0.5 + level / 2)) * error
    # exp overflows only where the interval says nothing any more.
    low, high = math.exp(max(centre - reach, -700.0)), math.exp(min(centre + reach, 700.0))
    return Ratio(value=math.exp(centre), low=low, high=high, n=n, of=of)
