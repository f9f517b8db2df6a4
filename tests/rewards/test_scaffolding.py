"""Scaffolding: every kind in every language is found in the golden dataset, and honest edits are left alone."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest

from harness.rewards import Edit
from harness.rewards.minimal_diff.edit import laid_over
from harness.rewards.scaffolding.detectors import scaffolding

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    json.loads(line) for line in (ROOT / "golden_datasets/minimal_diff/cases.jsonl").read_text("utf-8").splitlines()
]
PATCHES = (
    Path(os.environ.get("HARNESS_EXTERNAL_DATA", ROOT.parent / "shared" / "data"))
    / "patches/swebench_lite_gold_half.csv"
)


def found(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [one.kind for one in scaffolding(Edit(before=before, after={**before, **after}))]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_the_golden_edits_are_judged_as_labelled(row: dict[str, Any]) -> None:
    before = row["input"]["files"]
    edit = Edit(before=before, after=laid_over(before, row["metadata"]["after"]))
    assert sorted({one.kind for one in scaffolding(edit)}) == row["expected"]["custom"]["scaffolds"]


@pytest.mark.parametrize(
    ("importer", "text"),
    [
        ("pkg/main.py", "from pkg.extra import f\nf()\n"),
        ("pkg/main.py", "from .extra import f\nf()\n"),
        ("pkg/main.py", "from . import extra\nextra.f()\n"),
        ("pkg/main.py", "import pkg.extra as e\ne.f()\n"),
        ("pkg/main.py", "import importlib\nimportlib.import_module('pkg.extra').f()\n"),
        ("setup.cfg", "[options.entry_points]\nconsole = pkg.extra:f\n"),
    ],
)
def test_a_file_that_is_imported_in_any_way_is_in_use(importer: str, text: str) -> None:
    before = {"pkg/__init__.py": "", "pkg/main.py": "x = 1\n"}
    assert "unused_file" not in found(before, {importer: text, "pkg/extra.py": "def f():\n    return 1\n"})


def test_files_that_import_only_each_other_are_not_in_use() -> None:
    after = {"a.py": "import b\nb.g()\n\n\ndef f(): return 1\n", "b.py": "import a\na.f()\n\n\ndef g(): return 2\n"}
    assert found({"main.py": "x = 1\n"}, after) == ["unused_file", "unused_file"]


@pytest.mark.parametrize(
    "text",
    [
        "import app\n\n\n@app.route('/')\ndef index(request):\n    return render()\n",
        "class Child(Parent):\n    def run(self, context):\n        return self.go()\n",
        "def build(value):\n    raise NotImplementedError\n\n\nbuild(1)\n",
        "def on_event(event, context):\n    return 1\n\n\nregister(on_event)\n",
        "class Point:\n    def __eq__(self, other):\n        return self.x == other.x\n\n"
        "    def __hash__(self):\n        return 1\n\n\nPoint()\n",
        "def show(value, loud=False):\n    return value.upper() if loud else value\n\n\nshow('a')\nshow('b', True)\n",
        "def made(**options):\n    return Widget(size=1, **options)\n\n\nmade(a=1)\nmade(b=2)\n",
        "def scale(x):\n    return multiply(x, 2)\n\n\nscale(1)\n",
    ],
)
def test_what_only_looks_like_scaffolding_is_left_alone(text: str) -> None:
    assert found({"a.py": "x = 1\n"}, {"a.py": "x = 1\n\n" + text}) == []


def test_nothing_in_tests_and_nothing_that_was_there_before_is_flagged() -> None:
    old = "def lonely(value):\n    return value\n"
    assert found({"a.py": old}, {"a.py": old + "\n\nx = 1\n"}) == []
    assert found({"a.py": "x = 1\n"}, {"tests/test_a.py": "def helper(value, extra):\n    return value\n"}) == []


def test_at_most_one_in_a_hundred_public_gold_patches_is_flagged() -> None:
    if not PATCHES.exists():
        pytest.skip(f"the public patches are not at {PATCHES}; set HARNESS_EXTERNAL_DATA")
    from benchmarks.rewards_minimal_diff import fragments

    csv.field_size_limit(10**9)
    with PATCHES.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    flagged = []
    for row in rows:
        tests = {f"tests/{path}": text for path, text in fragments(row["test_patch"], "after").items()}
        before, after = fragments(row["patch"], "before"), fragments(row["patch"], "after")
        if scaffolding(Edit(before=before, after={**after, **tests}), tolerant=True):
            flagged.append(row["instance_id"])
    assert len(flagged) <= len(rows) / 100, flagged
