"""Rows of the scorecard as text and as pictures, said the same way in every report."""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.blocks import Interval
from harness.core.scorecard import Row
from harness.reporting import numbers

_STARTS = (0.9, 0.8, 0.5, 0.25, 0.0)


def row_unit(row: Row) -> str:
    """The unit numbers of this row are printed in; shares are ``share``."""
    if row.unit:
        return row.unit
    return "share" if row.kind in ("rate", "pass_k") else ""


def row_name(row: Row) -> str:
    """What the row measures, in words: ``pass^3``, ``latency_s p95``, ``cost_usd mean``."""
    if row.kind == "pass_k" and row.k is not None:
        return row.metric.replace("k", str(row.k)) if row.metric in ("pass^k", "pass@k") else f"{row.metric} k={row.k}"
    if row.quantile is not None:
        return f"{row.metric} p{row.quantile * 100:g}"
    return f"{row.metric} total" if row.kind == "total" else row.metric


def row_place(row: Row) -> str:
    """What the row is about: its suite (and arm), else its area, else all suites."""
    return (f"{row.suite} [{row.arm}]" if row.arm else row.suite) or row.area or "all suites"


def estimate_text(row: Row, *, limit: float | None = None) -> str:
    """The estimate with its unit, or ``not measured``."""
    return numbers.measured(row.estimate, row_unit(row), limits=() if limit is None else (limit,))


def interval_text(row: Row, *, limit: float | None = None) -> str:
    """The interval in brackets: ``[87.1%, 95.6%]``; an unknown bound is ``?``; empty when neither bound is known."""
    if row.low is None and row.high is None:
        return ""
    limits = () if limit is None else (limit,)
    low, high = (
        "?" if bound is None else numbers.measured(bound, row_unit(row), limits=limits) for bound in (row.low, row.high)
    )
    if row.unit and low.endswith(f" {row.unit}") and high.endswith(f" {row.unit}") and row.unit != "s":
        return f"[{low.removesuffix(f' {row.unit}')}, {high}]"
    return f"[{low}, {high}]"


def full_text(row: Row, *, limit: float | None = None) -> str:
    """Estimate, interval and n of N: ``92.3% [87.1%, 95.6%], 130 of 130``."""
    parts = " ".join(part for part in (estimate_text(row, limit=limit), interval_text(row, limit=limit)) if part)
    return f"{parts}, {numbers.n_of(row.n, row.of)}"


def share_scale(values: Iterable[float | None]) -> tuple[float, float]:
    """A common scale for shares: as far in as every value allows, always ending at 1."""
    known = [value for value in values if value is not None]
    lowest = min(known, default=0.0)
    return next((start for start in _STARTS if start < lowest), 0.0), 1.0


def amount_scale(rows: Iterable[Row]) -> tuple[float, float]:
    """A common scale for amounts (seconds, dollars): from 0 to just past the largest bound."""
    known = [value for row in rows for value in (row.estimate, row.low, row.high) if value is not None]
    return 0.0, max(known, default=1.0) * 1.05 or 1.0


def row_picture(row: Row, scale: tuple[float, float], *, limit: float | None = None) -> Interval:
    """The interval of a row, to be drawn on ``scale``."""
    return Interval(
        estimate=row.estimate,
        low=row.low,
        high=row.high,
        minimum=scale[0],
        maximum=scale[1],
        limit=limit,
        text=full_text(row, limit=limit),
    )
