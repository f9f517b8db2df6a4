"""The mutator breaks a reward in every stated way, in process, and its report tells what nobody noticed."""

from __future__ import annotations

import ast
import asyncio
import functools
from pathlib import Path
from typing import Any

import pytest

from fixtures.rewards import honest
from harness.core.errors import UsageError
from harness.datasets import load_dataset
from harness.rewards import adapt, measured_now, mutate, mutation_report
from harness.rewards.mutator_changes import OPERATORS, changes
from harness.testing import make_case, make_trajectory

WEIGHT = 0.5


def helper(text: str) -> float:
    return min(1.0, len(text) / 100)


def clamped(completions, answer, **kwargs):
    """Every kind of thing that can be broken.

    A docstring with 1 == 1 in it is no code.
    """
    rewards = []
    for text, right in zip(completions, answer, strict=True):
        if right is None:
            raise ValueError("no reference")
        base = 1.0 if right in text and not text.endswith("!") else 0.0
        rewards.append(max(0.0, base - WEIGHT * helper(text)))
    return rewards


class Weighted:
    scale = 2

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def part(self, completion: str) -> float:
        return self.weight * len(completion)

    def __call__(self, completion: str, answer: str) -> float:
        return min(1.0, self.part(completion))


def closing_over(limit: int) -> Any:
    def inner(completion, answer):
        return 1.0 if len(completion) < limit else 0.0

    return inner


def call(reward: Any, text: str = "42") -> float | None:
    return measured_now(adapt(reward), [(make_trajectory(text), make_case(answer="42"))])[0].value


def test_every_kind_of_change_is_made_with_its_line_and_its_diff() -> None:
    mutants = mutate(clamped)
    assert {mutant.operator for mutant in mutants} == set(OPERATORS)
    source = Path(__file__).read_text().splitlines()
    for mutant in mutants:
        assert Path(mutant.file) == Path(__file__)
        assert mutant.diff.count("\n-") + mutant.diff.startswith("-") >= 1
        assert source[mutant.line - 1].strip()
    assert [m.what for m in mutants if m.operator == "dropped clamps"] == ["max(...) is dropped", "min(...) is dropped"]
    assert {m.function for m in mutants} == {"clamped", "helper"}


def test_a_mutant_behaves_differently_and_the_original_and_its_module_stay_as_they_are() -> None:
    before = (clamped(["42"], ["42"]), helper("x" * 500))
    results = set()
    for mutant in mutate(clamped):
        try:
            results.add(mutant.broken(["42"], ["42"])[0])
        except Exception as error:  # noqa: BLE001 - a mutant may break in any way
            results.add(type(error).__name__)
    assert len(results) > 5
    assert (clamped(["42"], ["42"]), helper("x" * 500)) == before
    dropped = next(m for m in mutate(clamped) if m.function == "helper" and m.operator == "dropped clamps")
    assert dropped.broken(["42" + "x" * 398], ["42"]) == [0.0]
    assert helper("x" * 500) == 1.0


def test_methods_closures_partials_and_coroutines_are_mutated_too() -> None:
    scored = Weighted(0.1)
    product = next(m for m in mutate(scored) if m.what == "a product is negated")
    assert call(product.broken) == pytest.approx(-0.1)
    assert call(scored) == pytest.approx(0.1)

    inner = closing_over(10)
    flipped = next(m for m in mutate(inner) if m.operator == "flipped comparisons")
    assert (call(inner), call(flipped.broken)) == (1.0, 0.0)

    partial = functools.partial(clamped)
    assert len(mutate(partial)) == len(mutate(clamped))

    async def later(completion, answer):
        await asyncio.sleep(0)
        return 1.0 if completion[-1]["content"] == answer else 0.0

    other = next(m for m in mutate(later) if m.operator == "flipped comparisons")
    assert (call(later), call(other.broken)) == (1.0, 0.0)


def test_what_has_no_source_is_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="define it with def in a module"):
        mutate(lambda completion, answer: 1.0)
    with pytest.raises(UsageError, match="not written in Python"):
        mutate(functools.partial(len))


def test_changes_leave_docstrings_annotations_and_defaults_alone() -> None:
    tree = ast.parse('def f(a: 1 = 2, *, b=3) -> 4:\n    """5 == 5"""\n    return a\n').body[0]
    assert isinstance(tree, ast.FunctionDef)
    assert list(changes(tree)) == []


def test_every_change_of_every_small_program_compiles() -> None:
    from hypothesis import given

    from harness.strategies import python_functions

    @given(python_functions())
    def check(code: str) -> None:
        node = ast.parse(code).body[0]
        assert isinstance(node, ast.FunctionDef)
        for change in changes(node):
            compile(ast.unparse(change.tree), "x", "exec")
            assert ast.unparse(change.tree) != ast.unparse(node)

    check()


def test_a_suite_that_looks_notices_and_one_that_does_not_lists_every_survivor() -> None:
    def careful(reward: Any) -> list[str]:
        good, bad = call(reward, "42"), call(reward, "41!")
        return [] if good == pytest.approx(0.99) and bad == 0.0 else ["the two known rewards"]

    report = mutation_report(clamped, careful)
    assert 0 < report.noticed < len(report.judged)
    blind = mutation_report(clamped, lambda reward: [])
    assert blind.noticed == 0
    assert len(blind.survivors) == len(report.judged)
    told = str(blind)
    assert told.startswith(f"your suite notices 0 of {len(report.judged)} broken rewards (clamped)")
    assert "survives: clamped, line" in told
    assert "+ " in told


def test_a_suite_of_assertions_counts_and_what_fails_already_hides_nothing() -> None:
    def asserting(reward: Any) -> list[str]:
        assert call(reward, "42") == pytest.approx(0.99), "wrong"
        return []

    assert mutation_report(clamped, asserting).noticed > 5
    always = mutation_report(clamped, lambda reward: ["known failure"])
    assert always.noticed == 0


def test_plain_test_functions_that_take_a_reward_are_a_suite_as_they_are() -> None:
    def test_right(reward):
        assert call(reward, "42") == pytest.approx(0.99)

    async def test_wrong(reward):
        assert call_in_thread(reward, "41!") == 0.0

    def call_in_thread(reward, text):
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(call, reward, text).result()

    report = mutation_report(clamped, [test_right, test_wrong])
    assert {one.noticed_by for one in report.judged} >= {"test_right", ""}
    with pytest.raises(UsageError, match=r"asks for \(reward, case\)"):
        mutation_report(clamped, [lambda reward, case: None])


def test_a_mutant_that_never_ends_is_noticed() -> None:
    def counting(completion, answer):
        left = 3
        while left > 0:
            left -= 1
        return 1.0

    report = mutation_report(counting, lambda reward: [] if call(reward) == 1.0 else ["value"], seconds=0.5)
    ended = {one.mutant.what: one.noticed_by for one in report.judged}
    assert ended["- becomes +"] == "it never ends"


def test_the_labs_own_checks_notice_most_of_what_is_broken_in_the_honest_reward() -> None:
    samples = tuple(load_dataset("golden_datasets/rewards_answers"))
    report = mutation_report(adapt(honest.honest_answer, samples=samples))
    assert report.noticed / len(report.judged) >= 0.8, str(report)
    with pytest.raises(UsageError, match="kinds: flipped comparisons"):
        mutation_report(clamped, operators=["flips"])
