"""False alarms of the chart of a suite: thresholds for its own size and rate, and normal theory; limits of drift."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.statistics.row import Row, percent
from harness.stats.change_points import change_points
from harness.stats.cusum import design_cusum, run_length
from harness.stats.drift import category_drift

SUITES = ((200, 0.9, 0.05), (65, 0.95, 0.1), (500, 0.98, 0.02), (20, 0.9, 0.2))
BETWEEN = 200.0


def _normal_threshold(n: int, rate: float, reference: float) -> float:
    """Siegmund's (1985) approximation for normal sums: ARL = (exp(2 k b) - 2 k b - 1) / (2 k^2), b = h + 1.166."""
    spread = math.sqrt(n * rate * (1 - rate))
    k = (reference - n * (1 - rate)) / spread
    low, high = 0.0, 50.0
    for _ in range(80):
        h = (low + high) / 2
        length = (math.exp(2 * k * (h + 1.166)) - 2 * k * (h + 1.166) - 1) / (2 * k * k)
        low, high = (h, high) if length < BETWEEN else (low, h)
    return math.ceil(high * spread * 8) / 8


def measure(replications: int, *, small: bool = False) -> list[Row]:
    random = np.random.default_rng(20250109)
    ours, naive = [], []
    for n, rate, drop in SUITES:
        chart = design_cusum(n, rate, drop=drop, runs_between_false_alarms=BETWEEN)
        ours.append(chart.runs_between_false_alarms)
        normal = run_length(n, 1 - rate, chart.reference, _normal_threshold(n, rate, chart.reference))
        naive.append((BETWEEN / normal, n, rate))
    rows = min(replications, 200) if small else 4 * replications
    at_200 = naive[0][0]
    split = sum(bool(change_points(random.normal(0, 1, 20).tolist(), resamples=199, seed=i)) for i in range(rows))
    moved = usual = 0
    for i in range(rows):
        base, new = (dict(zip("abcdef", map(int, random.multinomial(40, [1 / 6] * 6)), strict=True)) for _ in range(2))
        made = category_drift(base, new, alpha=0.05, resamples=399, seed=i)
        assert made is not None
        moved, usual = moved + made.moved, usual + (made.distance > 0.1)
    allowed = 0.05 + 2 * (0.05 * 0.95 / rows) ** 0.5
    return [
        Row(
            what="runs between false alarms of the CUSUM chart, 200 asked for",
            figure=f"{min(ours):.0f} at least",
            target=">= 200",
            naive=f"normal theory alarms {at_200:.2f} x as often at 200 cases and .9, "
            f"{max(naive)[0]:.2f} x at {max(naive)[1]} and {max(naive)[2]:g}",
            met=min(ours) >= BETWEEN,
            how=f"exact Markov chain, {len(SUITES)} suites",
        ),
        Row(
            what="change points found in 20 runs without a change (5 %)",
            figure=percent(split / rows),
            target="<= 5 %",
            naive="",
            met=split / rows <= allowed,
            how=f"{rows:,} replications; met allows two standard errors",
        ),
        Row(
            what="drift of categories found where there is none (5 %), 40 values a side, six categories",
            figure=percent(moved / rows),
            target="<= 5 %",
            naive=f"stability index above .1: {percent(usual / rows, 0)}",
            met=moved / rows <= allowed,
            how=f"{rows:,} replications; met allows two standard errors",
        ),
    ]
