"""How gate rules say numbers: short, and never rounded onto or across the limit that they are compared with."""

from __future__ import annotations

import math


def number(value: float | None, *, limit: float | None = None, unit: str = "") -> str:
    """``value`` with three decimals (significant digits above 1,000 are kept whole), and its unit.

    More digits are printed while the rounded value would equal the limit or stand on its other side, so that a bound
    of 0.89996 is never shown as 0.900 beside a limit of 0.9. None is "none".
    """
    if value is None:
        return "none"
    if not math.isfinite(value):
        return str(value)
    places = 3 if abs(value) >= 0.01 or value == 0 else 2 - math.floor(math.log10(abs(value)))
    text = f"{value:.{places}f}"
    if limit is not None and value != limit:
        while places < 15 and (float(text) == limit or (float(text) > limit) != (value > limit)):
            places += 1
            text = f"{value:.{places}f}"
    return f"{text} {unit}".rstrip()


def percent(confidence: float) -> str:
    """A confidence as ``95 %``."""
    return f"{100 * confidence:.6g} %"


def count(n: int, noun: str) -> str:
    """``1 case``, ``2 cases``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def some(names: list[str], most: int = 5) -> str:
    """The first names of a list, and how many more there are."""
    shown = ", ".join(name[:120] for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"
