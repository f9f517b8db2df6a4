"""Personal data: found in every disguise, and not where a number only looks like it."""

from __future__ import annotations

import pytest

from harness.guardrails.classified import CLASSIFIED


@pytest.mark.golden("pii", evaluators=CLASSIFIED, trials=1, pass_rate=0.8)
async def test_pii(case, agent):
    """The guard is asked about every row once."""
    await agent(case)
