"""What holds for every evaluator of the shelf."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import harness.evaluators as shelf
from harness.core.contracts import Evaluator
from harness.core.errors import Failure
from harness.core.score import Score
from harness.testing import check_evaluator, make_case, make_trajectory, score

ROOM = Path(shelf.__file__).parent
# Wraps a metric of a library that need not be installed: made by deepeval_metric(...), held by test_deepeval.py.
WRAPS = {"DeepEvalMetric"}


def classes_with_evaluate() -> list[str]:
    found = []
    for path in sorted(ROOM.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if (
                isinstance(node, ast.ClassDef)
                and node.name not in WRAPS
                and any(
                    isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and item.name == "evaluate"
                    for item in node.body
                )
            ):
                found.append(node.name)
    return found


EVALUATORS = classes_with_evaluate()


def test_every_class_that_evaluates_is_exported() -> None:
    assert EVALUATORS, "the shelf is empty"
    assert set(EVALUATORS) <= set(shelf.__all__)


def test_every_exported_name_can_be_had() -> None:
    for name in shelf.__all__:
        assert getattr(shelf, name).__name__ == name
    assert set(shelf.__all__) <= set(dir(shelf))


def test_an_unknown_name_is_refused_with_those_that_exist() -> None:
    with pytest.raises(AttributeError, match="Contains"):
        shelf.Contian  # noqa: B018


@pytest.mark.parametrize("name", EVALUATORS)
def test_every_evaluator_keeps_the_contract(name: str) -> None:
    check_evaluator(getattr(shelf, name)())


@pytest.mark.parametrize("name", EVALUATORS)
def test_every_evaluator_is_frozen_versioned_and_named_apart(name: str) -> None:
    kind = getattr(shelf, name)
    made = kind()
    assert isinstance(made, Evaluator)
    assert kind.__dataclass_params__.frozen
    assert made.version
    assert [getattr(shelf, other)().name for other in EVALUATORS].count(made.name) == 1
    assert all(p.kind is p.KEYWORD_ONLY for p in inspect.signature(kind).parameters.values())


@pytest.mark.parametrize("name", EVALUATORS)
def test_a_score_carries_the_version_of_its_evaluator(name: str) -> None:
    made = getattr(shelf, name)(version="7")
    for case in (make_case(), make_case(contains="x", answer="y", tool_calls=[], state=1, max_steps=1)):
        for trajectory in (make_trajectory(calls=[("a", {}, "Error")]), make_trajectory(messages=[])):
            assert score(made, trajectory, case).version == "7"


def test_a_run_that_broke_off_is_never_judged_right() -> None:
    broke = Failure(kind="provider", message="connection lost", type="ProviderBroken")
    case = make_case(
        answer="Done.", contains="Done", not_contains="secret", pattern="Done", tool_calls=[], forbidden_tools=["x"]
    )
    trajectory = make_trajectory("Done.", error=broke, metadata={"reward": 1.0})
    for name in EVALUATORS:
        got = score(getattr(shelf, name)(), trajectory, case)
        assert got.passed is None, f"{name}: {got}"


def test_importing_the_room_imports_no_evaluator_and_no_third_party() -> None:
    code = (
        "import sys; before = set(sys.modules);"
        "import harness.evaluators, harness.datasets, harness.datasets.importers;"
        "new = {m.partition('.')[0] for m in set(sys.modules) - before};"
        "new -= set(sys.stdlib_module_names) | {'harness'};"
        "assert not new, new;"
        "assert 'harness.evaluators.contains' not in sys.modules"
    )
    subprocess.run([sys.executable, "-S", "-c", code], check=True, cwd=ROOM.parents[1])


def test_check_evaluator_notices_an_evaluator_that_scores_a_run_that_never_started() -> None:
    class Zero:
        name = "zero"

        def evaluate(self, trajectory: object, case: object) -> Score:
            return Score.passed_if("zero", False, "no")

    with pytest.raises(AssertionError, match="not measured"):
        check_evaluator(Zero())


def test_check_evaluator_notices_an_evaluator_that_raises() -> None:
    class Raises:
        name = "raises"

        def evaluate(self, trajectory: object, case: object) -> Score:
            raise KeyError("answer")

    with pytest.raises(AssertionError, match="raised KeyError"):
        check_evaluator(Raises())


def test_check_evaluator_notices_chance() -> None:
    class Moody:
        name = "moody"
        mood = 0.0

        async def evaluate(self, trajectory: object, case: object) -> Score:
            self.mood += 1
            return Score.of("moody", self.mood, "who knows")

    with pytest.raises(AssertionError, match="two scores"):
        check_evaluator(Moody())


def test_check_evaluator_notices_a_changed_trajectory() -> None:
    class Meddler:
        name = "meddler"

        def evaluate(self, trajectory, case) -> Score:  # type: ignore[no-untyped-def]
            trajectory.metadata["seen"] = True
            return Score.of("meddler", 1, "fine")

    with pytest.raises(AssertionError, match="was changed"):
        check_evaluator(Meddler())
