"""A against A: how often two runs of the same agent are called a regression (level 2.5 % one-sided, 5 % two-sided)."""

from __future__ import annotations

import numpy as np
from scipy.special import bdtr, gammaln, xlogy

from benchmarks.statistics.row import Row, percent, ternary
from harness.stats.sign_flip import sign_flip_test
from harness.stats.tango import tango_rejects


def exact_flagged(n: int, discordance: float) -> tuple[float, float, float, float]:
    """Chances that the gate fails, the interval leaves out 0, McNemar is at 5 %, more cases got worse than better."""
    w, x = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    fits = w + x <= n
    w, x = w[fits], x[fits]
    logs = gammaln(n + 1) - gammaln(w + 1) - gammaln(x + 1) - gammaln(n - w - x + 1)
    chance = np.exp(logs + xlogy(w + x, discordance / 2) + xlogy(n - w - x, 1 - discordance))
    worse = tango_rejects(w, x, n, 0.0, confidence=0.975)
    better = tango_rejects(x, w, n, 0.0, confidence=0.975)
    p = np.where(w + x > 0, 2 * bdtr(np.minimum(w, x).astype(float), np.maximum(w + x, 1), 0.5), 1.0)
    return tuple(float(chance[part].sum()) for part in (worse, worse | better, p <= 0.05, x > w))  # type: ignore[return-value]


def measure(replications: int, *, small: bool = False) -> list[Row]:
    sizes = range(10, 61, 10) if small else [*range(10, 101, 2), *range(110, 201, 10), 300, 400, 500]
    cells = [(exact_flagged(n, share), n, share) for n in sizes for share in (0.02, 0.05, 0.1, 0.2, 0.3)]
    gate, n, share = max((figures[0], n, share) for figures, n, share in cells)
    both = max(figures[1] for figures, _, _ in cells)
    mcnemar = max(figures[2] for figures, _, _ in cells)
    naive = max(figures[3] for figures, _, _ in cells)
    random = np.random.default_rng(20250107)
    rows = min(replications, 200) if small else 4 * replications
    flipped = []
    for size, scale in ((12, 0.2), (40, 0.2)):
        hits = 0
        for _ in range(rows):
            d = ternary(random, (size,), 0.15, 0.15) + scale * random.normal(size=size)
            p = sign_flip_test(d.tolist(), resamples=499)
            hits += p is not None and p <= 0.05
        flipped.append(hits / rows)
    return [
        Row(
            what="A/A comparison failed by the gate, one trial (upper bound below 0)",
            figure=f"{percent(gate)} at worst",
            target="<= 2.5 %",
            naive=f"more regressed than improved: {percent(naive, 0)}",
            met=gate <= 0.025,
            how=f"exact; worst at n = {n}, discordance {share:g}",
        ),
        Row(
            what="A/A comparison flagged in either direction (5 %)",
            figure=f"Tango {percent(both)}, McNemar {percent(mcnemar)}, sign flips {percent(max(flipped))} at worst",
            target="<= 5 %",
            naive="",
            met=max(both, mcnemar) <= 0.05 and max(flipped) <= 0.05 + 2 * (0.05 * 0.95 / rows) ** 0.5,
            how=f"exact; sign flips (exact level at most 5 %): {rows:,} replications",
        ),
    ]
