"""Groundedness: answers that the context does not support are flagged, supported ones are not."""

from __future__ import annotations

import pytest

from harness.guardrails.classified import CLASSIFIED


@pytest.mark.golden("groundedness", evaluators=CLASSIFIED, trials=1, pass_rate=0.8)
async def test_groundedness(case, agent):
    """The guard is asked about every row once."""
    await agent(case)
