"""False passes of the paired gate when the candidate is truly worse by exactly the margin (5 points, level 2.5 %)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, stdtrit, xlogy

from benchmarks.statistics.row import Row, percent, ternary
from harness.stats.paired import PSEUDO_CASES, paired_bounds
from harness.stats.tango import tango_rejects

MARGIN, CONFIDENCE = 0.05, 0.975
EXTRA = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
"""Discordance beyond the five points that must be there."""


def exact_false_pass(n: int, won: float, lost: float) -> float:
    """Over every possible table of one trial per case."""
    w, x = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    passing = (w + x <= n) & tango_rejects(x, w, n, MARGIN, confidence=CONFIDENCE)
    w, x = w[passing], x[passing]
    logs = gammaln(n + 1) - gammaln(w + 1) - gammaln(x + 1) - gammaln(n - w - x + 1)
    return float(np.exp(logs + xlogy(w, won) + xlogy(x, lost) + xlogy(n - w - x, 1 - won - lost)).sum())


def gate_passes(d: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """The gate of harness.stats.paired on each row of differences."""
    won, lost = np.maximum(d, 0).sum(axis=1), np.maximum(-d, 0).sum(axis=1)
    size = ((d * d).sum(axis=1) + PSEUDO_CASES) / (won + lost + PSEUDO_CASES)
    return tango_rejects(lost / size, won / size, d.shape[1] / size, MARGIN, confidence=CONFIDENCE)


def t_passes(d: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    n = d.shape[1]
    error = d.std(axis=1, ddof=1) / np.sqrt(n)
    return d.mean(axis=1) - stdtrit(n - 1, CONFIDENCE) * error > -MARGIN


def _bootstrap_false_pass(random: np.random.Generator, replications: int) -> float:
    """Percentile bootstrap at n = 10 and a lost case in twenty: the resamples of a table follow a multinomial."""
    passed = 0
    for _ in range(replications):
        d = ternary(random, (10,), 0.0, MARGIN)
        drawn = random.binomial(10, (d < 0).mean(), 500)
        passed += np.quantile(-drawn / 10, 1 - CONFIDENCE) > -MARGIN
    return passed / replications


def five_trials(random: np.random.Generator, kind: str, n: int, size: float, rows: int) -> npt.NDArray[np.float64]:
    """Mean differences of five trials per case, true mean minus five points.

    *independent*: each trial of each case on its own, with ``size`` of extra discordance. *flaky*: that share of cases
    (and no other) is unreliable, passing half the time before, less now. *broken*: some cases lose that much.
    """
    if kind == "independent":
        return ternary(random, (rows, n, 5), size / 2, MARGIN + size / 2).mean(axis=2)
    hit = random.random((rows, n)) < (size if kind == "flaky" else MARGIN / size)
    before, now = (0.5, 0.5 - MARGIN / size) if kind == "flaky" else (1.0, 1.0 - size)
    count = int(hit.sum())
    d = np.zeros((rows, n))
    d[hit] = (random.binomial(5, now, count) - random.binomial(5, before, count)) / 5
    return d


def _families(random: np.random.Generator, replications: int, *, small: bool) -> Row:
    """Families of four cases that change together with a given chance; ours with groups, naive without."""
    cells, naive = [], 0.0
    for count in (8,) if small else (6, 10, 20, 50):
        for together in (0.3, 1.0):
            for extra in (0.05, 0.2):
                shared = np.repeat(ternary(random, (replications, count), extra / 2, MARGIN + extra / 2), 4, axis=1)
                own = ternary(random, (replications, 4 * count), extra / 2, MARGIN + extra / 2)
                d = np.where(random.random(own.shape) < together, shared, own).astype(float)
                labels = np.repeat(np.arange(count), 4).tolist()
                bounds = [paired_bounds(row.tolist(), labels, confidence=CONFIDENCE)[0] for row in d]
                cells.append((sum(low is not None and low > -MARGIN for low in bounds) / replications, count, together))
                naive = max(naive, float(gate_passes(d).mean()))
    worst, count, together = max(cells)
    return Row(
        what="false pass of the paired gate at a true drop of the margin, cases in families of four",
        figure=f"{percent(worst)} at worst",
        target="<= 2.7 %",
        naive=f"cases as if independent: {percent(naive, 1)}",
        met=worst <= 0.027,
        how=f"{len(cells)} cells of {replications:,} replications; worst: {count} families, {together:g} together",
    )


def measure(replications: int, *, small: bool = False) -> list[Row]:
    random = np.random.default_rng(20250102)
    sizes = range(10, 61, 10) if small else [*range(10, 101), *range(105, 201, 5), *range(220, 501, 20)]
    worst, n, extra = max(
        (exact_false_pass(n, extra / 2, MARGIN + extra / 2), n, extra) for n in sizes for extra in EXTRA
    )
    single = Row(
        what="false pass of the paired gate at a true drop of the margin, one trial",
        figure=f"{percent(worst)} at worst",
        target="<= 2.7 %",
        naive=f"percentile bootstrap at n = 10: {percent(_bootstrap_false_pass(random, replications), 0)}",
        met=worst <= 0.027,
        how=f"exact; worst at n = {n}, extra discordance {extra:g}",
    )
    return [single, _five(random, replications, small=small), _families(random, replications, small=small)]


def _five(random: np.random.Generator, replications: int, *, small: bool) -> Row:
    """Every cell at ``replications``; those within three standard errors of the limit again with fifty times more."""
    kinds = [("independent", x) for x in EXTRA[::2]] + [("flaky", x) for x in (0.15, 0.3)]
    kinds += [("broken", x) for x in (0.2, 0.4, 0.6, 0.8, 1.0)]
    sizes = (10, 30) if small else (10, 15, 20, 30, 50, 75, 100, 200, 500)
    found, naive = [], 0.0
    for kind, size in kinds:
        for n in sizes:
            d = five_trials(random, kind, n, size, replications)
            share = float(gate_passes(d).mean())
            with np.errstate(divide="ignore", invalid="ignore"):
                naive = max(naive, float(t_passes(d).mean()))
            found.append((share, kind, size, n, replications))
    if not small:
        close = 0.027 - 3 * (0.025 / replications) ** 0.5
        for cell in [cell for cell in found if cell[0] > close]:
            found.remove(cell)
            _, kind, size, n, rows = cell
            shares = [gate_passes(five_trials(random, kind, n, size, rows)).mean() for _ in range(50)]
            found.append((float(np.mean(shares)), kind, size, n, 50 * rows))
    worst, kind, size, n, rows = max(found)
    return Row(
        what="false pass of the paired gate at a true drop of the margin, five trials",
        figure=f"{percent(worst)} at worst",
        target="<= 2.7 %",
        naive=f"paired t: {percent(naive, 0)}",
        met=worst <= 0.027,
        how=f"{len(found)} cells of {replications:,} replications, {sum(c[4] > replications for c in found)} of them "
        f"again with {50 * replications:,}; worst: {kind} {size:g}, n = {n} ({rows:,})",
    )
