"""Numbers as text. The rules, all of them:

1. A number is never rounded onto a limit. The limits are the ends of its scale (0 and 1 for a share, 0 and 1 for a
   plain number, 0 for money and time) and whatever the caller passes as ``limits`` (what a gate compares with).
   Decimals are added until the printed number lies on the same side of every limit as the true one:
   ``0.9996`` is ``99.96%``, never ``100%``; ``0.89996`` against a limit of 0.9 is ``89.996%``.
2. Where even 9 decimals would not do, the text says so with ``<`` or ``>``: ``>99.999999999%``.
3. A number that *is* a limit of its scale is printed bare: ``0%``, ``100%``, ``$0.00``, ``0 s``.
4. None is ``not measured``; a NaN or an infinity is ``not a number``. Neither is ever a 0.
5. Shares have one decimal, plain numbers three significant digits (whole numbers all of theirs), money two decimals
   from one dollar on and four below, times the largest unit that keeps them above 1, never rounded up into the next.
6. Thousands are parted by commas. A minus sign is ``-``, differences always carry their sign.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Context, Decimal

NOT_MEASURED = "not measured"
NOT_A_NUMBER = "not a number"
_MOST_DECIMALS = 9
_WIDE = Context(prec=60)


def share(value: float | None, *, limits: Iterable[float] = (), decimals: int = 1) -> str:
    """A share in [0, 1] as a percentage: ``0.923`` is ``92.3%``."""
    if (odd := _odd(value)) is not None or value is None:
        return odd or NOT_MEASURED
    exact = _exact(value) * 100
    if exact in (0, 100):
        return f"{int(exact)}%"
    return _printed(exact, decimals, [Decimal(0), Decimal(100), *(_exact(limit) * 100 for limit in limits)], after="%")


def points(value: float | None, *, limits: Iterable[float] = ()) -> str:
    """A difference of two shares, in percentage points with its sign: ``-0.021`` is ``-2.1 points``."""
    if (odd := _odd(value)) is not None or value is None:
        return odd or NOT_MEASURED
    exact = _exact(value) * 100
    if exact in (0, 100, -100):
        return f"{int(exact):+d} points" if exact else "0 points"
    text = _printed(exact, 1, [Decimal(0), *(_exact(limit) * 100 for limit in limits)])
    return f"{text if text[0] in '-<>' else '+' + text} points"


def points_interval(low: float | None, high: float | None) -> str:
    """An interval of a difference: ``[-11.0, +1.0] points``; an unknown bound is ``?``."""
    first, second = ("?" if bound is None else points(bound).removesuffix(" points") for bound in (low, high))
    return f"[{first}, {second}] points"


def plain(value: float | None, *, limits: Iterable[float] = ()) -> str:
    """A number without a unit: three significant digits, whole numbers in full."""
    if (odd := _odd(value)) is not None or value is None:
        return odd or NOT_MEASURED
    exact = _exact(value)
    if exact == exact.to_integral_value() and abs(exact) < Decimal(10) ** 15:
        return f"{int(exact):,}"
    size = exact.adjusted()
    if size < -_MOST_DECIMALS or size >= 15:
        return f"{value:.2e}"
    marks = [Decimal(0), Decimal(1), Decimal(-1), *(_exact(limit) for limit in limits)]
    return _printed(exact, max(0 if size >= 3 else 1, 2 - size), marks)


def count(value: int) -> str:
    """A count: ``12,345``."""
    return f"{value:,}"


def n_of(n: int, of: int) -> str:
    """``n of N``; with nothing planned, just ``n``."""
    return f"{n:,} of {of:,}" if of else f"{n:,}"


def seconds(value: float | None, *, limits: Iterable[float] = ()) -> str:
    """A duration: ``412 ms``, ``1.24 s``, ``2 min 05 s``, ``1 h 03 min`` (minutes and hours are cut, not rounded)."""
    if (odd := _odd(value)) is not None or value is None:
        return odd or NOT_MEASURED
    if value < 0:
        return "-" + seconds(-value)
    if value == 0:
        return "0 s"
    exact = _exact(value)
    marks = [_exact(limit) for limit in limits]
    if exact < 1:
        milli = exact * 1000
        decimals = 0 if milli >= 10 else 1 if milli >= 1 else 2
        return _printed(milli, decimals, [Decimal(0), Decimal(1000), *(mark * 1000 for mark in marks)], after=" ms")
    if exact < 60:
        return _printed(exact, 2 if exact < 10 else 1, [Decimal(60), *marks], after=" s")
    whole = int(exact)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60:02d} min"


def usd(value: Decimal | float | None, *, limits: Iterable[float] = ()) -> str:
    """Money in US dollars: ``$12.40``, ``$0.0041``; exactly nothing is ``$0.00``."""
    if (odd := _odd(value)) is not None or value is None:
        return odd or NOT_MEASURED
    exact = _exact(value)
    if exact == 0:
        return "$0.00"
    if exact < 0:
        return "-" + usd(-exact)
    decimals = 2 if exact >= 1 else max(4, 1 - exact.adjusted())
    return _printed(exact, decimals, [Decimal(0), *(_exact(limit) for limit in limits)], before="$")


def size(value: int) -> str:
    """Bytes: ``812 bytes``, ``64.0 kB``, ``10.5 MB`` (powers of 1,000)."""
    if value < 1000:
        return f"{value} bytes"
    for power, unit in ((3, "kB"), (6, "MB")):
        if value < 10 ** (power + 3):
            return _printed(Decimal(value) / 10**power, 1, [Decimal(1000)], after=f" {unit}")
    return f"{value / 1e9:,.1f} GB"


def measured(value: float | Decimal | None, unit: str = "", *, limits: Iterable[float] = ()) -> str:
    """A number with its unit, by the unit's own rules: ``s``, ``USD``, ``share``, anything else as a word after it."""
    if unit == "s":
        return seconds(None if value is None else float(value), limits=limits)
    if unit == "USD":
        return usd(value, limits=limits)
    if unit == "share":
        return share(None if value is None else float(value), limits=limits)
    text = plain(None if value is None else float(value), limits=limits)
    return f"{text} {unit}" if unit and value is not None else text


def _exact(value: Decimal | float) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(repr(float(value)))


def _odd(value: Decimal | float | None) -> str | None:
    if value is None:
        return NOT_MEASURED
    return None if math.isfinite(value) else NOT_A_NUMBER


def _printed(exact: Decimal, decimals: int, limits: list[Decimal], *, before: str = "", after: str = "") -> str:
    """The shortest text with at least ``decimals`` decimals that is on the right side of every limit."""
    for places in range(decimals, max(decimals, _MOST_DECIMALS) + 1):
        rounded = exact.quantize(Decimal((0, (1,), -places)), context=_WIDE)
        for limit in limits:
            if _side(rounded, limit) != _side(exact, limit):
                break
        else:
            return f"{before}{rounded:,f}{after}"
    # Truncation toward the true side: print the last value that is still short of the limit, and say so.
    crossed = next(limit for limit in limits if _side(rounded, limit) != _side(exact, limit))
    step = Decimal((0, (1,), -max(decimals, _MOST_DECIMALS)))
    below = exact < crossed
    shown = _WIDE.subtract(crossed, step) if below else _WIDE.add(crossed, step)
    return f"{'>' if below else '<'}{before}{shown:,f}{after}"


def _side(value: Decimal, limit: Decimal) -> int:
    return (value > limit) - (value < limit)
