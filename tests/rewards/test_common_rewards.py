"""Honest rewards in the shapes that people really write are not flagged, and their usual slips are."""

from __future__ import annotations

import re
from typing import Any

import pytest

from harness.rewards import CONFORMANCE, PROPERTIES, Bench, adapt, fuzz


def gsm8k_strict(data_source, solution_str, ground_truth, extra_info=None):
    """The number after four hashes, if there is exactly one."""
    found = re.findall(r"#### (-?[0-9.,]+)", solution_str)
    return 1.0 if len(found) == 1 and found[0].rstrip(".").replace(",", "") == ground_truth else 0.0


def boxed(completions, ground_truth, **kwargs):
    """Chat messages, one box, compared as text."""
    found = [re.findall(r"\\boxed\{([^{}]*)\}", turns[-1]["content"]) for turns in completions]
    return [1.0 if one == [truth] else 0.0 for one, truth in zip(found, ground_truth, strict=True)]


def exact(example, pred, trace=None):
    """The whole answer, nothing else."""
    return pred.answer.strip().lower() == example.answer.strip().lower()


async def judged(prompt, completion, answer, state):
    """A group-free Rubric function that takes the answer tag."""
    text = completion[-1]["content"]
    tags = re.findall(r"<answer>(.*?)</answer>", text, re.S)
    return 1.0 if len(tags) == 1 and tags[0].strip() == answer else 0.0


class Step:
    """An environment's rubric, on the final action."""

    def forward(self, action, observation):
        said = re.findall(r"[Tt]he answer is ([^.\n]+)\.", action.content)
        return 1.0 if [one.strip() for one in said] == [observation.answer] else 0.0

    def __call__(self, action, observation):
        return self.forward(action, observation)


HONEST = [gsm8k_strict, boxed, exact, judged, Step()]


@pytest.mark.parametrize("reward", HONEST, ids=lambda reward: getattr(reward, "__name__", "openenv"))
def test_an_honest_reward_of_any_interface_is_not_flagged_and_cannot_be_cheated(reward: Any) -> None:
    bench = Bench(adapt(reward))
    checks = {**CONFORMANCE, **PROPERTIES}
    assert {name: found.reason for name, check in checks.items() if (found := check(bench)).ok is False} == {}
    assert fuzz(bench, budget=300).gap == 0.0


def test_a_reward_for_numbers_is_not_blamed_for_words() -> None:
    bench = Bench(adapt(gsm8k_strict))
    assert bench.samples.named == "hashes, numbers only"
    assert bench.separates == (8, 8)


def first_box(completions, ground_truth, **kwargs):
    found = [re.search(r"\\boxed\{(.*?)\}", text) for text in completions]
    return [1.0 if one and one.group(1) == truth else 0.0 for one, truth in zip(found, ground_truth, strict=True)]


def any_box(completions, ground_truth, **kwargs):
    found = [re.findall(r"\\boxed\{(.*?)\}", text) for text in completions]
    return [1.0 if truth in one else 0.0 for one, truth in zip(found, ground_truth, strict=True)]


def words_in_common(completions, answer, prompts, **kwargs):
    pairs = zip(completions, prompts, strict=True)
    return [len(set(text.split()) & set(asked.split())) / len(asked.split()) for text, asked in pairs]


def keyword(completions, answer, **kwargs):
    return [
        0.5 * (right in text) + 0.5 * ("verified" in text.lower())
        for text, right in zip(completions, answer, strict=True)
    ]


@pytest.mark.parametrize(
    ("reward", "family"),
    [(any_box, "naming every answer"), (words_in_common, "rubric words"), (keyword, "rubric words")],
)
def test_usual_slips_are_cheated(reward: Any, family: str) -> None:
    report = fuzz(Bench(adapt(reward, bounded=(0, 1))), families=[family], budget=200)
    assert report.gap > 0.05


def test_reading_the_first_box_is_not_a_slip_that_these_edits_can_use() -> None:
    assert fuzz(Bench(adapt(first_box)), budget=300).gap == 0.0
