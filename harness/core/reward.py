"""RewardValue: what one reward function said of one trajectory, or that it said nothing, or that it broke.

The words:

- *value*: the reward, finite. None when the function left this trajectory out on purpose, and also when it broke.
- *error*: the function raised, or returned something that is no reward. Never a value: a broken reward is not 0.0.
- *parts*: what a value was made of, by name, so that a combined reward can be taken apart in a report.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.errors import Failure, UsageError


@dataclass(frozen=True, kw_only=True)
class RewardValue:
    """One value of one reward function, with its weight, its time and its error."""

    name: str
    value: float | None
    """Finite; None: not to be counted (left out, or broken: see ``error``)."""
    weight: float = 1.0
    """Its share in a weighted sum; finite, may be negative or 0."""
    elapsed_s: float = 0.0
    """Seconds the function took; for one called with a whole batch, its equal share of the batch's time."""
    error: Failure | None = None
    parts: Mapping[str, float | None] = field(default_factory=dict)
    """What the value is made of, by name."""

    def __post_init__(self) -> None:
        if self.value is not None and not math.isfinite(self.value):
            raise UsageError(f"reward {self.name!r} must be finite, got {self.value!r}; a break belongs into error=")
        if self.value is not None and self.error is not None:
            raise UsageError(f"reward {self.name!r} has a value and an error; what broke has no value")
        if not math.isfinite(self.weight):
            raise UsageError(f"reward {self.name!r}: its weight must be finite, got {self.weight!r}")

    @property
    def milliseconds(self) -> float:
        """``elapsed_s`` in thousandths."""
        return self.elapsed_s * 1000.0

    def to_json(self) -> dict[str, Any]:
        """Plain mapping for journals and reports; fields at their default are left out."""
        out: dict[str, Any] = {"name": self.name, "value": self.value, "milliseconds": round(self.milliseconds, 3)}
        if self.weight != 1.0:
            out["weight"] = self.weight
        if self.error is not None:
            out["error"] = self.error.to_json()
        if self.parts:
            out["parts"] = dict(self.parts)
        return out
