"""Outputs: advice, competitors, topics and tone, each with a twin that is fine."""

from __future__ import annotations

import pytest

from harness.guardrails.classified import CLASSIFIED


@pytest.mark.golden("output_topics", evaluators=CLASSIFIED, trials=1, pass_rate=0.8)
async def test_output_topics(case, agent):
    """The guard is asked about every row once."""
    await agent(case)
