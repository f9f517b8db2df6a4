"""Coverage of the two-sided 95 % gate interval of a pass rate: one trial per case exactly, five by simulation."""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from benchmarks.statistics.row import Row
from harness.stats.rates import clopper_pearson_bounds, rate_bounds

SIZES, RATES = (10, 30, 100), (0.5, 0.9, 0.98)


def _naive_wald(passes: float, n: float) -> tuple[float, float]:
    p = passes / n
    half = 1.959964 * np.sqrt(p * (1 - p) / n)
    return p - half, p + half


def _exact(method: object, n: int, rate: float) -> float:
    k = np.arange(n + 1)
    covered = [low - 1e-12 <= rate <= high + 1e-12 for low, high in (method(int(x), n) for x in k)]  # type: ignore[operator]
    return float(binom.pmf(k, n, rate) @ np.asarray(covered, dtype=float))


def measure(replications: int, *, small: bool = False) -> list[Row]:
    def ours(passes: float, n: float) -> tuple[float, float]:
        return clopper_pearson_bounds(passes, n, confidence=0.975)

    cells = {(n, p): (_exact(ours, n, p), _exact(_naive_wald, n, p)) for n in SIZES for p in RATES}
    at, (worst, _) = min(cells.items(), key=lambda item: item[1][0])
    wald = ", ".join(f"{cells[n, 0.98][1]:.2f}" for n in SIZES)
    rows = [
        Row(
            what="coverage of the gate interval, one trial per case",
            figure=f"{worst:.4f} at worst",
            target=">= .95",
            naive=f"Wald at .98: {wald}",
            met=worst >= 0.95,
            how=f"exact; worst at n = {at[0]}, p = {at[1]}",
        )
    ]
    rows.append(_five_trials(replications, small=small))
    return rows


def _five_trials(replications: int, *, small: bool) -> Row:
    random = np.random.default_rng(20250101)
    worst, worst_at, naive = 1.0, (0, 0.0, 0.0), 1.0
    sizes = SIZES[:2] if small else SIZES
    for n in sizes:
        for p in RATES:
            for alike in (0.0, 0.3, 0.9):
                # Beta rates of the cases with mean p; `alike` is the correlation of two trials of a case.
                scale = (1 - alike) / alike if alike else 0.0
                shares = random.beta(p * scale, (1 - p) * scale, (replications, n)) if alike else np.full((1, n), p)
                values = random.binomial(5, shares, (replications, n)) / 5
                held = held_naive = 0
                for row in values:
                    low, high = rate_bounds(row.tolist(), trials=5 * n, confidence=0.975)
                    assert low is not None
                    assert high is not None
                    held += low <= p <= high
                    passes = 5 * float(row.sum())
                    low, high = clopper_pearson_bounds(min(passes, 5 * n), 5 * n, confidence=0.975)
                    held_naive += low <= p <= high
                if held / replications < worst:
                    worst, worst_at = held / replications, (n, p, alike)
                naive = min(naive, held_naive / replications)
    return Row(
        what="coverage of the gate interval, five trials per case",
        figure=f"{worst:.4f} at worst",
        target=">= .95",
        naive=f"trials as if independent: {naive:.2f}",
        met=worst >= 0.95,
        how=f"{replications:,} replications; worst at n = {worst_at[0]}, p = {worst_at[1]}, "
        f"correlation of trials {worst_at[2]}",
    )
