"""Tool arguments on BFCL: right calls only, none may be stopped.

The rows lie outside this project; without them this file is skipped.
"""

from __future__ import annotations

import pytest

from fixtures.external import cases
from harness.guardrails.classified import CLASSIFIED

try:
    CASES = cases("tool_arguments")
except FileNotFoundError as missing:
    pytest.skip(str(missing), allow_module_level=True)


@pytest.mark.golden(CASES, evaluators=CLASSIFIED, area="guardrails", trials=1, pass_rate=0.5)
async def test_external_tool_arguments(case, agent):
    """The guard is asked about every row once."""
    await agent(case)
