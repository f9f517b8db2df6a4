"""A run in figures, each with its interval, its effective sample size and its definition.

Measured are the requests that were due after the warm-up (MSER-5 on the times to first token, in order of due). Figures
of time are over good requests; beside a percentile stands the *error-adjusted* one, in which a request that failed
counts as slower than any other. Shares are over all requests due.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.core.errors import UsageError
from harness.runs.load.audit import Audit
from harness.runs.load.definitions import DEFINITIONS, PER_REQUEST, POOLED
from harness.runs.load.measured import Measured
from harness.runs.load.running import LoadRun
from harness.stats.batches import SeriesEstimate, series_mean, series_quantile, series_share
from harness.stats.estimate import check_level
from harness.stats.warm_up import Steadiness, mser5, steadiness

QUANTILES = (0.5, 0.9, 0.95, 0.99)
WINDOWS = 10
"""Equal parts of the measured time, between which a rate's interval is made."""
STALL_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number of a run."""

    metric: str
    """A name of :data:`harness.runs.load.definitions.DEFINITIONS`."""
    stat: str
    """``p95``, ``mean``, ``share`` or ``rate``."""
    estimate: SeriesEstimate
    adjusted: float | None = None
    """The error-adjusted percentile; infinite where more failed than it leaves out; None where there is none."""

    @property
    def name(self) -> str:
        """As a budget names it: ``ttft_p95_s``, ``tokens_per_s``."""
        return budget_name(self.metric, self.stat)


def budget_name(metric: str, stat: str) -> str:
    """The name of a figure: ``ttft_s`` and ``p95`` make ``ttft_p95_s``."""
    return f"{metric.removesuffix('_s')}_{stat}_s" if stat.startswith("p") or stat == "mean" else metric


@dataclass(frozen=True, kw_only=True)
class Summary:
    """See the head of this file."""

    figures: tuple[Figure, ...]
    due: int
    """Requests due, warm-up included."""
    good: int
    failures: Mapping[str, int]
    """Failed requests by word."""
    warm_up: int
    """Requests left out as warm-up."""
    warm_up_s: float
    """When the first measured request was due."""
    measured_s: float
    """Length of the measured time."""
    steady: Steadiness
    token_source: str
    """``usage``, ``events`` (estimated), ``logprobs``, or several joined by a comma."""
    audit: Audit
    stopped: bool
    offered: str
    good_limits: Mapping[str, float] = field(default_factory=dict)
    stall_s: float = STALL_S
    notes: tuple[str, ...] = ()
    level: float = 0.95

    def figure(self, name: str) -> Figure | None:
        """The figure of a budget's name, or None."""
        return next((one for one in self.figures if one.name == name), None)

    def value(self, name: str) -> float | None:
        """The figure's value; None where it could not be measured. Raises KeyError for a name that is no figure."""
        found = self.figure(name)
        if found is None:
            raise KeyError(f"no figure {name!r}; there are {', '.join(one.name for one in self.figures)}")
        return found.estimate.value

    def value_or(self, name: str, other: float | None = None) -> float | None:
        """The figure's value, or ``other`` where there is no such figure."""
        found = self.figure(name)
        return other if found is None or found.estimate.value is None else found.estimate.value

    def to_json(self) -> dict[str, Any]:
        """Plain mapping; what is infinite or not measured is null."""
        figures = {}
        for one in self.figures:
            e = one.estimate
            figures[one.name] = {
                "value": e.value, "low": e.low, "high": e.high, "level": e.level, "n": e.n,
                "effective_n": round(e.effective, 1), "batches": e.batches, "note": e.note,
                "error_adjusted": one.adjusted if one.adjusted is None or math.isfinite(one.adjusted) else None,
                "unit": DEFINITIONS[one.metric].unit, "meaning": DEFINITIONS[one.metric].meaning,
                "source": DEFINITIONS[one.metric].source,
            }  # fmt: skip
        return {
            "offered": self.offered, "figures": figures, "due": self.due, "good": self.good,
            "failures": dict(self.failures), "warm_up_requests": self.warm_up, "warm_up_s": self.warm_up_s,
            "measured_s": self.measured_s, "steady": self.steady.steady, "trend_p_value": self.steady.p_value,
            "trend_change": self.steady.change, "token_source": self.token_source, "stopped": self.stopped,
            "good_limits": dict(self.good_limits), "stall_s": self.stall_s, "notes": list(self.notes),
            "audit": self.audit.to_json(),
        }  # fmt: skip


def summarise(
    run: LoadRun, *, good: Mapping[str, float] | None = None, stall_s: float = STALL_S,
    quantiles: Sequence[float] = QUANTILES, level: float = 0.95, warm_up_s: float | None = None,
) -> Summary:  # fmt: skip
    """The figures of a run.

    :param good: limits of a single request by figure (``{"ttft_s": 0.5}``), for goodput.
    :param warm_up_s: leave out what was due before it, instead of by the rule.
    :raises UsageError: a limit names no figure of a single request.
    """
    check_level(level)
    limits = check_good(good or {})
    everything = sorted(run.requests, key=lambda one: (one.due_s, one.number))
    well = [one for one in everything if one.ok]
    cut = _cut(well, warm_up_s)
    kept = [one for one in everything if one.due_s >= cut]
    fine = [one for one in kept if one.ok]
    end = min(run.plan.duration_s, run.wall_s)
    span = max(0.0, end - cut)
    figures = [*_times(fine, len(kept) - len(fine), quantiles, level), *_rates(well, cut, end, level)]
    figures += _shares(kept, fine, limits, stall_s, level)
    sources = sorted({one.token_source for one in fine if one.token_source})
    return Summary(
        figures=tuple(figures),
        due=len(everything),
        good=len(well),
        failures=dict(Counter(one.failure for one in everything if not one.ok).most_common()),
        warm_up=len(everything) - len(kept),
        warm_up_s=cut,
        measured_s=span,
        steady=steadiness([_first(one) for one in fine]),
        token_source=", ".join(sources),
        audit=run.audit,
        stopped=run.stopped,
        offered=run.plan.offered,
        good_limits=limits,
        stall_s=stall_s,
        notes=tuple(_notes(fine, sources)),
        level=level,
    )


def check_good(given: Mapping[str, float]) -> dict[str, float]:
    """Limits of a single request. Raises UsageError for a name that is no figure of one."""
    for name in given:
        if name not in PER_REQUEST:
            raise UsageError(f"--good {name}: no figure of a single request; there are {', '.join(PER_REQUEST)}")
    return dict(given)


def _first(one: Measured) -> float:
    """What warm-up and steadiness are looked for in: the time to first token, else the whole time."""
    return one.ttft_s if one.ttft_s is not None else one.e2e_s or 0.0


def _cut(well: Sequence[Measured], given: float | None) -> float:
    if given is not None:
        return given
    index = mser5([_first(one) for one in well])
    return well[index].due_s if index else 0.0


def _times(fine: Sequence[Measured], failed: int, quantiles: Sequence[float], level: float) -> list[Figure]:
    import numpy as np

    made = []
    values: Any
    for metric in (*PER_REQUEST, *POOLED):
        if metric in POOLED:
            pooled = [one.gaps if metric == "gap_s" else one.itl for one in fine]
            values = np.concatenate([np.frombuffer(part) for part in pooled if len(part)]) if any(pooled) else []
        else:
            values = [value for one in fine if (value := getattr(one, metric)) is not None]
        if not len(values):
            continue
        for q in quantiles:
            adjusted = _adjusted(values, failed, q) if metric not in POOLED else None
            made.append(
                Figure(
                    metric=metric, stat=f"p{100 * q:g}", estimate=series_quantile(values, q, level=level),
                    adjusted=adjusted,
                )
            )  # fmt: skip
        made.append(Figure(metric=metric, stat="mean", estimate=series_mean(values, level=level, positive=True)))
    return made


def _adjusted(values: Sequence[float], failed: int, q: float) -> float:
    """The smallest time with a share ``q`` of all requests at or below it, those that failed counted as endless."""
    rank = math.ceil(q * (len(values) + failed) - 1e-9)
    return math.inf if rank > len(values) else sorted(values)[max(0, rank - 1)]


def _shares(
    kept: Sequence[Measured], fine: Sequence[Measured], limits: Mapping[str, float], stall_s: float, level: float
) -> list[Figure]:
    def good(one: Measured) -> bool:
        values = {name: getattr(one, name) for name in limits}
        return one.ok and all(value is not None and value <= limits[name] for name, value in values.items())

    streams = [one for one in fine if one.token_events > 1]
    shares: dict[str, list[bool]] = {
        "error_share": [not one.ok for one in kept],
        "goodput": [good(one) for one in kept],
        "stall_share": [(one.worst_gap_s or 0.0) > stall_s for one in streams],
    }
    return [
        Figure(metric=name, stat="share", estimate=series_share(flags, level=level)) for name, flags in shares.items()
    ]


def _rates(well: Sequence[Measured], begin: float, end: float, level: float) -> list[Figure]:
    """Tokens and requests per second of the measured time, with the spread between its equal parts."""
    import numpy as np

    if end <= begin or not well:
        return []
    edges = np.linspace(begin, end, WINDOWS + 1)
    ends = np.array([one.end_s for one in well])
    firsts = np.array([one.due_s + one.ttft_s if one.ttft_s is not None else one.end_s for one in well])
    tokens = np.array([float(one.tokens or 0) for one in well])
    lengths = np.maximum(ends - firsts, 1e-9)
    # The share of each request's tokens that had come by each edge.
    come = np.clip((edges[:, None] - firsts[None, :]) / lengths[None, :], 0.0, 1.0) @ tokens
    over = (edges[:, None] >= ends[None, :]).sum(axis=1)
    made = []
    for metric, series in (("tokens_per_s", np.diff(come)), ("requests_per_s", np.diff(over))):
        if metric == "tokens_per_s" and not tokens.any():
            continue
        width = (end - begin) / WINDOWS
        found = _spread(series / width, level)
        value = float(series.sum()) / (end - begin)
        made.append(Figure(metric=metric, stat="rate", estimate=replace(found, value=value, n=len(well))))
    return made


def _spread(parts: Any, level: float) -> SeriesEstimate:
    from harness.stats.batches import repeats_mean

    found = repeats_mean(parts, level=level, positive=False)
    low = None if found.low is None else max(0.0, found.low)
    return replace(found, low=low, batches=len(parts))


def _notes(fine: Sequence[Measured], sources: Sequence[str]) -> list[str]:
    made = []
    if "events" in sources:
        made.append("tokens are estimated by counting token events: the server sends no usage")
    if whole := sum(1 for one in fine if not one.streamed):
        made.append(f"{whole} replies were not streamed: they have no first token, only an end")
    if fine and not any(len(one.itl) for one in fine) and any(len(one.gaps) for one in fine):
        made.append("no itl: the server does not say how many tokens an event carries; see gap")
    return made
