"""Working specs: what is well formed, and what is said, where, about the rest."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.quality.spec import load_specs, parse_spec

GOOD = """\
id: desk
title: The desk
risk_tier: 1
source: [desk]
change_budget:
  files: 3
  lines: 100
blast_radius: [customers]
scope:
  in: [desk/**, tests/**]
  out: [desk/frozen.py]
invariants:
  - money is never a float
acceptance:
  - id: pays
    says: a refund is paid once
    tests: [tests/test_desk.py::test_pays]
non_functional:
  - id: fast
    says: an answer is quick
    figure: desk/answer
    at_most: 2.5
contracts:
  - id: api
    kind: json_schema
    tests: [tests/test_desk.py]
"""


def test_a_spec_has_the_floors_of_its_tier_and_may_raise_them() -> None:
    spec = parse_spec(GOOD)
    assert (spec.branches, spec.mutants) == (0.9, 0.7)
    assert parse_spec(GOOD.replace("risk_tier: 1", "risk_tier: 3")).branches == 0.8
    assert parse_spec(GOOD + "floors: {mutants: 0.85}\n").mutants == 0.85
    assert spec.scope_out == ("desk/frozen.py",)
    assert spec.non_functional[0].at_most == 2.5


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("risk_tier: 1", "risk_tier: 4", 3, "must be 1, 2 or 3"),
        ("risk_tier: 1", "risk_teir: 1", 3, "did you mean 'risk_tier'?"),
        ("  files: 3", "  files: 0", 6, "change_budget.files must be at least 1, got 0"),
        ("  files: 3", "  files: many", 6, "must be a whole number, got 'many'"),
        ("  - money is never a float", "  - 12", 13, "must be a text, got 12; quote it"),
        ("    tests: [tests/test_desk.py::test_pays]", "    tests: []", 17, "with at least one"),
        ("    tests: [tests/test_desk.py::test_pays]", "    tests: [it pays]", 17, "is no test id"),
        ("    at_most: 2.5\n", "", 19, "one limit: at_most or at_least"),
        ("title: The desk", "id: desk", 2, "'id' is written twice"),
        ("title: The desk", "title: *other", 2, "an alias"),
        ("title: The desk", "title: 'open", 30, "not YAML"),
        ("contracts:", "floors: {branches: 0.5}\ncontracts:", 23, "may only ask for more"),
    ],
)
def test_a_mistake_is_said_with_its_line_and_its_fix(old: str, new: str, line: int, said: str) -> None:
    assert old in GOOD
    with pytest.raises(UsageError) as caught:
        parse_spec(GOOD.replace(old, new, 1), name="desk.yaml")
    found = [text for text in str(caught.value).splitlines() if said in text]
    assert found, caught.value
    if line != 30:
        assert found[0].startswith(f"desk.yaml:{line}:"), found


def test_all_mistakes_are_listed_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec("id: desk\nrisk_tier: 9\n")
    text = str(caught.value)
    for key in ("title", "risk_tier", "change_budget", "scope", "source", "invariants", "acceptance"):
        assert key in text, key


@given(st.text(max_size=60), st.sampled_from(GOOD.splitlines()))
def test_any_text_is_a_spec_or_a_usage_error(text: str, line: str) -> None:
    for candidate in (text, GOOD.replace(line, text, 1), GOOD.replace(line, f"{line.split(':')[0]}: {text}", 1)):
        with contextlib.suppress(UsageError):
            assert parse_spec(candidate).id


def test_two_specs_of_one_id_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no working spec"):
        load_specs(tmp_path)
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yml").write_text(GOOD)
    with pytest.raises(UsageError, match=r"id 'desk' is taken by .*a\.yaml"):
        load_specs(tmp_path)


def test_the_specs_of_this_project_are_well_formed_and_name_tests_and_sources_that_exist() -> None:
    root = Path(__file__).resolve().parents[2]
    for spec in load_specs(root / "reports" / "quality"):
        assert all((root / place).exists() for place in spec.source), spec.id
        for item in (*spec.acceptance, *spec.contracts):
            for test in item.tests:
                path, *names = test.split("::")
                assert (root / path).is_file(), test
                assert all(f"def {name}(" in (root / path).read_text("utf-8") for name in names), test
