"""The way out to providers as this session is set up: gateway, limits, money, recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.plugin.session import worker_id, workers

if TYPE_CHECKING:
    from harness.core.exchange import Gateway, TrialContext
    from harness.core.record import Record
    from harness.plugin.session import HarnessSession
    from harness.runs.limiter import Limiter
    from harness.runs.sockets import SocketGuard


class WayOut:
    """The gateway that all trials of this process share, and its beginning and end for each."""

    def __init__(self, shared: HarnessSession) -> None:
        from harness.runs.cassettes import Cassettes
        from harness.runs.gateway import RunGateway
        from harness.runs.money import Budget
        from harness.runs.prices import PriceTable

        settings = shared.settings
        folder = shared.open_run()
        self.budget = None
        if settings.budget_usd is not None:
            self.budget = Budget(folder / "money.sqlite", cap_usd=settings.budget_usd)
        mode: Any = settings.mode
        self.limiter = self._limiter(shared)
        self._gateway = RunGateway(
            mode=mode,
            limiter=self.limiter,
            prices=PriceTable.load(settings.prices),
            budget=self.budget,
            cassettes=None if mode == "live" else Cassettes(mode, root=shared.root),
        )
        self._guard: SocketGuard | None = None
        if mode == "replay":
            from harness.runs.sockets import SocketGuard

            self._guard = SocketGuard()
            self._guard.enable()

    @staticmethod
    def _limiter(shared: HarnessSession) -> Limiter:
        from harness.runs.limiter import Limiter
        from harness.runs.shared_limits import Limits, SharedLimits

        settings = shared.settings
        limits = Limits.load(settings.limits)
        count = workers(shared.config)
        name = worker_id(shared.config)
        digits = name.removeprefix("gw")
        # A worker that replaces a crashed one has a number of its own; it takes the crashed one's share.
        number = int(digits) % count if digits.isdigit() else 0
        per_minute = any(limit.per_minute for limit in limits.values())
        together = SharedLimits(shared.open_run() / "limits.sqlite") if count > 1 or per_minute else None
        concurrency = None if settings.concurrency == "auto" else int(settings.concurrency)
        return Limiter(concurrency=concurrency, limits=limits, workers=count, worker=number, shared=together)

    @property
    def gateway(self) -> Gateway:
        """The gateway."""
        return self._gateway

    def begin(self, context: TrialContext) -> None:
        """A trial starts."""
        self._gateway.begin(context)

    def end(self, context: TrialContext, record: Record | None) -> None:
        """A trial ended; its recording is kept unless the trial broke off."""
        self._gateway.end(context, keep=record is not None and record.outcome in ("passed", "failed"))

    def close(self) -> None:
        """Close what was opened."""
        if self._guard is not None:
            self._guard.disable()
        self._gateway.close()
        if self.budget is not None:
            self.budget.close()
