"""Score: one evaluator's value on one trajectory, or *not measured* and why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.core.errors import ERROR_KINDS, ErrorKind, UsageError

Direction = Literal["higher", "lower"]


@dataclass(frozen=True, kw_only=True)
class Score:
    """A value with its evidence. Make one with :meth:`passed_if`, :meth:`of` or :meth:`not_measured`."""

    name: str
    """The evaluator's name; the row of the scorecard."""
    value: float | None
    """The value, finite; None when not measured. Pass/fail evaluators use 1.0 and 0.0."""
    passed: bool | None = None
    """Whether the trial may pass as far as this evaluator is concerned; None: it only measures, or could not."""
    unit: str = ""
    """``""`` for a share or a plain number, else ``s``, ``USD``, ``tokens``, ``calls``, ..."""
    direction: Direction = "higher"
    """Which way is better."""
    reason: str = ""
    """The arithmetic in words, so that a person can redo it; or why it was not measured."""
    expected_nothing: bool = False
    """Not measured because the case expects nothing of this evaluator: left out quietly. Any other not-measured
    score of a declared evaluator makes the trial *errored*, because something that should be judged was not."""
    error_kind: ErrorKind | None = None
    """The boundary that broke, when a break is why it was not measured."""
    area: str = ""
    """Heading of the scorecard it belongs to; empty: the suite's."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """Parts a report can show (JSON): expected, got, differences, sub-scores."""
    version: str = "1"
    """Version of the evaluator's meaning; scores of different versions are never compared."""

    def __post_init__(self) -> None:
        if self.value is not None and not math.isfinite(self.value):
            raise UsageError(f"score {self.name!r} must be finite, got {self.value!r}; use Score.not_measured(...)")
        if self.value is None and not self.reason:
            raise UsageError(f"score {self.name!r} has no value and no reason; say why it was not measured")

    @property
    def measured(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    @classmethod
    def passed_if(cls, name: str, ok: bool, reason: str, **more: Any) -> Score:
        """A pass/fail score: 1.0 or 0.0, and ``passed`` to match."""
        return cls(name=name, value=1.0 if ok else 0.0, passed=bool(ok), reason=reason, **more)

    @classmethod
    def of(cls, name: str, value: float, reason: str, **more: Any) -> Score:
        """A measurement; pass ``passed=`` when a limit was declared."""
        return cls(name=name, value=float(value), reason=reason, **more)

    @classmethod
    def not_measured(
        cls, name: str, why: str, *, kind: ErrorKind | None = None, expected_nothing: bool = False, **more: Any
    ) -> Score:
        """No value, and why."""
        return cls(name=name, value=None, reason=why, error_kind=kind, expected_nothing=expected_nothing, **more)

    def to_json(self) -> dict[str, Any]:
        """Plain mapping for the journal; fields at their default are left out."""
        out: dict[str, Any] = {"name": self.name, "value": self.value}
        if self.passed is not None:
            out["passed"] = self.passed
        for name in ("unit", "reason", "area", "error_kind", "expected_nothing"):
            value = getattr(self, name)
            if value:
                out[name] = value
        if self.direction != "higher":
            out["direction"] = self.direction
        if self.version != "1":
            out["version"] = self.version
        if self.evidence:
            out["evidence"] = dict(self.evidence)
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Score:
        """The inverse of :meth:`to_json`."""
        kind = data.get("error_kind")
        return cls(
            name=data["name"],
            value=data.get("value"),
            passed=data.get("passed"),
            unit=data.get("unit", ""),
            direction=data.get("direction", "higher"),
            reason=data.get("reason", ""),
            expected_nothing=data.get("expected_nothing", False),
            error_kind=kind if kind in ERROR_KINDS else None,
            area=data.get("area", ""),
            evidence=data.get("evidence", {}),
            version=data.get("version", "1"),
        )
