"""RetryPolicy: which failures are tried again, and how long to wait first.

Only a :class:`~harness.core.errors.ProviderBroken` that says ``retryable`` is tried again. The wait is exponential with
full jitter (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015), drawn from the trial's seed, or
what the server asked for.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from harness.core.errors import ProviderBroken, UsageError


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often and how patiently."""

    retries: int = 4
    """Attempts after the first; 0 switches retrying off."""
    base_s: float = 0.5
    """Upper end of the first wait; doubled for each further one."""
    longest_s: float = 60.0
    """No wait is longer, whatever the server asks for."""

    def __post_init__(self) -> None:
        if self.retries < 0 or self.base_s < 0 or self.longest_s < 0:
            raise UsageError(f"retries, base_s and longest_s must be at least 0, got {self!r}")

    def wait_s(self, error: ProviderBroken, *, attempt: int, seed: int) -> float | None:
        """Seconds to wait before the next attempt; None when there is to be none.

        :param attempt: attempts made so far, from 1.
        :param seed: of the trial; the same seed, attempt and failure give the same wait.
        """
        if not error.retryable or attempt > self.retries:
            return None
        draw = random.Random(f"{seed}|{attempt}").random()
        if error.retry_after_s is not None and error.retry_after_s >= 0:
            # A little later than asked for, so that all who were told the same do not come back as one.
            return min(self.longest_s, error.retry_after_s + draw * min(self.base_s, 0.1 * error.retry_after_s))
        return draw * min(self.longest_s, self.base_s * 2.0 ** min(attempt - 1, 30))
