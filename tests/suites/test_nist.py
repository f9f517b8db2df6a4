"""The map to the NIST AI RMF names only tests that exist, and every dataset says where it comes from."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.reporting.sections.controls import FILE, FUNCTIONS, read_controls

ROOT = Path(__file__).resolve().parents[2]
DATA = read_controls(ROOT / FILE)
TESTS = sorted({test for control in DATA["control"] for test in control["tests"]})


@pytest.mark.parametrize("node", TESTS)
def test_every_named_test_exists(node: str) -> None:
    path, _, name = node.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    made = {item.name for item in tree.body if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))}
    assert name in made


def test_every_function_of_the_framework_has_evidence_and_every_declared_subcategory_is_used() -> None:
    used = {one for control in DATA["control"] for one in control["subcategories"]}
    assert used == set(DATA["subcategories"])
    assert {one.split(" ")[0] for one in used} == set(FUNCTIONS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[control", "not TOML"),
        ('[subcategories]\n"MAKE 1" = "x"\n', "no subcategory"),
        ('[[control]]\nname = "a"\nsubcategories = ["MAP 1.1"]\ntests = ["t"]\n', "which [subcategories] lacks"),
        ('[[control]]\nname = "a"\nsubcategories = ["MAP 1.1"]\n', "has no tests"),
    ],
)
def test_a_mistake_in_the_map_is_named(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_controls(path)
    assert said in str(caught.value)


def test_every_golden_dataset_has_a_card_that_says_who_labelled_it() -> None:
    folders = [path.parent for path in (ROOT / "golden_datasets").glob("*/cases.jsonl")]
    assert len(folders) >= 9
    for folder in folders:
        card = (folder / "card.md").read_text(encoding="utf-8")
        assert all(f"| {field} |" in card for field in ("version", "cases", "licence", "source", "labelled by")), folder
