"""The public surface is a list somebody keeps: sorted, complete, and nothing leaks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import harness
import harness.evaluators

ROOT = Path(__file__).resolve().parents[1]


def test_the_list_is_sorted_and_has_nothing_twice() -> None:
    assert list(harness.__all__) == sorted(set(harness.__all__))


@pytest.mark.parametrize("name", harness.__all__)
def test_every_public_name_resolves_to_something_of_ours(name: str) -> None:
    found = getattr(harness, name)
    assert found.__module__.startswith("harness."), f"{name} comes from {found.__module__}"
    assert found.__doc__, f"{name} says what it is"


@pytest.mark.parametrize("name", harness.evaluators.__all__)
def test_every_evaluator_of_the_shelf_resolves(name: str) -> None:
    assert getattr(harness.evaluators, name).__doc__


def test_nothing_else_is_public_and_dir_shows_all_of_it() -> None:
    code = "import harness, json; print(json.dumps([n for n in vars(harness) if not n.startswith('_')]))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    # "annotations" is what the __future__ import leaves behind.
    assert set(json.loads(run.stdout)) <= {"annotations", "TYPE_CHECKING", "Any"}
    assert set(harness.__all__) <= set(dir(harness))


def test_a_name_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'Trajektory'.*Trajectory"):
        harness.Trajektory  # noqa: B018


def test_what_type_checkers_see_is_what_there_is() -> None:
    source = (ROOT / "harness" / "__init__.py").read_text()
    seen = {line.split(" as ")[-1] for line in source.splitlines() if line.startswith("    from harness.")}
    assert seen == set(harness.__all__)
