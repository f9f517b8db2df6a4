"""Agents that need opening (a server, a connection pool): opened once, on first use, closed at the end of the run."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from harness.core.case import Case
from harness.core.contracts import Agent
from harness.core.record import Trial
from harness.core.trajectory import Trajectory


class Opened:
    """An agent that is entered (``async with``) before its first run; agents without ``__aenter__`` pass through.

    All calls come from the engine's loop, so a lock is enough to open once.
    """

    def __init__(self, agent: Agent, stack: AsyncExitStack) -> None:
        self.name = str(getattr(agent, "name", "") or type(agent).__name__)
        self.inner = agent
        self._stack = stack
        self._open: Any = None if hasattr(agent, "__aenter__") else agent
        self._lock: asyncio.Lock | None = None

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        """See :class:`~harness.core.contracts.Agent`. A failing opening is the trial's error, tried again next time."""
        if self._open is None:
            await self._enter()
        trajectory: Trajectory = await self._open.run(case, trial)
        return trajectory

    async def _enter(self) -> None:
        if self._lock is None:
            self._lock = asyncio.Lock()
        async with self._lock:
            if self._open is None:
                manager: Any = self.inner
                entered = await self._stack.enter_async_context(manager)
                self._open = entered if hasattr(entered, "run") else self.inner
