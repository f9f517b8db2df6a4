"""The guard under test stands in the agent's place. Plug in yours with the fixture `guards_under_test`, or the flag."""

from __future__ import annotations

import pytest

from fixtures.guards import under_test


@pytest.fixture(scope="module")
def agent(request, guards_under_test):
    """The guard that the file is named after: the team's own where it gave one, else the shipped one."""
    return under_test(request.path, guards_under_test)
