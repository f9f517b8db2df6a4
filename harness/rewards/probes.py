"""Probes: small tasks with a right and an equally long wrong answer, in every form in which answers are written.

A reward function whose author gave no samples is tried on these. Which form it understands is found out: the one in
which it tells most right answers from wrong ones (:func:`choose`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from harness.core.case import Case, Expectation
from harness.rewards.samples import Sample, Samples, completed

TASKS: tuple[tuple[str, str, str, str], ...] = (
    ("A box holds 17 pens. How many pens are in 6 such boxes?", "There are 6 boxes of 17 pens.", "102", "112"),
    ("A train leaves at 9:40 and arrives at 11:05. How many minutes does it take?", "Count from 9:40 on.", "85", "75"),
    ("What is 1024 divided by 32?", "Divide 1024 by 32.", "32", "34"),
    ("A rectangle is 13 cm long and 9 cm wide. What is its area in square cm?", "Length times width.", "117", "127"),
    ("Mia has 250 euros and spends 87 euros. How many euros are left?", "Take what she spent away.", "163", "153"),
    ("How many days are in 14 weeks?", "A week has seven days.", "98", "96"),
    ("What is the sum of the first 12 odd numbers?", "The first odd numbers add up to a square.", "144", "132"),
    ("A shirt costs 60 dollars after a discount of 25 percent. What was its price in dollars?", "60 is what is left "
     "of the price.", "80", "75"),
    ("Which of these is a mammal: trout, whale, or gecko?", "One of the three feeds its young with milk.", "whale",
     "gecko"),
    ("Which planet is larger, Venus or Earth?", "Compare the two radii.", "Earth", "Venus"),
    ("What is the chemical symbol of gold: Ag or Au?", "The symbol comes from the Latin name.", "Au", "Ag"),
    ("Which river flows through Paris: Rhone or Seine?", "Think of the bridges of the city.", "Seine", "Rhone"),
)  # fmt: skip
"""(question, a neutral remark, right answer, wrong answer of the same length)."""


def _plain(remark: str, answer: str) -> str:
    return f"{remark} The answer is {answer}."


def _bare(remark: str, answer: str) -> str:
    return answer


def _tags(remark: str, answer: str) -> str:
    return f"<think>\n{remark}\n</think>\n<answer>\n{answer}\n</answer>"


def _tight_tags(remark: str, answer: str) -> str:
    return f"<think>{remark}</think><answer>{answer}</answer>"


def _think(remark: str, answer: str) -> str:
    return f"<think>\n{remark}\n</think>\n{answer}"


def _boxed(remark: str, answer: str) -> str:
    return f"{remark} The answer is \\boxed{{{answer}}}."


def _hashes(remark: str, answer: str) -> str:
    return f"{remark}\n#### {answer}"


def _json(remark: str, answer: str) -> str:
    return json.dumps({"reasoning": remark, "answer": answer})


DIALECTS: Mapping[str, Callable[[str, str], str]] = {
    "plain": _plain,
    "bare": _bare,
    "think and answer tags": _tags,
    "tags without line breaks": _tight_tags,
    "think tags": _think,
    "boxed": _boxed,
    "hashes": _hashes,
    "JSON": _json,
}
"""The forms in which an answer is written."""


def probe_cases() -> tuple[Case, ...]:
    """The tasks as cases; ``expected.answer`` is the right answer."""
    return tuple(
        Case(
            id=f"probe-{index:02d}",
            input=question,
            expected=Expectation(answer=right, custom={"ground_truth": right}),
            metadata={"data_source": "harness/probes"},
        )
        for index, (question, _, right, _) in enumerate(TASKS)
    )


KINDS: Mapping[str, tuple[int, ...]] = {
    "": tuple(range(len(TASKS))),
    "numbers": tuple(i for i, task in enumerate(TASKS) if task[2].isdigit()),
    "words": tuple(i for i, task in enumerate(TASKS) if not task[2].isdigit()),
}
"""Which tasks: all of them, those with a number as answer, those with a word. Many rewards read only numbers."""


def probes(dialect: str, kind: str = "") -> Samples:
    """Right (label 1) and wrong (label 0) completions of the tasks of a kind in one form."""
    write = DIALECTS[dialect]
    samples = []
    cases = probe_cases()
    for index in KINDS[kind]:
        case, (question, remark, right, wrong) = cases[index], TASKS[index]
        for label, answer in ((1.0, right), (0.0, wrong)):
            samples.append(
                Sample(
                    case=case,
                    trajectory=completed(question, write(remark, answer)),
                    label=label,
                    task=case.id,
                    what=f"{'right' if label else 'wrong'} answer, {dialect}",
                )
            )
    chosen = tuple(cases[index] for index in KINDS[kind])
    return Samples(samples=tuple(samples), tasks=chosen, named=dialect + (f", {kind} only" if kind else ""))


def choose(values: Mapping[str, Sequence[tuple[float | None, float | None]]]) -> tuple[str, str]:
    """The form that a reward understands best, and the kind of tasks that it is for.

    A reward that separates tasks with numbers and not one with words (or the other way round) is for those; anything
    in between is for all tasks, so that what it gets wrong is seen.

    :param values: for every form, (reward of the right answer, reward of the wrong one) by task.
    """

    def separated(name: str, kind: str = "") -> int:
        pairs = [values[name][index] for index in KINDS[kind]]
        return sum(1 for right, wrong in pairs if right is not None and wrong is not None and right > wrong)

    def height(name: str) -> float:
        known = [right for right, _ in values[name] if right is not None]
        return sum(known) / len(known) if known else float("-inf")

    best = max(values, key=lambda name: (separated(name), height(name)))
    numbers, words = separated(best, "numbers"), separated(best, "words")
    return best, "numbers" if numbers and not words else "words" if words and not numbers else ""
