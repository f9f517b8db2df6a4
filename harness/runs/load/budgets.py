"""Budgets: limits on figures of a load run, judged with three answers.

Pass: the bound on the limit's side is inside. Fail: the other bound is outside. Else inconclusive, and more repeats may
settle it. A client-limited or cut-off run settles nothing; a run whose latency grows cannot pass. With several runs the
interval is made over whole runs, from three on (two have a factor of 12.7); the confidence is shared among the looks.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.core.errors import UsageError
from harness.core.verdict import Verdict
from harness.runs.load.definitions import DEFINITIONS, PER_REQUEST, POOLED, RATES, SHARES
from harness.runs.load.summary import QUANTILES, Summary
from harness.stats.batches import SeriesEstimate, repeats_mean

STAT = re.compile(r"(?P<what>[a-z0-9_]+)_(?P<stat>p[0-9]{1,2}(\.[0-9]+)?|mean)_s")
ERRORS = 0.01
"""Share of errors that is let pass where no budget says another."""
LEAST_REPEATS = 3


@dataclass(frozen=True, kw_only=True)
class Budget:
    """One limit."""

    name: str
    """``ttft_p95_s``, ``e2e_mean_s``, ``gap_p99_s``, ``tokens_per_s``, ``error_share``, ``goodput``, ..."""
    limit: float
    metric: str
    quantile: float | None = None

    @property
    def higher(self) -> bool:
        """Whether more is better, so that the limit is the least."""
        return DEFINITIONS[self.metric].direction == "higher"


def parse_budget(name: str, limit: object, *, where: str = "--budget") -> Budget:
    """The budget of a name and a number.

    :raises UsageError: no such figure (names the nearest), or no number above 0.
    """
    metric, quantile = name, None
    if found := STAT.fullmatch(name):
        metric, stat = f"{found['what']}_s", found["stat"]
        if stat != "mean":
            quantile = float(stat[1:]) / 100
        if metric not in (*PER_REQUEST, *POOLED) or quantile == 0.0:
            metric = ""
    elif name not in (*RATES, *SHARES):
        metric = ""
    if not metric:
        near = difflib.get_close_matches(name, budget_names(), n=3, cutoff=0.4) or budget_names()[:6]
        raise UsageError(f"{where}: no figure is called {name!r}; did you mean {', '.join(near)}?")
    try:
        value = float(str(limit))
    except ValueError:
        value = math.nan
    lowest = 0 if metric in SHARES else 1e-12
    if not lowest <= value < math.inf or (metric in SHARES and value > 1):
        wants = "a share between 0 and 1" if metric in SHARES else "a number above 0"
        raise UsageError(f"{where}: {name} needs {wants}, got {limit!r}")
    return Budget(name=name, limit=value, metric=metric, quantile=quantile)


def parse_budgets(given: Mapping[str, object], *, where: str = "--budget") -> tuple[Budget, ...]:
    """Several at once."""
    return tuple(parse_budget(name, limit, where=where) for name, limit in given.items())


def budget_names() -> list[str]:
    """The usual names."""
    times = [f"{one.removesuffix('_s')}_{stat}_s" for one in (*PER_REQUEST, *POOLED) for stat in ("p50", "p95", "p99")]
    return [*times, *RATES, *SHARES]


def quantiles_for(budgets: Sequence[Budget]) -> tuple[float, ...]:
    """The quantiles that have to be worked out."""
    return tuple(sorted({*QUANTILES, *(one.quantile for one in budgets if one.quantile is not None)}))


def level_for(repeats: int, level: float = 0.95) -> float:
    """The confidence of one look where up to ``repeats`` runs may be made (Bonferroni over the looks)."""
    looks = 1 if repeats < LEAST_REPEATS else repeats - LEAST_REPEATS + 2
    return 1 - (1 - level) / looks


def judge(budgets: Sequence[Budget], runs: Sequence[Summary], *, level: float = 0.95) -> tuple[Verdict, ...]:
    """A verdict per budget, and one over errors where no budget is about them.

    :param runs: summaries of the repeats so far, at least one.
    """
    verdicts = [_judge(budget, runs, level) for budget in budgets]
    if budgets and not any(budget.metric == "error_share" for budget in budgets):
        verdicts.append(_errors(runs))
    return tuple(verdicts)


def combined(name: str, runs: Sequence[Summary], *, level: float = 0.95) -> SeriesEstimate | None:
    """A figure over the repeats; None where no run has it."""
    found = [one.estimate for run in runs if (one := run.figure(name)) is not None and one.estimate.value is not None]
    if len(found) < LEAST_REPEATS:
        return found[-1] if found else None
    positive = name not in SHARES
    return repeats_mean([one.value for one in found if one.value is not None], level=level, positive=positive)


def _judge(budget: Budget, runs: Sequence[Summary], level: float) -> Verdict:
    estimate = combined(budget.name, runs, level=level)
    sign = "at least" if budget.higher else "at most"
    want = f"{sign} {_shown(budget.limit, budget)}"
    if blocked := _blocked(runs):
        return _say(budget, "inconclusive", f"{_value(estimate, budget)}; {blocked[0]}", blocked[1])
    if estimate is None or estimate.value is None:
        why = "no good request has it" if runs[-1].good else "no request ended well"
        return _say(budget, "inconclusive", f"nothing measured: {why}", "requests that end well")
    over = f"{len(runs)} runs" if len(runs) >= LEAST_REPEATS else _worth(estimate)
    start = f"{_value(estimate, budget)} ({over})"
    if 1 < len(runs) < LEAST_REPEATS:
        return _say(budget, "inconclusive", f"{start}: two runs have no useful interval", "one more run")
    if estimate.low is None or estimate.high is None or estimate.note:
        return _say(budget, "inconclusive", f"{start}: {estimate.note or 'no interval'}", "a longer run, or repeats")
    good, bad = (estimate.low, estimate.high) if budget.higher else (estimate.high, estimate.low)
    inside = good >= budget.limit if budget.higher else good <= budget.limit
    outside = bad < budget.limit if budget.higher else bad > budget.limit
    bounds = f"interval {_shown(estimate.low, budget)} to {_shown(estimate.high, budget)} at {level:.3g}"
    if outside:
        return _say(budget, "fail", f"{start}: {bounds} is outside {want}")
    grows = [run for run in runs if run.steady.grows]
    if inside and grows:
        change = grows[-1].steady.change or 0.0
        why = f"{start}: but the latency grew by {change:.0%} during the run, so the server does not keep up"
        return _say(budget, "inconclusive", why, "a rate that the server keeps up with, or a longer run")
    if inside:
        return _say(budget, "pass", f"{start}: {bounds} is inside {want}")
    return _say(budget, "inconclusive", f"{start}: {bounds} does not settle {want}", "more repeats (--repeats)")


def _errors(runs: Sequence[Summary]) -> Verdict:
    """Errors where no budget is about them: none is fine, more than one in a hundred is not."""
    last = runs[-1]
    due, failed = sum(run.due for run in runs), sum(sum(run.failures.values()) for run in runs)
    words = ", ".join(f"{count} {word}" for word, count in last.failures.items())
    reason = f"{failed:,} of {due:,} requests failed" + (f" ({words})" if words else "")
    if failed == 0 and due:
        return Verdict(rule="error_share", answer="pass", reason=reason)
    found = last.figure("error_share")
    low, high = (found.estimate.low, found.estimate.high) if found is not None else (None, None)
    if failed / max(1, due) > ERRORS and low is not None and low > ERRORS:
        reason += f"; lower bound {low:.2%} is more than {ERRORS:.0%}; allow more with --budget error_share=..."
        return Verdict(rule="error_share", answer="fail", reason=reason)
    if high is not None and high <= ERRORS:
        return Verdict(rule="error_share", answer="pass", reason=f"{reason}; upper bound {high:.2%}")
    reason += f"; not settled whether it is at most {ERRORS:.0%}"
    return Verdict(rule="error_share", answer="inconclusive", reason=reason, needs="a longer run")


def _blocked(runs: Sequence[Summary]) -> tuple[str, str] | None:
    for run in runs:
        if run.audit.client_limited:
            return f"client-limited: {'; '.join(run.audit.reasons)}", "a quieter machine, less load, or --processes"
        if run.stopped:
            return "the run was cut off", "a whole run"
    return None


def _say(budget: Budget, answer: str, reason: str, needs: str = "") -> Verdict:
    return Verdict(rule=budget.name, answer=answer, reason=reason, needs=needs)  # type: ignore[arg-type]


def _value(estimate: SeriesEstimate | None, budget: Budget) -> str:
    value = None if estimate is None else estimate.value
    return "not measured" if value is None else _shown(value, budget)


def _shown(value: float, budget: Budget) -> str:
    unit = DEFINITIONS[budget.metric].unit
    if unit == "s":
        return f"{value * 1e3:.4g} ms" if value < 1 else f"{value:.4g} s"
    return f"{value:.2%}" if not unit else f"{value:,.4g} {unit}"


def _worth(estimate: SeriesEstimate) -> str:
    return f"{estimate.n:,} values" + (f" worth {estimate.effective:,.0f}" if estimate.effective else "")
