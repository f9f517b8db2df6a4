"""Drawing: intervals and curves as coordinates. Templates only place what is computed here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.blocks import Curve, Interval, Series, Tone
from harness.reporting import numbers
from harness.reporting.row_text import share_scale

WIDTH, HEIGHT = 680, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 12, 40


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """An interval in percent of the width of its scale; None where there is nothing to draw."""

    dot: str | None
    low: str | None
    high: str | None
    width: str
    """From low to high."""
    open_low: bool
    """The low bound is not known: the band runs to the end of the scale, without a mark."""
    open_high: bool
    limit: str | None
    tone: Tone
    text: str


def drawn(picture: Interval) -> Drawn:
    """Coordinates of an interval. Its tone says on which side of the limit the whole interval lies."""
    unknown = picture.low is None and picture.high is None
    low, high = (picture.estimate, picture.estimate) if unknown else (picture.low, picture.high)
    open_low, open_high = low is None and not unknown, high is None and not unknown
    low = picture.minimum if open_low else low
    high = picture.maximum if open_high else high
    left, right = _percent(low, picture), _percent(high, picture)
    tone: Tone = ""
    if picture.limit is not None and low is not None and high is not None:
        tone = "good" if low >= picture.limit else "bad" if high < picture.limit else "warn"
    return Drawn(
        dot=_text(_percent(picture.estimate, picture)),
        low=_text(left),
        high=_text(right),
        width="0%" if left is None or right is None else f"{max(0.0, right - left):.2f}%",
        open_low=open_low,
        open_high=open_high,
        limit=_text(_percent(picture.limit, picture)),
        tone=tone,
        text=picture.text,
    )


def _percent(value: float | None, picture: Interval) -> float | None:
    span = picture.maximum - picture.minimum
    if value is None or not math.isfinite(value) or span <= 0:
        return None
    # Two percent at both ends keep a dot at the limit of the scale whole.
    return 2 + 96 * min(1.0, max(0.0, (value - picture.minimum) / span))


def _text(percent: float | None) -> str | None:
    return None if percent is None else f"{percent:.2f}%"


@dataclass(frozen=True, kw_only=True)
class Line:
    """A series as SVG coordinates."""

    name: str
    path: str
    band: str
    dots: tuple[tuple[str, str, str], ...]
    """x, y and what to say; only where there are few points."""


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A curve as SVG coordinates inside ``WIDTH`` by ``HEIGHT``."""

    lines: tuple[Line, ...]
    x_ticks: tuple[tuple[str, str], ...]
    y_ticks: tuple[tuple[str, str], ...]
    summary: str
    """For readers who do not see the picture."""


def plot(curve: Curve) -> Plot:
    """Coordinates of a curve; scales reach from round number to round number.

    Shares reach from 0 to 1, or from as far in as the intervals let where there are some.
    """
    xs = _finite([x for series in curve.series for x, _ in series.points])
    ys = _finite([y for series in curve.series for _, y in series.points])
    ys += _finite([value for series in curve.series for value in (*series.low, *series.high)])
    shares = curve.y_label.startswith("share")
    x_marks = _ticks(min(xs, default=0.0), max(xs, default=1.0), whole=all(float(x).is_integer() for x in xs))
    # With intervals the lines are estimates near each other; a distribution needs its whole scale.
    bands = any(series.low for series in curve.series)
    lowest = share_scale(ys)[0] if bands else 0.0
    y_marks = _ticks(lowest, 1.0) if shares else _ticks(min([0.0, *ys]), max(ys, default=1.0))

    def x_at(value: float) -> str:
        return f"{LEFT + (WIDTH - LEFT - RIGHT) * _part(value, x_marks):.1f}"

    def y_at(value: float) -> str:
        return f"{HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * _part(value, y_marks):.1f}"

    def line(series: Series) -> Line:
        points = [(x, y) for x, y in series.points if _drawable(x) and _drawable(y)]
        band = ""
        if len(series.low) == len(series.high) == len(series.points) == len(points) and points:
            up = [f"{x_at(x)},{y_at(high)}" for (x, _), high in zip(points, series.high, strict=True)]
            down = [f"{x_at(x)},{y_at(low)}" for (x, _), low in zip(points, series.low, strict=True)]
            band = " ".join([*up, *reversed(down)])
        few = points if len(points) <= 20 else ()
        dots = tuple((x_at(x), y_at(y), f"{_mark(x)}: {_mark(y, shares)}") for x, y in few)
        return Line(name=series.name, path=" ".join(f"{x_at(x)},{y_at(y)}" for x, y in points), band=band, dots=dots)

    return Plot(
        lines=tuple(line(series) for series in curve.series),
        x_ticks=tuple((x_at(mark), _mark(mark)) for mark in x_marks),
        y_ticks=tuple((y_at(mark), _mark(mark, shares)) for mark in y_marks),
        summary=f"{curve.y_label} over {curve.x_label}; {len(curve.series)} lines. The numbers are in the table below.",
    )


def _finite(values: Sequence[float]) -> list[float]:
    return [value for value in values if _drawable(value)]


def _drawable(value: float) -> bool:
    # Beyond it the width of a scale is no longer a number.
    return math.isfinite(value) and abs(value) < 1e100


def _part(value: float, marks: Sequence[float]) -> float:
    span = marks[-1] - marks[0]
    return min(1.0, max(0.0, (value - marks[0]) / span)) if span > 0 else 0.0


def _mark(value: float, shares: bool = False) -> str:
    return numbers.share(value, decimals=0) if shares else numbers.plain(round(value, 9))


def _ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """About five round marks that enclose the values (steps of 1, 2 or 5 times a power of ten)."""
    if not high > low:
        low, high = (0.0, high * 1.25) if high > 0 else (0.0, 1.0)
    if high - low < 1e-100:  # the fifth of it may be no number any more
        low, high = 0.0, 1.0
    rough = (high - low) / 5
    if whole:
        rough = max(rough, 1.0)
    exponent = math.floor(math.log10(rough))
    power = 10.0**exponent
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, max(12, 2 - exponent)) for index in range(first, last + 1)]
