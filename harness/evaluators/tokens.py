"""Tokens: how many tokens the agent's model calls consumed, and whether that was within the limit.

The words:

- *tokens*: as the provider reported them, over every model call of the agent; ``input`` includes cached ones,
  ``output`` includes thinking, ``total`` is both. Retries that brought no reply are not reported and do not
  count.
- A run whose calls report no usage at all is not measured; quietly so where no limit is declared.
- A run that broke off has consumed what it has: that is measured; it fails when over the limit, and otherwise has not
  shown that it stays within it (``passed`` is None).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.evaluators.outcome import cannot_judge

Which = Literal["total", "input", "output"]


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Tokens of the trial; passed when at most ``limit``. Without a limit it only measures."""

    limit: int | None = None
    which: Which = "total"
    name: str = "tokens"
    version: str = "1"

    def __post_init__(self) -> None:
        if self.which not in get_args(Which):
            raise UsageError(f"which must be one of {', '.join(get_args(Which))}; got {self.which!r}")
        if self.limit is not None and self.limit < 0:
            raise UsageError(f"limit must be at least 0, got {self.limit!r}")

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Add up the reported usage."""
        usage = trajectory.usage
        reported = sum(call.usage.total_tokens > 0 for call in trajectory.model_calls)
        if not reported:
            why = f"none of {len(trajectory.model_calls)} model calls reported usage"
            broken = cannot_judge(self.name, trajectory, self.version)
            quiet = self.limit is None
            return broken or Score.not_measured(self.name, why, expected_nothing=quiet, version=self.version)
        tokens = {"total": usage.total_tokens, "input": usage.input_tokens, "output": usage.output_tokens}[self.which]
        over = self.limit is not None and tokens > self.limit
        complete = trajectory.error is None and reported == len(trajectory.model_calls)
        passed = None if self.limit is None else (not over if complete or over else None)
        reason = f"{tokens:,} {self.which} tokens in {reported} of {len(trajectory.model_calls)} model calls"
        reason += "" if self.limit is None else f", at most {self.limit:,} allowed"
        reason += "" if trajectory.error is None else "; the run broke off"
        return Score.of(
            self.name, tokens, reason, passed=passed, unit="tokens", direction="lower", version=self.version
        )
