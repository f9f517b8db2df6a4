"""Secrets: keys, tokens and passwords are found, and text that only speaks of them is left alone."""

from __future__ import annotations

import pytest

from harness.guardrails.classified import CLASSIFIED


@pytest.mark.golden("secrets", evaluators=CLASSIFIED, trials=1, pass_rate=0.8)
async def test_secrets(case, agent):
    """The guard is asked about every row once."""
    await agent(case)
