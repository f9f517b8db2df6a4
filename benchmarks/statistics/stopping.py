"""How early one stops: all passes at a bar, equal arms under non-inferiority, planned looks against a fixed number."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import binom

from benchmarks.statistics.row import Row, first_crossing, percent, ternary
from harness.stats.rates import clopper_pearson_bounds
from harness.stats.sequential.non_inferiority import log_evidence_not_worse, log_evidence_worse
from harness.stats.sequential.pass_rate import passes_in_a_row
from harness.stats.sequential.spending import even_looks, look_levels
from harness.stats.sequential.spending_binomial import LookPlan, plan_looks
from harness.stats.tango import tango_rejects


def all_pass() -> Row:
    ours = passes_in_a_row(0.9)
    # Safe in the naive way: Bonferroni over the looks, alpha / (n (n + 1)) at look n.
    naive = next(
        n for n in range(1, 500) if clopper_pearson_bounds(n, n, confidence=1 - 0.05 / (n * (n + 1)))[0] >= 0.9
    )
    # The uniform prior on all of [0, 1], not truncated: 1 / (n + 1) against .9 ** n.
    plain = next(n for n in range(1, 500) if -n * math.log(0.9) - math.log(n + 1) >= math.log(20))
    return Row(
        what="all-pass decision at a bar of .9, 5 % per side",
        figure=f"{ours} cases",
        target="<= 36",
        naive=f"plain uniform mixture {plain}, Bonferroni over looks {naive}",
        met=ours <= 36,
        how="exact",
    )


def equal_arms(replications: int, *, small: bool) -> list[Row]:
    random = np.random.default_rng(20250105)
    horizon, chunk = (600, 200) if small else (1500, 500)
    stops, passed, false = [], 0, 0
    for _ in range(max(1, replications // chunk) * (1 if small else 5)):
        d = ternary(random, (chunk, horizon), 0.02, 0.02)
        good = log_evidence_not_worse(d, 0.05) >= math.log(40)
        bad = log_evidence_worse(d, 0.0) >= math.log(40)
        at, _ = first_crossing(good | bad)
        stops.append(at)
        passed += int((good[np.arange(chunk), at - 1]).sum())
        # The same at a true drop of the margin, where every pass is false.
        d = ternary(random, (chunk, horizon), 0.02, 0.07)
        false += int((log_evidence_not_worse(d, 0.05) >= math.log(40)).any(axis=1).sum())
    used, rows = np.concatenate(stops), chunk * len(stops)
    fixed = next(n for n in range(20, 2000) if _tango_power(n, 0.02, 0.02) >= passed / rows)
    half = 1.96 * float(used.std()) / math.sqrt(rows)
    return [
        Row(
            what="cases used by sequential non-inferiority, equal arms, 2 % + 2 % discordance, margin 5 points",
            figure=f"{used.mean():.0f} on average (+- {half:.0f}), {percent(passed / rows, 1)} pass",
            target="<= 230",
            naive=f"fixed number with the same power: {fixed}",
            met=float(used.mean()) <= 230,
            how=f"{rows:,} replications, at most {horizon:,} cases; median {np.median(used):.0f}",
        ),
        Row(
            what="false pass of the same watch at a true drop of the margin",
            figure=percent(false / rows),
            target="<= 2.5 %",
            naive="",
            met=false / rows <= 0.025,
            how=f"{rows:,} replications, looking after each of {horizon:,} cases",
        ),
    ]


def _tango_power(n: int, won: float, lost: float, *, margin: float = 0.05, confidence: float = 0.975) -> float:
    most = int(binom.isf(1e-9, n, won + lost)) + 1
    w, x = np.meshgrid(np.arange(min(n, most) + 1), np.arange(min(n, most) + 1), indexing="ij")
    ok = (w + x <= n) & tango_rejects(x, w, n, margin, confidence=confidence)
    w, x = w[ok], x[ok]
    return float((binom.pmf(w + x, n, won + lost) * binom.pmf(w, w + x, won / (won + lost))).sum())


def planned_looks(*, small: bool) -> list[Row]:
    """Pass-rate gate, bar .9 against a true .95, level 5 % per side, both counts exact."""
    rows = []
    for power in (0.9, 0.8):
        fixed = next(n for n in range(20, 2000) if _fixed_power(n) >= power and _fixed_power(n + 1) >= power)
        plan = _plan_with(_fixed_power(fixed), fixed)
        made = plan.operating(0.95)
        at_bar = plan.operating(0.9)
        ratio = made.cases / fixed
        rows.append(
            Row(
                what=f"spending design against a fixed n of the same power ({power:g}), pass rate .95 at a bar of .9",
                figure=f"{ratio:.3f} x the cases on average ({made.cases:.0f} of {fixed}, at most {plan.looks[-1]})",
                target="<= .85",
                naive="fixed n: 1",
                met=ratio <= 0.85 and max(at_bar.passes, at_bar.fails) <= 0.05,
                how=f"exact, {len(plan.looks)} looks; false pass {percent(at_bar.passes)}, false fail "
                f"{percent(at_bar.fails)} at the bar",
            )
        )
        if small:
            break
    return rows


def _fixed_power(n: int) -> float:
    need = int(binom.isf(0.05, n, 0.9)) + 1
    return float(binom.sf(need - 1, n, 0.95))


def _plan_with(power: float, fixed: int) -> LookPlan:
    """Of the plans with at least ``power`` the one that uses the fewest cases on average."""
    plans = [plan_looks(0.9, even_looks(most)) for most in range(fixed - 20, int(1.2 * fixed))]
    made = [(plan.operating(0.95), plan) for plan in plans]
    return min(((does.cases, plan) for does, plan in made if does.passes >= power), key=lambda item: item[0])[1]


def paired_looks(replications: int, *, small: bool) -> Row:
    """Paired non-inferiority at planned looks, equal arms and a true drop of the margin, against the fixed number."""
    random = np.random.default_rng(20250106)
    fixed = next(n for n in range(20, 2000) if _tango_power(n, 0.05, 0.05) >= 0.9)
    looks = even_looks(math.ceil(fixed * 1.05))
    levels = look_levels(looks, alpha=0.025)
    rows = replications if small else 5 * replications

    def run(won: float, lost: float) -> tuple[float, float]:
        counts = np.zeros((rows, 2))
        done = np.zeros(rows, dtype=bool)
        used, before = 0.0, 0
        for n, level in zip(looks, levels, strict=True):
            more = random.multinomial(n - before, [won, lost, 1 - won - lost], rows)[:, :2]
            counts, before = counts + more, n
            if level > 0:
                now = tango_rejects(counts[:, 1], counts[:, 0], n, 0.05, confidence=1 - level) & ~done
                used += n * float(now.mean())
                done |= now
        return float(done.mean()), used + looks[-1] * float((~done).mean())

    power, cases = run(0.05, 0.05)
    false, _ = run(0.05, 0.10)
    return Row(
        what="spending design against a fixed n, paired non-inferiority, equal arms, 5 % + 5 % discordance",
        figure=f"{cases / fixed:.3f} x the cases on average ({cases:.0f} of {fixed}), power {power:.3f}; false pass "
        f"{percent(false)}",
        target="<= .85, false pass <= 2.7 %",
        naive=f"fixed n: 1, power {_tango_power(fixed, 0.05, 0.05):.3f}",
        met=cases / fixed <= 0.85 and power >= 0.9 and false <= 0.027,
        how=f"{rows:,} replications, {len(looks)} looks, at most {looks[-1]}",
    )


def measure(replications: int, *, small: bool = False) -> list[Row]:
    return [
        all_pass(),
        *equal_arms(replications, small=small),
        *planned_looks(small=small),
        paired_looks(replications, small=small),
    ]
