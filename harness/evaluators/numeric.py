"""Numeric: the final answer gives a number, within an absolute tolerance.

The words:

- *a number*: digits with optional sign, thousands separators (comma, thin or no-break space, apostrophe, underscore
  between groups of three), a decimal point and an exponent. ``1.234,56`` is read as 1234.56, because both separators
  are there; a lone comma between groups of three is a thousands separator.
- *gives*: with ``which="any"`` (default) any number of the answer is right; ``last`` takes the last one (the custom of
  GSM8K), ``only`` demands that there is exactly one.
- The comparison is in decimals, so that 0.1 + 0.2 never matters: right when ``abs(got - number) <= tolerance``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.score import Score
from harness.core.shown import quoted
from harness.core.trajectory import Trajectory
from harness.evaluators.outcome import cannot_judge, nothing_expected

Which = Literal["any", "last", "only"]
_GROUP = "[,.'_\u2009\u202f\u00a0]"
_NUMBER = re.compile(
    r"(?<![\w.])[-+\u2212]?"
    rf"(?:(?:\d{{1,3}}(?:{_GROUP}\d{{3}})+(?!\d)|\d{{1,400}})(?:[.,]\d{{1,400}})?|[.,]\d{{1,400}})"
    r"(?:[eE][-+]?\d{1,3})?(?!\d)"
)


@dataclass(frozen=True, kw_only=True)
class Numeric:
    """1 when the answer gives the expected number, else 0; the reason prints the difference.

    Reads ``expected.number`` and ``expected.tolerance`` unless given here.
    """

    number: float | None = None
    """Overrides ``expected.number``."""
    tolerance: float | None = None
    """Absolute; overrides ``expected.tolerance``."""
    which: Which = "any"
    max_text: int = 100_000
    """Characters read, from the end for ``last``, else from the start."""
    name: str = "numeric"
    version: str = "1"

    def __post_init__(self) -> None:
        if self.which not in get_args(Which):
            raise UsageError(f"which must be one of {', '.join(get_args(Which))}; got {self.which!r}")
        if self.tolerance is not None and not self.tolerance >= 0:
            raise UsageError(f"tolerance must be at least 0, got {self.tolerance!r}")

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Find the number in the final answer."""
        number = self.number if self.number is not None else case.expected.number
        if number is None:
            return nothing_expected(self.name, "number", self.version)
        if (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        tolerance = Decimal(str(self.tolerance if self.tolerance is not None else case.expected.tolerance))
        answer = trajectory.answer or ""
        text = answer[-self.max_text :] if self.which == "last" else answer[: self.max_text]
        found = numbers_in(text)
        if not found:
            reason = f"expected {number}, but there is no number in {quoted(answer)}"
            return Score.passed_if(self.name, False, reason, version=self.version)
        if self.which == "only" and len(found) > 1:
            reason = f"expected only {number}, but there are {len(found)} numbers in {quoted(answer)}"
            return Score.passed_if(self.name, False, reason, version=self.version)
        wanted = Decimal(str(number))
        nearest = min(found[-1:] if self.which == "last" else found, key=lambda got: abs(got - wanted))
        difference = abs(nearest - wanted)
        ok = difference <= tolerance
        arithmetic = f"difference {difference:.6g} {'<=' if ok else '>'} {tolerance}"
        reason = f"expected {number} ± {tolerance}, got {nearest:.12g}: {arithmetic}"
        return Score.passed_if(self.name, ok, reason, version=self.version)


def numbers_in(text: str) -> list[Decimal]:
    """Every number in a text, in order."""
    return [_decimal(found.group()) for found in _NUMBER.finditer(text)]


def _decimal(written: str) -> Decimal:
    mantissa, exponent = (*re.split("[eE]", written), "0")[:2]
    mantissa = re.sub("['_\u2009\u202f\u00a0]", "", mantissa.replace("\u2212", "-"))
    commas, points = mantissa.count(","), mantissa.count(".")
    if commas and points:
        last = "," if mantissa.rfind(",") > mantissa.rfind(".") else "."
        decimal_mark = last if mantissa.count(last) == 1 else ""
    elif commas == 1:
        decimal_mark = "" if re.fullmatch(r"[-+]?\d{1,3},\d{3}", mantissa) else ","
    else:
        decimal_mark = "." if points == 1 else ""
    whole, _, fraction = mantissa.rpartition(decimal_mark) if decimal_mark else (mantissa, "", "")
    whole = whole.replace(",", "").replace(".", "")
    return Decimal(f"{whole}.{fraction}e{exponent}" if fraction else f"{whole}e{exponent}")
