"""Evidence: what an item-by-item watch says after each item.

An *e-process* is a non-negative quantity that starts at 1 and, as long as what it speaks against is true, does not
grow on average, whenever one chooses to stop. By Ville's inequality (Ville 1939; Howard, Ramdas, McAuliffe and Sekhon
2021, Annals of Statistics 49:1055-1080) it ever reaches 1/alpha with a chance of at most alpha. So one may look after
every item, stop for any reason, and go on later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Answer = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A watch after ``n`` items. Logarithms are natural."""

    answer: Answer
    """The first answer that the evidence reached; it stays, whatever comes after it."""
    n: int
    """Items seen."""
    log_e_pass: float
    """Log evidence against "not good enough", now."""
    log_e_fail: float
    """Log evidence against "good enough", now."""
    decided_at: int | None = None
    """Number of the item, from 1, that decided; None while inconclusive."""


def check_alpha(name: str, alpha: float) -> float:
    """``alpha`` itself when it lies in (0, 1); ValueError otherwise."""
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"{name} is an error rate between 0 and 1, such as 0.05, got {alpha!r}")
    return alpha


def check_value(value: float, best: float | None, low: float, high: float) -> tuple[float, float]:
    """Value and best value of an item; ValueError unless low <= value <= best <= high."""
    top = value if best is None else best
    if not low <= value <= top <= high:
        raise ValueError(f"an item's value lies in [{low:g}, {high:g}] and not above its best, got {value!r}, {best!r}")
    return value, top
