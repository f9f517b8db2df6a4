"""The client's own error in a run: how late it sent, how it stamped, how busy it was, and whether that matters.

A run in which the client was the bottleneck is *client-limited*: its numbers are shown, and decide nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LEAST_LIMIT_S = 0.001
SHARE_OF_TTFT = 0.02
"""The client may be late by a millisecond, or by this share of the time to first token where that is more: its median
against the median, its 99th percentile against the 95th, which is what budgets are about."""
BUSY = 0.95
"""Share of a processor above which a loop could not have been faster."""
UNSTAMPED = 0.01
COALESCED = 0.01
"""The kernel stamps the last packet of a read, so that the events before it look later than they were."""


@dataclass(frozen=True, kw_only=True)
class Audit:
    """See the head of this file. Times are seconds."""

    late_p50_s: float | None
    late_p99_s: float | None
    """From due to taken up by the client: already in every latency from due."""
    lag_p50_s: float | None
    lag_p99_s: float | None
    """From the kernel's stamp to the loop's read; not in any latency where the kernel stamps."""
    unstamped: float | None
    """Share of reads that the kernel did not stamp: their times are the loop's own."""
    coalesced: float | None
    """Share of token events that came in the same read as the one before: gaps of zero that were none."""
    cpu_share: float
    """Of one processor, of the busiest worker."""
    waited_share: float
    """Share of the run in which the busiest worker was ready and had no processor."""
    held: int
    """Requests that had to wait for a free connection (open files)."""
    reopened: int
    """Requests sent again because their kept connection had been closed by the server."""
    clock_moved_s: float
    cpu_s: float
    """Of all workers."""
    processes: int
    limit_s: float
    """What the 99th percentile of being late may be."""
    reasons: tuple[str, ...] = ()
    """Why the run is client-limited; empty when it is not."""

    @property
    def client_limited(self) -> bool:
        """Whether the client was the bottleneck."""
        return bool(self.reasons)

    def to_json(self) -> dict[str, Any]:
        """Plain mapping."""
        return {**{name: getattr(self, name) for name in self.__dataclass_fields__}, "reasons": list(self.reasons)}


def audit_of(
    ends: Sequence[Mapping[str, Any]],
    late: array[float],
    lags: array[float],
    *,
    reads: int,
    unstamped: int,
    events: int,
    coalesced: int,
    ttft_s: tuple[float | None, float | None],
    limit_s: float | None = None,
) -> Audit:
    """The audit of a run.

    :param ends: what the workers said at their end.
    :param late: per request, seconds from due to taken up.
    :param lags: per stamped read.
    :param ttft_s: median and 95th percentile of the times to first token.
    :param limit_s: what being late may be, instead of by the rule.
    """
    import numpy as np

    def quantile(values: array[float], q: float) -> float | None:
        return float(np.quantile(np.frombuffer(values), q)) if len(values) else None

    middle, limit = (
        limit_s if limit_s is not None else max(LEAST_LIMIT_S, SHARE_OF_TTFT * (value or 0.0)) for value in ttft_s
    )
    cpu = max((end["cpu_s"] / end["wall_s"] for end in ends if end["wall_s"] > 0), default=0.0)
    waited = max((end["waited_s"] / end["wall_s"] for end in ends if end["wall_s"] > 0), default=0.0)
    late_p50, late_p99, unseen = quantile(late, 0.5), quantile(late, 0.99), unstamped / reads if reads else None
    held = sum(end["held"] for end in ends)
    reasons = []
    if late_p50 is not None and late_p50 > middle:
        reasons.append(f"half of the requests were sent {late_p50 * 1e3:.1f} ms late or later")
    if late_p99 is not None and late_p99 > limit:
        reasons.append(f"1 % of the requests were sent {late_p99 * 1e3:.1f} ms late or later")
    if unseen is not None and unseen > UNSTAMPED and (waited > 0.02 or cpu > 0.7):
        reasons.append(
            f"the kernel stamped only {1 - unseen:.0%} of the reads, and the loop waited {waited:.0%} of the time "
            f"for a processor and used {cpu:.0%} of one"
        )
    share, lag_p99 = coalesced / events if events else 0.0, quantile(lags, 0.99)
    if share > COALESCED and ((lag_p99 or 0.0) > limit or waited > 0.05 or cpu > 0.7):
        reasons.append(f"{share:.1%} of the token events were read together with others, because the loop came late")
    if cpu > BUSY:
        reasons.append(f"a worker used {cpu:.0%} of a processor; give it --processes")
    if held:
        reasons.append(f"{held} requests waited for a free connection; raise the limit of open files (ulimit -n)")
    moved = max((end["clock_moved_s"] for end in ends), default=0.0)
    if moved > limit:
        reasons.append(f"the wall clock was set by {moved:.3f} s during the run")
    return Audit(
        late_p50_s=late_p50, late_p99_s=late_p99, lag_p50_s=quantile(lags, 0.5),
        lag_p99_s=quantile(lags, 0.99), unstamped=unseen, coalesced=coalesced / events if events else None,
        cpu_share=cpu, waited_share=waited, held=held, reopened=sum(end["reopened"] for end in ends),
        clock_moved_s=moved, cpu_s=sum(end["cpu_s"] for end in ends), processes=len(ends), limit_s=limit,
        reasons=tuple(reasons),
    )  # fmt: skip
