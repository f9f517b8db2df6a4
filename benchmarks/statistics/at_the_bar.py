"""Early-stopped pass-rate gates when the true rate is exactly the bar: false passes and false fails."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from benchmarks.statistics.row import Row, percent
from harness.stats.sequential.pass_rate import log_evidence_above, log_evidence_below

BARS = (0.5, 0.8, 0.9, 0.95, 0.99)


def exact_errors(bar: float, horizon: int) -> tuple[float, float, float, float]:
    """Chances of ever passing and failing up to ``horizon`` cases: ours, and Clopper-Pearson after every case."""
    from scipy.special import bdtr, bdtrc

    log_bar = -math.log(0.05)

    def ours(n: int, s: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        return log_evidence_above(s, n - s, bar) >= log_bar, log_evidence_below(s, n - s, bar) >= log_bar

    def naive(n: int, s: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        above = np.where(s > 0, bdtrc(np.maximum(s - 1, 0), n, bar), 1.0)
        return above <= 0.05, bdtr(s, n, bar) <= 0.05

    out: list[float] = []
    for rule in (ours, naive):
        going, passed, failed = np.ones(1), 0.0, 0.0
        for n in range(1, horizon + 1):
            going = np.convolve(going, [1 - bar, bar])
            up, down = rule(n, np.arange(n + 1.0))
            passed, failed = passed + float(going[up].sum()), failed + float(going[down].sum())
            going[up | down] = 0.0
        out += [passed, failed]
    return out[0], out[1], out[2], out[3]


def _five_trials(random: np.random.Generator, bar: float, rows: int, horizon: int) -> tuple[float, float]:
    values = np.cumsum(random.binomial(5, random.beta(bar, 1 - bar, (rows, horizon))) / 5, axis=1)
    rest = np.arange(1, horizon + 1) - values
    passed = log_evidence_above(values, rest, bar) >= -math.log(0.05)
    failed = log_evidence_below(values, rest, bar) >= -math.log(0.05)
    return float(passed.any(axis=1).mean()), float(failed.any(axis=1).mean())


def measure(replications: int, *, small: bool = False) -> list[Row]:
    random = np.random.default_rng(20250104)
    horizon = 150 if small else 1000
    cells = {bar: exact_errors(bar, horizon) for bar in (BARS[1:3] if small else BARS)}
    chunks = max(1, replications // 500)
    five = []
    for bar in cells:
        parts = [_five_trials(random, bar, replications // chunks, horizon // 2) for _ in range(chunks)]
        five.append((float(np.mean([p for p, _ in parts])), float(np.mean([f for _, f in parts]))))
    passed, failed = (max(cell[side] for cell in cells.values()) for side in (0, 1))
    naive = [cell[side] for cell in cells.values() for side in (2, 3)]
    worst_five = max(max(pair) for pair in five)
    return [
        Row(
            what=f"early-stopped pass-rate gate exactly at the bar, up to {horizon:,} cases",
            figure=f"false pass {percent(passed)}, false fail {percent(failed)} at worst; five trials "
            f"{percent(worst_five)}",
            target="each <= 5 %",
            naive=f"Clopper-Pearson after every case: {percent(min(naive), 0)} to {percent(max(naive), 0)}",
            met=max(passed, failed, worst_five) <= 0.05,
            how=f"exact for bars {', '.join(f'{bar:g}' for bar in cells)}; five trials: {replications:,} replications",
        )
    ]
