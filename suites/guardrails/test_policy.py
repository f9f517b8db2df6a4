"""Policies: no deletes, no external addresses, the caller's own tenant, only listed tools."""

from __future__ import annotations

import pytest

from harness.guardrails.classified import CLASSIFIED


@pytest.mark.golden("policy", evaluators=CLASSIFIED, trials=1, pass_rate=0.8)
async def test_policy(case, agent):
    """The guard is asked about every row once."""
    await agent(case)
