"""What a benchmark hands back: figures, each beside its target and beside what it was compared with in the same run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TIMES = ("s", "ms", "us")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured number."""

    what: str
    value: float | None
    """None where it could not be measured; ``note`` says why."""
    unit: str = ""
    """``s``, ``ms``, ``us``, ``MB``, ``x`` (a ratio), or a word."""
    at_most: float | None = None
    at_least: float | None = None
    ratio: float | None = None
    """``value`` divided by that of ``versus``, both measured in this run; below 1 is less than it."""
    versus: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without a target or without a value."""
        if self.value is None or (self.at_most is None and self.at_least is None):
            return None
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )

    @property
    def target(self) -> str:
        """The target in words; empty without one."""
        if self.at_most is not None:
            return f"at most {shown(self.at_most, self.unit)}"
        return f"at least {shown(self.at_least, self.unit)}" if self.at_least is not None else ""

    @property
    def text(self) -> str:
        """The value in words, with as many digits as it takes to tell it from a target that it misses."""
        text = shown(self.value, self.unit)
        limits = [shown(limit, self.unit) for limit in (self.at_most, self.at_least) if limit is not None]
        if self.met is False and text in limits:
            assert self.value is not None
            text = text.replace(text.split()[0], f"{self.value:.6g}")
        return text

    def to_json(self) -> dict[str, Any]:
        """As kept in ``figures.json``."""
        return {key: value for key, value in vars(self).items() if value not in (None, "")}


@dataclass(frozen=True, kw_only=True)
class Result:
    """One benchmark's figures."""

    name: str
    title: str
    method: str
    """How it was measured, in a paragraph a sceptic can repeat it from."""
    figures: tuple[Figure, ...]
    not_compared: tuple[str, ...] = ()
    """What could not be compared, and why."""
    scale: float = 1.0
    facts: dict[str, str] = field(default_factory=dict)
    """More about the circumstances: versions of what it was compared with."""
    parts: Mapping[str, Sequence[Figure]] = field(default_factory=dict)
    """The same figures by the part of a benchmark that can be measured part by part; empty for the others. What is kept
    of the other parts then stays."""
    part_order: tuple[str, ...] = ()
    """All parts there are, as they stand on the page."""


Run = Callable[[float], Result]
"""``run(scale) -> Result``: 1.0 is the size that the targets speak of."""


def shown(value: float | None, unit: str) -> str:
    """A number with its unit, in about three significant digits."""
    if value is None:
        return "not measured"
    if unit in ("MB", "us") or abs(value) >= 100:
        text = f"{value:,.0f}"
    else:
        text = f"{value:,.2f}" if abs(value) >= 1 or value == 0 else f"{value:.3g}"
    if "." not in text and abs(value) < 100 and value != round(value):
        text = f"{value:.1f}"
    written = {"us": "µs", "x": "×"}.get(unit, unit)
    return f"{text} {written}".strip() if unit != "x" else f"{text} ×"
