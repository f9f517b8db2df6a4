"""The guard under test stands in the agent's place. Plug in yours with the fixture `guards_under_test`, or the flag."""

from __future__ import annotations

import pytest

from fixtures.guards import NAMES, shipped
from harness.guardrails.under_test import GuardUnderTest


@pytest.fixture(scope="module")
def agent(request, guards_under_test):
    """The guard that the file is named after: the team's own where it gave one, else the shipped one."""
    name = request.path.stem.removeprefix("test_")
    unknown = sorted(set(guards_under_test) - set(NAMES))
    if unknown:
        raise pytest.UsageError(f"guards_under_test has {unknown[0]!r}; there are suites for {', '.join(NAMES)}")
    return GuardUnderTest(guards_under_test[name] if name in guards_under_test else shipped(name), name=name)
