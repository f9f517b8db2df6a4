"""The fixtures of a golden test: case, trial, agent, trajectory, evaluate; reward and load, for any test.

For light items they are only names (see bindings.py). For items that pytest makes itself they hold the case while other
fixtures are set up; the body gets the real objects, one set per trial.
"""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Any:
    """The golden case of this item (a ``harness.Case``)."""
    given = getattr(request, "param", None)
    if not (isinstance(given, tuple) and len(given) == 2):
        raise pytest.UsageError(
            f"{request.node.nodeid} asks for a golden fixture but declares no cases; "
            "mark it: @pytest.mark.golden('name_of_a_dataset')"
        )
    return given[1]


@pytest.fixture
def trial(case: Any) -> Any:
    """The attempt (a ``harness.Trial``): its index and its seed."""
    return None


@pytest.fixture
def agent(case: Any) -> Any:
    """The agent under test: ``await agent(case)`` in an ``async def`` test, ``agent(case)`` in a plain one.

    Override it in a conftest.py to test another agent: return a function, a coroutine function or an Agent.
    """
    return None


@pytest.fixture
def trajectory(case: Any) -> Any:
    """What the agent did with the case (a ``harness.Trajectory``), run ahead of the test's turn."""
    return None


@pytest.fixture
def evaluate(case: Any) -> Any:
    """``evaluate(Contains(...), ...)`` judges the latest trajectory; awaited in an ``async def`` test."""
    return None


@pytest.fixture
def load(request: pytest.FixtureRequest) -> Any:
    """``load(url, rate=20, duration_s=10)`` measures an endpoint and judges it by @pytest.mark.perf(ttft_p95_s=0.3)."""
    phase = request.config.pluginmanager.get_plugin("harness-load")
    if phase is None:
        pytest.skip("load tests run only in a session that collected them (not under --harness-estimate)")

    def run(url: str, **options: Any) -> Any:
        return phase.run(request.node, url, options)

    return run


@pytest.fixture
def reward(request: pytest.FixtureRequest) -> Any:
    """The reward function under test (``--harness-reward``, ``@pytest.mark.reward``), adapted.

    In any test, golden or not: ``reward.reward(trajectory, case)``, or whatever of ``harness.rewards`` takes one.
    """
    from harness.core.errors import HarnessError
    from harness.plugin.rewards import reward_of

    try:
        return reward_of(request.node)
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.fixture(scope="session")
def guards_under_test(pytestconfig: pytest.Config) -> dict[str, Any]:
    """Your guards, by the name of the suite that is to score them: ``{"injection": MyGuard()}``.

    Override it in your conftest.py; by default it is what ``--harness-guards`` says, and a suite that is not named
    scores the guard that the harness ships.
    """
    from harness.plugin.guards import guards_of

    return guards_of(pytestconfig)


@pytest.fixture
def leaks() -> Any:
    """``leaks(function, *args)`` calls it some thousand times: ``.answer`` is pass, fail or inconclusive.

    Its arguments are those of ``harness.find_leaks``; a fraction of a second for a short function.
    """
    from harness.runs.bench.memory import find_leaks

    def find(function: Any, *args: Any, limit_bytes: float = 16.0, within_s: float = 2.0, **kwargs: Any) -> Any:
        return find_leaks(lambda: function(*args, **kwargs), limit_bytes=limit_bytes, within_s=within_s)

    return find
