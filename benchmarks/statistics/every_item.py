"""Type-I error of calling two equal agents different, when one looks after every case (level 5 %, two-sided)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, stdtr

from benchmarks.statistics.row import Row, percent, ternary
from harness.stats.sequential.non_inferiority import log_evidence_not_worse, log_evidence_worse


def _mcnemar(d: npt.NDArray[np.float64], start: int) -> float:
    won, lost = np.cumsum(d > 0, axis=1), np.cumsum(d < 0, axis=1)
    both = won + lost
    p = np.where(both > 0, 2 * bdtr(np.minimum(won, lost).astype(float), np.maximum(both, 1), 0.5), 1.0)
    return float((p[:, start:] <= 0.05).any(axis=1).mean())


def _paired_t(d: npt.NDArray[np.float64], start: int) -> float:
    n = np.arange(1, d.shape[1] + 1)
    mean = np.cumsum(d, axis=1) / n
    variance = np.maximum(np.cumsum(d * d, axis=1) - n * mean**2, 0) / np.maximum(n - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(np.maximum(n - 1, 1), -np.abs(mean) / np.sqrt(variance / n))
    return float((p[:, start:] <= 0.05).any(axis=1).mean())


def measure(replications: int, *, small: bool = False) -> list[Row]:
    random = np.random.default_rng(20250103)
    horizon = 200 if small else 1000
    makers = {
        f"discordance {share:g}": (lambda rows, s=share: ternary(random, (rows, horizon), s / 2, s / 2).astype(float))
        for share in (0.04, 0.1, 0.3, 1.0)
    }
    makers["five trials"] = lambda rows: (
        (random.binomial(5, 0.9, (rows, horizon)) - random.binomial(5, 0.9, (rows, horizon))) / 5
    )
    makers["skewed scores"] = lambda rows: np.where(random.random((rows, horizon)) < 0.1, -0.9, 0.1)
    worst, at, mcnemar, paired_t = 0.0, "", [], []
    for name, make in makers.items():
        flagged = naive_m = naive_t = 0.0
        chunks = max(1, replications // 500)
        for _ in range(chunks):
            d = make(replications // chunks)
            better, worse = log_evidence_not_worse(d, 0.0), log_evidence_worse(d, 0.0)
            bar = math.log(2 / 0.05)
            flagged += ((better >= bar) | (worse >= bar)).any(axis=1).mean() / chunks
            naive_m += _mcnemar(d, 9) / chunks
            naive_t += _paired_t(d, 9) / chunks
        if name != "skewed scores":
            mcnemar.append(naive_m)
        paired_t.append(naive_t)
        if flagged > worst:
            worst, at = float(flagged), name
    return [
        Row(
            what=f"type-I error looking after every item, {horizon:,} cases",
            figure=f"{percent(worst)} at worst",
            target="<= 5 %",
            naive=f"McNemar {min(mcnemar):.2f} to {max(mcnemar):.2f}, paired t {min(paired_t):.2f} to "
            f"{max(paired_t):.2f} (from the tenth case)",
            met=worst <= 0.05,
            how=f"{replications:,} replications of {len(makers)} kinds; worst: {at}",
        )
    ]
