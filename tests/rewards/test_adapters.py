"""Any reward function as it is: recognised by its signature, called as its library calls it, one record per value."""

from __future__ import annotations

import asyncio
import functools
import inspect
from types import SimpleNamespace
from typing import Any

import pytest

from harness.core.errors import UsageError
from harness.core.reward import RewardValue
from harness.evaluators import Contains
from harness.rewards import adapt, declare, measured, measured_batch, measured_now
from harness.testing import check_reward, make_case, make_trajectory

CASE = make_case(input="What is 6 times 7?", answer="42", custom={"tests_passed": 3, "ground_truth": "42"})
RIGHT = make_trajectory("The answer is 42.", user="What is 6 times 7?")
WRONG = make_trajectory("The answer is 41.", user="What is 6 times 7?")


def both(function: Any, **declared: Any) -> list[float | None]:
    reward = adapt(function, **declared)
    values = asyncio.run(measured_batch(reward, [(RIGHT, CASE), (WRONG, CASE)]))
    assert [v.error for v in values] == [None, None], values
    alone = [asyncio.run(measured(reward, run, CASE)) for run in (RIGHT, WRONG)]
    if not reward.group:
        assert [v.value for v in alone] == [v.value for v in values], "a batch gives what its items give"
    return [v.value for v in values]


# -- TRL ---------------------------------------------------------------------------------------------------------------


def trl_texts(completions, ground_truth, **kwargs):
    return [1.0 if truth in text else 0.0 for text, truth in zip(completions, ground_truth, strict=True)]


def trl_chat(prompts, completions, answer, **kwargs):
    assert [prompt[-1]["content"] for prompt in prompts] == [CASE.input] * len(completions)
    return [1.0 if right in turns[-1]["content"] else 0.0 for turns, right in zip(completions, answer, strict=True)]


async def trl_async(prompts, completions, **kwargs):
    await asyncio.sleep(0)
    return [1.0 if "42" in str(completion) else 0.0 for completion in completions]


class TrlCallable:
    def __call__(self, completions, **kwargs):
        return [1.0 if "42" in str(completion) else 0.0 for completion in completions]


def trl_ids(completion_ids, trainer_state, **kwargs):
    assert trainer_state is None
    return [float(len(ids)) for ids in completion_ids]


@pytest.mark.parametrize("function", [trl_texts, trl_chat, trl_async, TrlCallable(), TrlCallable])
def test_trl_functions_are_taken_as_they_are_with_texts_or_chat_messages(function: Any) -> None:
    assert adapt(function).interface == "trl"
    assert both(function) == [1.0, 0.0]


def test_trl_functions_get_token_ids_and_the_trainers_keywords() -> None:
    assert both(trl_ids) == [4.0, 4.0]


def test_a_whole_batch_is_one_call_with_every_column_as_a_list() -> None:
    seen: list[dict[str, Any]] = []

    def reward(prompts, completions, **columns):
        seen.append(columns)
        return [0.0] * len(completions)

    measured_now(adapt(reward), [(RIGHT, CASE), (WRONG, CASE)])
    assert len(seen) == 1
    assert seen[0]["answer"] == ["42", "42"]
    assert seen[0]["tests_passed"] == [3, 3]


def test_none_stays_none_and_what_breaks_is_an_error_of_its_own_item_only() -> None:
    def picky(completions, **kwargs):
        if any("41" in text for text in completions):
            raise ValueError("41 is unlucky")
        return [None for _ in completions]

    first, second = asyncio.run(measured_batch(adapt(picky), [(RIGHT, CASE), (WRONG, CASE)]))
    assert (first.value, first.error) == (None, None)
    assert second.value is None
    assert second.error is not None
    assert second.error.type == "ValueError"


def test_a_crash_on_one_text_is_never_hidden_by_trying_the_other_form() -> None:
    def inverse(completions, **columns):
        return [1 / len(text) for text in completions]

    async def later(completions, **columns):
        return [1 / len(text) for text in completions]

    def reads_text(completions, **columns):
        return [float(text.strip()) if text else float(None) for text in completions]  # a TypeError of its own

    for function in (inverse, later):
        good, bad = measured_now(adapt(function), [(make_trajectory("four"), CASE), (make_trajectory(""), CASE)])
        assert good.value == 0.25
        assert bad.value is None
        assert bad.error is not None
        assert bad.error.type == "ZeroDivisionError"
    (bad,) = measured_now(adapt(reads_text), [(make_trajectory(""), CASE)])
    assert bad.error is not None
    assert bad.error.type == "TypeError"


async def trl_async_chat(completions, **kwargs):
    await asyncio.sleep(0)
    return [1.0 if "42" in turns[0]["content"] else 0.0 for turns in completions]


def test_a_coroutine_written_for_chat_messages_is_given_them() -> None:
    assert both(trl_async_chat) == [1.0, 0.0]


def test_a_batch_of_another_length_is_an_error_and_never_filled_up() -> None:
    (value,) = measured_now(adapt(lambda completions, **kw: []), [(RIGHT, CASE)])
    assert value.error is not None
    assert "1 completions went in and 0 rewards came out" in value.error.message


def test_a_column_that_the_case_does_not_have_is_named_with_where_to_put_it() -> None:
    def needs(completions, unit_tests, **kwargs):
        return [0.0]

    (value,) = measured_now(adapt(needs), [(RIGHT, CASE)])
    assert value.error is not None
    assert "'unit_tests'" in value.error.message
    assert "expected.custom" in value.error.message


def test_a_function_without_kwargs_is_noted_as_one_that_the_trainer_would_break() -> None:
    def narrow(prompts, completions, completion_ids):
        return [1.0] * len(completions)

    assert adapt(narrow).keywords is False
    assert adapt(trl_texts).keywords is True


# -- verifiers ---------------------------------------------------------------------------------------------------------


def vf_single(completion, answer, parser, **kwargs):
    return 1.0 if answer in completion[-1]["content"] else 0.0


async def vf_async(prompt, completion, answer, state):
    assert state["answer"] == answer
    return 1.0 if answer in completion[-1]["content"] else 0.0


def vf_group(completions, answers):
    right = [answer in turns[-1]["content"] for turns, answer in zip(completions, answers, strict=True)]
    return [float(one) / max(1, sum(right)) for one in right]


def vf_short(completion):
    return 1.0 if len(completion[-1]["content"]) < 10 else 0.0


class Rubric:
    def __init__(self):
        self.funcs = [vf_single, vf_short]
        self.weights = [1.0, 0.5]
        self.parser = "a parser"


def test_legacy_functions_ask_by_name_for_a_rollout_or_by_plural_names_for_a_group() -> None:
    assert both(vf_single) == [1.0, 0.0]
    assert both(vf_async) == [1.0, 0.0]
    assert (adapt(vf_group).interface, adapt(vf_group).group) == ("verifiers", True)
    assert both(vf_group) == [1.0, 0.0]


def test_a_rubric_is_the_weighted_sum_and_its_functions_stay_visible() -> None:
    value, _ = measured_now(adapt(Rubric()), [(RIGHT, CASE), (make_trajectory("42"), CASE)])
    assert value.value == 1.0
    assert dict(value.parts) == {"vf_single": 1.0, "vf_short": 0.0}


def test_a_rubric_that_swallows_errors_cannot_turn_them_into_zero() -> None:
    def broken(completion):
        raise RuntimeError("the judge is down")

    class Swallowing(Rubric):
        def __init__(self):
            self.funcs, self.weights = [broken], [1.0]

        def __call__(self, *args: Any) -> float:
            return 0.0

    (value,) = measured_now(adapt(Swallowing()), [(RIGHT, CASE)])
    assert value.value is None
    assert "the judge is down" in str(value.error)


def mark(weight: float) -> Any:
    def decorate(function: Any) -> Any:
        function.reward, function.reward_priority, function._vf_weight = True, 0, weight
        return function

    return decorate


class Task:
    def __init__(self, data: Any) -> None:
        self.data = data

    @mark(2.0)
    async def correct(self, trace: Any) -> float:
        return 1.0 if self.data.answer in trace.last_reply else 0.0

    @mark(0.5)
    def keyed(self, task: Any, trace: Any) -> dict[str, float]:
        return {"turns": float(trace.num_turns), "roles": float(len(trace.messages))}


def test_reward_methods_of_a_task_class_are_summed_by_their_weights() -> None:
    (value,) = measured_now(adapt(Task), [(RIGHT, CASE)])
    assert value.value == 2.0 * 1.0 + 0.5 * (1.0 + 2.0)
    assert dict(value.parts) == {"correct": 1.0, "turns": 1.0, "roles": 2.0}


# -- verl, OpenEnv, ART, DSPy, evaluators, ours ------------------------------------------------------------------------


def compute_score(data_source, solution_str, ground_truth, extra_info=None):
    assert data_source
    assert extra_info["index"] == CASE.id
    return {"score": 1.0 if ground_truth in solution_str else 0.0, "acc": True, "note": "text"}


def test_verl_scores_are_numbers_or_mappings_with_parts() -> None:
    assert both(compute_score) == [1.0, 0.0]
    (value,) = measured_now(adapt(compute_score), [(RIGHT, CASE)])
    assert dict(value.parts) == {"acc": 1.0}

    def several(data_sources, solution_strs, ground_truths, extra_infos):
        return [float(t in s) for s, t in zip(solution_strs, ground_truths, strict=True)]

    assert both(several) == [1.0, 0.0]


class Env:
    def __init__(self):
        self.steps = []

    def reset(self):
        self.steps = []

    def forward(self, action, observation):
        self.steps.append((action.content, observation.done))
        return 1.0 if observation.done and observation.metadata["answer"] in action.content else 0.0

    def __call__(self, action, observation):
        return self.forward(action, observation)


def test_openenv_rubrics_see_every_step_and_answer_on_the_last() -> None:
    rubric = Env()
    run = make_trajectory("It is 42.", calls=[("calculate", {"q": "6*7"}, "42")])
    (value,) = measured_now(adapt(rubric), [(run, CASE)])
    assert value.value == 1.0
    assert [done for _, done in rubric.steps] == [False, True]
    assert both(rubric) == [1.0, 0.0]


async def art_group(group):
    for one in group:
        one.reward = 1.0 if "42" in one.messages()[-1]["content"] else 0.0
    return group


def art_single(trajectory):
    return 1.0 if "42" in trajectory.messages()[-1]["content"] else 0.0


def test_art_functions_score_a_group_or_one_trajectory() -> None:
    assert (adapt(art_group).interface, adapt(art_group).group) == ("art", True)
    assert both(art_group) == [1.0, 0.0]
    assert both(art_single) == [1.0, 0.0]


def dspy_metric(example, pred, trace=None):
    return example.answer in pred.answer


def gepa_metric(gold, pred, trace, pred_name, pred_trace):
    return SimpleNamespace(score=float(gold.answer in pred.answer), feedback="look again")


def test_dspy_metrics_give_bools_numbers_or_a_score_with_feedback() -> None:
    assert both(dspy_metric) == [1.0, 0.0]
    assert both(gepa_metric) == [1.0, 0.0]
    assert adapt(lambda gold, pred: 1.0).keywords is False, "an optimizer would send it a trace"


def test_an_evaluator_is_a_reward_and_one_that_cannot_judge_is_not_zero() -> None:
    assert both(Contains(texts=["42"])) == [1.0, 0.0]
    (left_out,) = measured_now(adapt(Contains()), [(RIGHT, make_case())])
    assert (left_out.value, left_out.error) == (None, None)


class Ours:
    name = "ours"

    async def reward(self, trajectory: Any, case: Any) -> float:
        return 1.0 if case.expected.answer in trajectory.answer else 0.0


def test_our_own_contract_passes_through_also_as_a_plain_function() -> None:
    assert both(Ours()) == [1.0, 0.0]
    assert adapt(Ours()).name == "ours"

    def plain(trajectory, case):
        return 0.5

    assert both(plain) == [0.5, 0.5]
    check_reward(adapt(trl_async, name="any"))


def test_a_reward_that_explains_itself_keeps_its_parts() -> None:
    class Explained(Ours):
        def explained(self, trajectory: Any, case: Any) -> RewardValue:
            return RewardValue(name="ours", value=0.75, parts={"base": 1.0, "minimality": 0.75})

    for reward in (Explained(), adapt(Explained())):
        value = asyncio.run(measured(reward, RIGHT, CASE))
        assert (value.value, dict(value.parts)) == (0.75, {"base": 1.0, "minimality": 0.75})
    assert adapt(Explained()).reward(RIGHT, CASE) == 0.75


def test_partials_methods_and_weights_of_other_libraries_keep_their_form() -> None:
    def weighted(completions, scale, **kwargs):
        return [scale for _ in completions]

    assert both(functools.partial(weighted, scale=0.25)) == [0.25, 0.25]
    assert both(TrlCallable().__call__) == [1.0, 0.0]


def test_what_is_no_reward_is_answered_with_what_it_is_and_the_forms_there_are() -> None:
    def odd(x, y, z):
        return 0

    with pytest.raises(UsageError, match=r"its parameters are \(x, y, z\)\. Forms: .*TRL.*verl.*DSPy"):
        adapt(odd)
    with pytest.raises(UsageError, match="it is a int, which cannot be called"):
        adapt(3)

    class Needs:
        def __init__(self, model):
            pass

    with pytest.raises(UsageError, match="making one without arguments raised TypeError"):
        adapt(Needs)


def test_the_interface_can_be_said_where_the_signature_would_be_read_wrongly() -> None:
    def plural(completions, answers, **kwargs):
        return [float(len(completions))] * len(completions)

    assert adapt(plural).interface == "trl"
    assert adapt(plural, interface="verifiers").interface == "verifiers"
    with pytest.raises(UsageError, match=r"interface must be one of .*trl"):
        adapt(plural, interface="tlr")


def test_declarations_travel_with_the_function_and_are_checked() -> None:
    @declare(bounded=(0, 1))
    def promised(completions, **kwargs):
        return [0.0]

    assert inspect.isfunction(promised)
    assert adapt(promised).declared.bounded == (0, 1)
    assert adapt(promised, bounded=(-1, 1)).declared.bounded == (-1, 1)
    for wrong, said in (
        ({"bounded": (1, 0)}, "lower number"),
        ({"bounded": 3}, "two numbers"),
        ({"bound": (0, 1)}, "did you mean 'bounded'"),
        ({"monotone_in": 4}, "column's name"),
        ({"order_free": "yes"}, "True or False"),
        ({"without": "bounded"}, "list of the names"),
    ):
        with pytest.raises(UsageError, match=said):
            adapt(promised, **wrong)
