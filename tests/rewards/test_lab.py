"""The lab: an honest reward passes every check; each famous mistake is flagged, by its name, and so are their kin."""

from __future__ import annotations

import asyncio
import math
import random
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.rewards import airline, honest, mistakes
from harness.core.errors import UsageError
from harness.datasets import load_dataset
from harness.rewards import (
    CONFORMANCE,
    PROPERTIES,
    Bench,
    CheckReward,
    Finding,
    SampleAgent,
    adapt,
    declare,
    do_nothing_tasks,
    lab_cases,
    samples_of,
)
from harness.rewards.properties import advantages_of
from harness.rewards.rewrites import comments, key_order, renamed_locals, whitespace
from harness.strategies import code_edits, json_objects
from harness.testing import make_case, make_trajectory, score

ANSWERS = tuple(load_dataset("golden_datasets/rewards_answers"))


def found(reward: Any, **declared: Any) -> dict[str, Finding]:
    bench = Bench(adapt(reward, **declared))
    return {name: check(bench) for name, check in {**CONFORMANCE, **PROPERTIES}.items()}


def flagged(reward: Any, **declared: Any) -> set[str]:
    return {name for name, finding in found(reward, **declared).items() if finding.ok is False}


def test_an_honest_reward_keeps_everything_on_its_own_samples_and_on_the_probes() -> None:
    assert flagged(honest.honest_answer, samples=ANSWERS) == set()
    assert flagged(honest.honest_answer, samples=None) == set()


def test_the_honest_reward_gives_every_labelled_completion_its_label() -> None:
    bench = Bench(adapt(honest.honest_answer, samples=ANSWERS))
    assert len(bench.samples.samples) >= 50
    assert bench.numbers == [sample.label for sample in bench.samples.samples]


def test_an_empty_think_block_that_earns_the_reward_is_flagged() -> None:
    finding = found(mistakes.empty_think)["empty_shell_at_floor"]
    assert finding.ok is False
    assert "an empty think block earns 1 (as much as the best known completion)" in finding.reason


def test_a_reward_that_is_the_length_of_the_answer_is_flagged() -> None:
    every = found(mistakes.answer_length)
    assert "the reward is the answer's length" in every["length_is_not_the_reward"].reason
    assert "the reward is the answer's length" in every["padding_never_raises"].reason
    assert every["repetition_never_raises"].ok is False


def test_a_rubric_that_turns_a_crash_into_zero_is_flagged_and_nothing_else_of_it_is() -> None:
    assert flagged(mistakes.crash_to_zero) == {"crash_is_an_error"}
    assert "a crash becomes a number" in found(mistakes.crash_to_zero)["crash_is_an_error"].reason


def test_tasks_in_which_doing_nothing_earns_everything_are_found() -> None:
    desk = tuple(load_dataset("fixtures/rewards/refund_desk.jsonl"))
    finding = found(mistakes.end_state, samples=desk)["doing_nothing_earns_nothing"]
    assert finding.ok is False
    assert finding.evidence[0]["tasks"] == ["desk-2", "desk-4", "desk-6", "desk-8"]


@pytest.mark.skipif(not airline.data_file().is_file(), reason=f"{airline.data_file()} is not here")
def test_nineteen_of_the_fifty_airline_tasks_of_tau_bench_pay_for_doing_nothing() -> None:
    bench = Bench(adapt(airline.airline_reward))
    tasks, of = do_nothing_tasks(bench)
    assert (len(tasks), of) == (19, 50)
    assert tasks[:3] == ["airline-12", "airline-13", "airline-15"]


# -- one small reward per check, each wrong in one way -----------------------------------------------------------------


def right(text: Any, answer: str) -> bool:
    said = honest.final_answer(text if isinstance(text, str) else text[-1]["content"])
    return said is not None and honest.normal(said) == honest.normal(answer)


def narrow(prompts, completions, completion_ids, answer):
    return [float(right(c, a)) for c, a in zip(completions, answer, strict=True)]


class Locked:
    def __init__(self):
        self.lock = threading.Lock()

    def __call__(self, completions, answer, **kwargs):
        return [float(right(c, a)) for c, a in zip(completions, answer, strict=True)]


class Shared:
    """Keeps what it works on in itself, where another thread finds it."""

    def __call__(self, completion, answer):
        self.text = completion
        threading.Event().wait(0.0005)
        return float(right(self.text, answer))


def batchy(completions, answer, **kwargs):
    base = [float(right(c, a)) for c, a in zip(completions, answer, strict=True)]
    return [value / len(base) for value in base]


def short(completions, answer, **kwargs):
    return [float(right(c, a)) for c, a in zip(completions, answer, strict=True)][:1]


def breaks(completions, answer, **kwargs):
    return [float(right(c, a)) / len(c.strip()) for c, a in zip(completions, answer, strict=True)]


def meddles(completions, answer, **kwargs):
    given = [float(right(c, a)) for c, a in zip(completions, answer, strict=True)]
    completions.clear()
    return given


def dices(completions, answer, **kwargs):
    return [float(right(c, a)) + random.random() for c, a in zip(completions, answer, strict=True)]


def swallows(data_source, solution_str, ground_truth, extra_info=None):
    try:
        return float(right(solution_str, ground_truth))
    except Exception:  # noqa: BLE001 - this is the mistake
        return 0.0


def high(completions, answer, **kwargs):
    return [2.0 * right(c, a) for c, a in zip(completions, answer, strict=True)]


def upside_down(completions, answer, **kwargs):
    return [float(not right(c, a)) for c, a in zip(completions, answer, strict=True)]


def polite(completions, answer, **kwargs):
    return [float(right(c, a)) or 0.1 * ("sorry" in c) for c, a in zip(completions, answer, strict=True)]


def echoes(prompts, completions, answer, **kwargs):
    return [float(right(c, a)) or 0.1 * (p in c) for p, c, a in zip(prompts, completions, answer, strict=True)]


def loves_boxes(completions, answer, **kwargs):
    return [
        0.5 * right(c, a) + 0.6 * ("boxed" in c) * (not right(c, a)) for c, a in zip(completions, answer, strict=True)
    ]


def strict_blanks(completions, answer, **kwargs):
    return [float(right(c, a) and not c.startswith("\n")) for c, a in zip(completions, answer, strict=True)]


def repeats(completions, answer, **kwargs):
    return [float(right(c, a)) + 0.01 * c.count("The answer") for c, a in zip(completions, answer, strict=True)]


@pytest.mark.parametrize(
    ("reward", "check"),
    [
        (narrow, "keyword_tolerance"),
        (Locked(), "picklable"),
        (lambda completions, answer, **kw: [0.0 for _ in completions], "picklable"),
        (Shared(), "thread_safe"),
        (batchy, "batch_equals_items"),
        (short, "length_kept"),
        (breaks, "finite_or_none"),
        (meddles, "inputs_untouched"),
        (dices, "deterministic"),
        (swallows, "crash_is_an_error"),
        (declare(bounded=(0, 1))(high), "bounded"),
        (upside_down, "correct_above_wrong"),
        (polite, "refusal_at_floor"),
        (echoes, "echo_at_floor"),
        (loves_boxes, "format_never_beats_content"),
        (strict_blanks, "whitespace_changes_nothing"),
        (repeats, "repetition_never_raises"),
    ],
)
def test_each_check_flags_a_reward_that_is_wrong_in_just_that_way(reward: Any, check: str) -> None:
    finding = found(reward)[check]
    assert finding.ok is False, finding
    assert len(finding.reason) < 1_000


def test_monotone_columns_and_features_are_followed_or_flagged() -> None:
    def rising(completions, tests_passed, **kwargs):
        return [min(1.0, passed / 10) for passed in tests_passed]

    def falling(completions, tests_passed, **kwargs):
        return [-passed for passed in tests_passed]

    every = found(rising, monotone_in="tests_passed")
    assert every["monotone_in"].ok is True, every["monotone_in"]
    finding = found(falling, monotone_in="tests_passed")["monotone_in"]
    assert finding.ok is False
    assert "tests_passed grows" in finding.reason
    by_length = found(mistakes.answer_length, monotone_in=lambda t, c: -len(t.answer or ""))["monotone_in"]
    assert by_length.ok is False


def test_an_order_dependent_group_reward_is_flagged_where_order_free_is_declared() -> None:
    def first_wins(completions, answers):
        return [1.0 if index == 0 else 0.0 for index in range(len(completions))]

    assert found(first_wins, order_free=True)["order_free"].ok is False


def test_code_answers_are_rewritten_and_a_reward_that_reads_names_is_flagged() -> None:
    def by_name(completions, **columns):
        return [1.0 if "total" in text else 0.0 for text in completions]

    code = "```python\ndef solve(a, b):\n    total = a + b\n    return total\n```"
    worse = code.replace("total", "other")
    samples = [
        make_case(id=name, input={"prompt": "Add.", "completion": text}, answer="x", custom={"reward": label})
        for name, text, label in (("good", code, 1), ("bad", worse, 0))
    ]
    every = found(by_name, samples=samples)
    assert every["renamed_locals_changes_nothing"].ok is False
    assert every["comments_changes_nothing"].ok is True


# -- laws --------------------------------------------------------------------------------------------------------------


@given(st.lists(st.one_of(st.none(), st.floats(-1e300, 1e300)), max_size=12))
def test_group_advantages_sum_to_zero_and_leave_none_out(rewards: list[float | None]) -> None:
    got = advantages_of(rewards)
    known = [value for value in got if value is not None]
    assert [value is None for value in got] == [value is None for value in rewards]
    assert all(map(math.isfinite, known))
    assert abs(sum(known)) <= 1e-6 * max(1, len(known))
    without = [value for value in rewards if value is not None]
    assert [value for value in got if value is not None] == advantages_of(without)


@given(code_edits())
def test_rewrites_of_code_keep_what_it_does(edit: Any) -> None:
    def answers(code: str) -> list[int]:
        space: dict[str, Any] = {}
        exec(code, space)
        return [space["solve"](a, b) for a, b in ((0, 0), (3, 50), (-7, 99))]

    for rewrite in (comments, renamed_locals):
        changed = rewrite(edit.before)
        assert changed is not None
        assert changed != edit.before
        assert answers(changed) == answers(edit.before)
    assert (answers(edit.before) == answers(edit.after)) or not edit.same_behaviour


@given(json_objects(), st.text())
def test_keys_turned_twice_are_as_before_and_whitespace_only_adds_blanks(value: dict[str, Any], text: str) -> None:
    import json

    turned = key_order(json.dumps(value))
    assert turned is None or json.loads(turned) == value
    spaced = whitespace(text)
    assert spaced is None or spaced.split() == text.split()


# -- as golden cases ---------------------------------------------------------------------------------------------------


def test_every_check_is_a_case_with_a_sentence_that_says_what_it_asks() -> None:
    for kind in ("conformance", "properties", "exploits", "mutants"):
        cases = lab_cases(kind)
        assert len({case.id for case in cases}) == len(cases) > 5
        assert all(case.input.endswith(".") for case in cases), [case.input for case in cases]
    with pytest.raises(UsageError, match="kinds: conformance"):
        lab_cases("conformity")


def test_the_evaluator_says_what_it_saw_and_keeps_left_out_apart_from_not_measured() -> None:
    judge = CheckReward(mistakes.empty_think)
    by_id = {case.id: case for kind in ("conformance", "properties", "exploits") for case in lab_cases(kind)}
    shell = score(judge, make_trajectory(), by_id["empty_shell_at_floor"])
    assert (shell.value, shell.passed, shell.name) == (0.0, False, "property")
    gap = score(judge, make_trajectory(), by_id["format_shells"])
    assert (gap.value, gap.passed, gap.direction) == (1.0, False, "lower")
    assert gap.evidence["cheat"]["after"] == 1.0
    quiet = score(judge, make_trajectory(), by_id["monotone_in"])
    assert (quiet.measured, quiet.expected_nothing) == (False, True)
    left_out = score(
        CheckReward(adapt(mistakes.empty_think, without=("bounded",))), make_trajectory(), by_id["bounded"]
    )
    assert "left out by its author" in left_out.reason
    with pytest.raises(UsageError, match="names no check"):
        score(judge, make_trajectory(), make_case())


def test_samples_are_read_from_golden_cases_and_played_by_their_agent() -> None:
    plain = make_case(id="a", input={"prompt": "2+2?", "completion": "4"}, answer="4", custom={"reward": 1})
    chat = make_case(
        id="b",
        input={"prompt": [{"role": "user", "content": "2+2?"}], "completion": [{"role": "assistant", "content": "5"}]},
    )
    bare = make_case(id="c", input="2+3?")
    samples = samples_of([plain, chat, bare])
    assert [(s.trajectory.answer, s.label) for s in samples.samples] == [("4", 1.0), ("5", None)]
    assert [case.text for case in samples.tasks] == ["2+2?", "2+2?", "2+3?"]
    agent: Any = SampleAgent()
    assert asyncio.run(agent.run(plain, None)).answer == "4"
    assert asyncio.run(agent.run(bare, None)).answer is None
    with pytest.raises(UsageError, match="must be a number"):
        samples_of([make_case(input={"prompt": "x", "completion": "y"}, custom={"reward": "high"})])
    with pytest.raises(UsageError, match="case 'case': a completion is a text"):
        samples_of([make_case(input={"prompt": "x", "completion": 3})])
