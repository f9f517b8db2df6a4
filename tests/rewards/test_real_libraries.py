"""The adapters against the libraries themselves; skipped with the reason where they are not installed."""

from __future__ import annotations

import asyncio
import importlib
import sys
from typing import Any

import pytest

from harness.rewards import adapt, measured_batch, measured_now
from harness.rewards.from_art import case_of, trajectories_of
from harness.testing import make_case, make_trajectory

CASE = make_case(input="What is 6 times 7?", answer="42")
PAIRS = [(make_trajectory("The answer is 42."), CASE), (make_trajectory("The answer is 41."), CASE)]


def library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        return pytest.skip(f"{name} is not installed here: {error}")


def values(thing: Any) -> list[float | None]:
    found = asyncio.run(measured_batch(adapt(thing), PAIRS))
    assert [v.error for v in found] == [None, None], found
    return [v.value for v in found]


pytestmark = pytest.mark.filterwarnings("ignore")  # these libraries warn about each other


def test_a_metric_of_dspys_own_and_one_of_a_users_on_its_own_examples() -> None:
    dspy = library("dspy")
    from dspy.evaluate import answer_exact_match, answer_passage_match

    def metric(example: Any, pred: Any, trace: Any = None) -> bool:
        assert isinstance(example, dspy.Example)
        assert isinstance(pred, dspy.Prediction)
        return example.answer in pred.answer

    def feedback(gold: Any, pred: Any, trace: Any = None, pred_name: Any = None, pred_trace: Any = None) -> Any:
        return dspy.Prediction(score=float(gold.answer in pred.answer), feedback="...")

    assert values(metric) == [1.0, 0.0]
    assert values(feedback) == [1.0, 0.0]
    bare = [(make_trajectory("42"), CASE), (make_trajectory("41"), CASE)]
    assert [v.value for v in measured_now(adapt(answer_exact_match), bare)] == [1.0, 0.0]
    assert adapt(answer_passage_match).interface == "dspy"


def test_reward_methods_of_a_real_verifiers_task() -> None:
    vf = library("verifiers.v1")

    class Row(vf.TaskData):
        answer: str = ""

    class Sums(vf.Task[Row]):
        @vf.reward(weight=2.0)
        async def correct(self, trace: Any) -> float:
            return 1.0 if self.data.answer in trace.last_reply else 0.0

        @vf.metric
        async def seen(self, trace: Any) -> float:
            raise AssertionError("a metric is no reward")

    assert adapt(Sums).interface == "verifiers"
    assert values(Sums) == [2.0, 0.0]
    assert values(Sums(Row(answer="41"))) == [2.0, 0.0], "a task's data are those of the case"


def test_a_real_legacy_verifiers_rubric_with_a_group_function() -> None:
    vf = library("verifiers")
    if not hasattr(vf, "Rubric"):
        pytest.skip("this release of verifiers has no legacy Rubric any more")

    def correct(completion: Any, answer: str, parser: Any, **kwargs: Any) -> float:
        assert parser is not None
        return 1.0 if answer in (parser.parse_answer(completion) or "") else 0.0

    def share(completions: Any, answer: Any = None) -> list[float]:
        return [1.0 / len(completions)] * len(completions)

    rubric = vf.Rubric(funcs=[correct], weights=[1.0])
    assert values(rubric) == [1.0, 0.0]
    both = vf.Rubric(funcs=[correct, share], weights=[1.0, 0.5])
    assert adapt(both).group
    assert values(both) == [1.25, 0.25]


def test_real_openenv_rubrics_also_delayed_and_nested_ones() -> None:
    base = library("openenv.core.rubrics.base")
    trajectory = library("openenv.core.rubrics.trajectory")

    class Right(base.Rubric):
        def forward(self, action: Any, observation: Any) -> float:
            return 1.0 if observation.metadata["answer"] in action.content else 0.0

    class Later(trajectory.TrajectoryRubric):
        def score_trajectory(self, steps: Any) -> float:
            return float(len(steps)) if "42" in steps[-1][0].content else 0.0

        def compute_step_rewards(self) -> list[float]:
            return [0.0]

    rubric = Right()
    assert values(rubric) == [1.0, 0.0]
    assert rubric.last_score == 0.0, "its hooks and its memory run"
    run = make_trajectory("It is 42.", calls=[("calculate", {"q": "6*7"}, "42")])
    assert [v.value for v in measured_now(adapt(Later()), [(run, CASE)])] == [2.0]


def test_real_art_groups_in_and_out() -> None:
    art = library("art")
    if not hasattr(art, "TrajectoryGroup"):
        pytest.skip("the module art that is installed here is another one")

    async def score(group: Any) -> Any:
        assert isinstance(group, art.TrajectoryGroup)
        for one in group.trajectories:
            one.reward = 1.0 if "42" in one.messages()[-1]["content"] else 0.0
        return group

    assert values(score) == [1.0, 0.0]
    asked = {"role": "user", "content": "6 times 7?"}
    made = [
        art.Trajectory(messages_and_choices=[asked, {"role": "assistant", "content": text}], reward=reward)
        for text, reward in (("42", 1.0), ("41", 0.0))
    ]
    group = art.TrajectoryGroup(made)
    assert [(t.answer, reward) for t, reward in trajectories_of(group)] == [("42", 1.0), ("41", 0.0)]
    assert case_of(group).text == "6 times 7?"


def test_no_library_is_imported_by_looking_at_a_function() -> None:
    before = set(sys.modules)
    adapt(lambda completions, **columns: [0.0])
    assert not {"trl", "verifiers", "dspy", "art", "openenv"} & (set(sys.modules) - before)
