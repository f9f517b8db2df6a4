"""The shelf itself: every name is there, loads late, and drags nothing heavy in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import harness.rewards as shelf

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", shelf.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(shelf, name).__doc__
    assert name in dir(shelf)


def test_no_module_of_the_shelf_hides_a_public_name() -> None:
    # Once a module `guarded` was imported, `from harness.rewards import guarded` would give it, not the function.
    modules = {path.stem for path in (ROOT / "harness" / "rewards").iterdir()}
    assert modules.isdisjoint(shelf.__all__)


def test_a_name_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(AttributeError, match="measured"):
        shelf.measurd  # noqa: B018


def test_no_reward_imports_anything_heavy_before_it_is_used() -> None:
    script = (
        "import sys, harness.rewards as g\n"
        "assert not [m for m in sys.modules if m.startswith('harness.rewards.')]\n"
        "[getattr(g, name) for name in g.__all__]\n"
        "heavy = {'numpy', 'scipy', 'pandas', 'aiohttp', 'redis', 'regopy', 'jinja2', 'jsonschema', 'yaml'}\n"
        "found = heavy & set(sys.modules)\n"
        "assert not found, found\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)
