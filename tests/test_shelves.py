"""The shelves: every public name is there, documented, loads late, and drags nothing heavy in."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHELVES = {name: importlib.import_module(f"harness.{name}") for name in ("guardrails", "rewards")}
HEAVY = {"aiohttp", "jinja2", "jsonschema", "numpy", "pandas", "redis", "regopy", "scipy", "tree_sitter", "yaml"}


@pytest.mark.parametrize(("shelf", "name"), [(shelf, name) for shelf in SHELVES for name in SHELVES[shelf].__all__])
def test_every_public_name_is_there_and_documented(shelf: str, name: str) -> None:
    assert getattr(SHELVES[shelf], name).__doc__
    assert name in dir(SHELVES[shelf])


@pytest.mark.parametrize("shelf", SHELVES)
def test_no_module_of_a_shelf_hides_a_public_name(shelf: str) -> None:
    # Once a module `guarded` was imported, `from harness.guardrails import guarded` would give it, not the function.
    modules = {path.stem for path in (ROOT / "harness" / shelf).iterdir()}
    assert modules.isdisjoint(SHELVES[shelf].__all__)


@pytest.mark.parametrize("shelf", SHELVES.values(), ids=SHELVES)
def test_a_name_that_is_not_there_is_answered_with_those_that_are(shelf: ModuleType) -> None:
    with pytest.raises(AttributeError, match=shelf.__all__[0]):
        shelf.no_such_name  # noqa: B018


@pytest.mark.parametrize("shelf", SHELVES)
def test_nothing_heavy_is_imported_before_it_is_used(shelf: str) -> None:
    script = (
        f"import sys, harness.{shelf} as shelf\n"
        f"assert not [m for m in sys.modules if m.startswith('harness.{shelf}.')]\n"
        "[getattr(shelf, name) for name in shelf.__all__]\n"
        f"found = {HEAVY!r} & set(sys.modules)\n"
        "assert not found, found\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)
