"""The way out to providers as this session is set up: gateway, limits, money, recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core.exchange import DirectGateway

if TYPE_CHECKING:
    from harness.core.exchange import Gateway
    from harness.core.record import Trial
    from harness.plugin.session import HarnessSession
    from harness.runs.trial import TrialSession, Work


class WayOut:
    """Makes the gateway of each trial, and ends its recording."""

    def __init__(self, shared: HarnessSession) -> None:
        self._shared = shared

    def gateway(self, work: Work) -> Gateway:
        """The gateway of one trial."""
        return DirectGateway()

    def trial_ended(self, work: Work, trial: Trial, session: TrialSession) -> None:
        """Write what was recorded."""

    async def aclose(self) -> None:
        """Close what was opened."""


def guard_sockets() -> Any:
    """Block other sockets for harness traffic while recordings are replayed."""
