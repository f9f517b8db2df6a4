"""Cost: what the trial cost in US dollars, and whether that was within the limit.

The words:

- *cost*: ``trajectory.cost_usd``: the sum over the agent's model calls, or what the agent reported. Judges cost apart.
- An unknown price makes the cost unknown, never zero. Without a limit nothing is judged, so that is left out quietly.
- A run that broke off has spent what it has spent: that is measured; it fails when over the limit, and otherwise has
  not shown that it stays within it (``passed`` is None).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.evaluators.outcome import cannot_judge


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The cost of the trial in US dollars; passed when it is at most the limit. Without a limit it only measures.

    Reads ``expected.max_cost_usd`` unless ``limit_usd`` is given.
    """

    limit_usd: Decimal | float | None = None
    """Overrides ``expected.max_cost_usd``."""
    name: str = "cost"
    version: str = "1"

    def __post_init__(self) -> None:
        if self.limit_usd is not None and not self.limit_usd >= 0:
            raise UsageError(f"limit_usd must be at least 0, got {self.limit_usd!r}")

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Read the cost."""
        given = self.limit_usd if self.limit_usd is not None else case.expected.max_cost_usd
        limit = None if given is None else Decimal(str(given))
        cost = trajectory.cost_usd
        if cost is None:
            broken = cannot_judge(self.name, trajectory, self.version)
            unpriced = sorted({call.model for call in trajectory.model_calls if call.cost_usd is None})
            why = f"no price for {', '.join(unpriced[:3])[:200]}" if unpriced else "no model call or cost was reported"
            quiet = limit is None
            return broken or Score.not_measured(self.name, why, expected_nothing=quiet, version=self.version)
        over = limit is not None and cost > limit
        complete = trajectory.error is None
        passed = None if limit is None else (not over if complete or over else None)
        reason = f"${cost:f}" + ("" if limit is None else f", at most ${limit:f} allowed")
        reason += "" if complete else "; the run broke off, this is what it had spent"
        return Score.of(
            self.name, float(cost), reason, passed=passed, unit="USD", direction="lower", version=self.version
        )
