"""An axis inside one run: every arm against the first, on the same cases and seeds, taken in turn."""

from __future__ import annotations

import json

import pytest

SUITE = """
import random
import pytest
from harness import Case, Trajectory

SHARE = {{"short": 0.5, "long": {long}, "same": 0.5}}
ORDER = []

class Agent:
    name = "coin"
    async def run(self, case, trial):
        chance, seed = random.Random(trial.seed).random(), trial.seed
        return Trajectory.from_answer(f"{{chance}} {{seed}}")

CASES = [Case(id=f"c{{i}}", input="q") for i in range({n})]

@pytest.mark.golden(CASES, agent=Agent(), evaluators=[], observe=True, compare="prompt")
@pytest.mark.parametrize("prompt", ["short", "long", "same"])
async def test_prompts(case, agent, prompt):
    chance, seed = (await agent(case)).answer.split()
    assert float(chance) < SHARE[prompt]
"""


def _run(pytester: pytest.Pytester, *, long: float, n: int = 120) -> tuple[pytest.RunResult, list[dict[str, object]]]:
    pytester.makepyfile(test_prompts=SUITE.format(long=long, n=n))
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:deepeval", "-q")
    (folder,) = (path for path in (pytester.path / "reports" / "runs").iterdir() if path.is_dir())
    return result, json.loads((folder / "scorecard.json").read_text())["arms"]


def test_a_better_arm_is_found_and_an_equal_one_is_not(pytester: pytest.Pytester) -> None:
    result, arms = _run(pytester, long=0.9)
    found = {arm["arm"]: arm for arm in arms}
    assert set(found) == {"long", "same"}
    assert found["long"]["answer"] == "better"
    # The same seeds decide both arms, so an arm with the same chance differs in no case at all.
    assert found["same"]["answer"] == "not shown"
    assert found["same"]["difference"] == 0
    assert found["same"]["low"] < 0 < found["same"]["high"]  # never an interval of no width
    assert {arm["first"] for arm in arms} == {"short"}
    result.stdout.fnmatch_lines(["*prompt=long better than short: +* points *"])


def test_a_worse_arm_is_called_worse(pytester: pytest.Pytester) -> None:
    _, arms = _run(pytester, long=0.1)
    assert {arm["arm"]: arm["answer"] for arm in arms} == {"long": "worse", "same": "not shown"}


def test_an_axis_that_is_no_parameter_is_a_usage_error(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from harness import Case
        @pytest.mark.golden([Case(id="a", input="q")], agent=lambda q: q, compare="prompt")
        def test_x(case, trajectory): ...
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:deepeval")
    assert result.ret not in (0, 1)
    assert "needs @pytest.mark.parametrize('prompt'" in result.stdout.str() + result.stderr.str()
