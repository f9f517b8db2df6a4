"""The schema file, the loader and the nouns agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.case import Case, Expectation, ExpectedCall
from harness.datasets.fields import CALL_FIELDS, CASE_FIELDS, EXPECTED_FIELDS, check_row
from harness.datasets.jsonl import parse_line
from harness.datasets.rows import case_from_row, cases_from_rows
from harness.datasets.schema import FILE, case_schema

ROOT = Path(__file__).resolve().parents[2]
VALIDATOR = jsonschema.Draft202012Validator(case_schema())


def test_the_file_for_editors_is_the_one_that_the_code_makes() -> None:
    # To write it anew: python -c "from harness.datasets.schema import write_schema; write_schema()"
    assert json.loads((ROOT / FILE).read_text(encoding="utf-8")) == case_schema()


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(case_schema())


def test_the_table_of_fields_has_every_field_of_the_nouns_and_no_other() -> None:
    assert set(CASE_FIELDS) == set(Case.__dataclass_fields__)
    assert set(EXPECTED_FIELDS) == set(Expectation.__dataclass_fields__)
    assert set(CALL_FIELDS) == set(ExpectedCall.__dataclass_fields__)


def dictionary(keys: st.SearchStrategy[str], values: st.SearchStrategy[Any], *, least: int = 0, most: int = 2) -> Any:
    return st.lists(st.tuples(keys, values), min_size=least, max_size=most).map(dict)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | st.text("ab \u2028\U0001f600", max_size=4),
    lambda inner: st.lists(inner, max_size=2) | dictionary(st.sampled_from("abc"), inner),
    max_leaves=4,
)
texts = st.text("aB \n\u2028é\U0001f600", max_size=5)
names = st.text("abc-_.:/é1", min_size=1, max_size=8)
mappings = dictionary(st.sampled_from("abc"), json_values)
some_mappings = dictionary(st.sampled_from("abc"), json_values, least=1)
calls = st.builds(
    lambda name, arguments, accepted: {
        "name": name,
        **({} if arguments is None else {"arguments": arguments}),
        **({} if accepted is None else {"accepted": accepted}),
    },
    names,
    st.none() | mappings,
    st.none() | dictionary(st.sampled_from("abc"), st.lists(json_values, max_size=2)),
)
limits = st.floats(0, 1e6)
# An empty mapping as state, json_schema or custom means the same as none there, so none is drawn.
expectations: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "answer": texts,
        "answers": st.lists(texts, min_size=1, max_size=2),
        "contains": st.lists(texts, min_size=1, max_size=2),
        "not_contains": st.lists(texts, min_size=1, max_size=2),
        "pattern": texts,
        "json_schema": some_mappings,
        "number": st.floats(-1e9, 1e9),
        "tolerance": limits,
        "tool_calls": st.lists(calls, max_size=2),
        "tool_order": st.sampled_from(["strict", "unordered", "subset", "superset"]),
        "forbidden_tools": st.lists(names, min_size=1, max_size=2),
        "state": json_values.filter(lambda v: v not in (None, {}, ())),
        "max_steps": st.integers(0, 99),
        "max_cost_usd": limits,
        "max_latency_s": limits,
        "custom": some_mappings,
    },
)
cases = st.builds(
    lambda expected, **fields: Case(expected=Expectation.from_json(expected), **fields),
    expected=expectations,
    id=names,
    input=json_values.filter(lambda v: v is not None),
    turns=st.lists(texts, max_size=2).map(tuple),
    tools=st.lists(mappings, max_size=2).map(tuple),
    tags=st.lists(texts, max_size=2).map(tuple),
    cluster=st.none() | texts,
    severity=st.sampled_from(["normal", "must_pass"]),
    metadata=mappings,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases)
def test_a_case_written_as_a_line_and_read_again_is_the_same_case(case: Case) -> None:
    line = json.dumps(case.to_json(), ensure_ascii=False, allow_nan=False).encode("utf-8")
    assert b"\n" not in line
    (again,) = cases_from_rows([(1, parse_line(line))], "line")
    assert again == case
    assert again.content_hash == case.content_hash


anything = st.one_of(
    json_values,
    st.lists(calls, max_size=2),
    st.sampled_from(["strict", "must_pass", 3, 3.0, -1, 0.5, True]),
    st.lists(mappings, max_size=2),
    expectations,
)
wild_expectations = dictionary(st.sampled_from([*EXPECTED_FIELDS, "contian"]), anything, most=3)
wild_rows = dictionary(
    st.sampled_from([*CASE_FIELDS, "inptu"]), st.one_of(anything, wild_expectations), most=4
).flatmap(lambda row: st.sampled_from([row, {"input": "x", **row}]))


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(wild_rows)
def test_the_schema_allows_what_the_loader_takes_and_nothing_else(row: dict[str, Any]) -> None:
    if isinstance(row.get("id"), str) and not row["id"].isprintable():
        return  # a regular expression that every editor understands cannot say "printable"
    mistakes = check_row(row, 1)
    assert VALIDATOR.is_valid(row) is (mistakes == []), mistakes


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(wild_rows)
def test_a_row_that_passes_the_check_becomes_a_case(row: dict[str, Any]) -> None:
    if not check_row(row, 1):
        case = case_from_row(row)
        assert case.id
        assert hash(case.content_hash)


SAMPLES: list[Any] = [
    *(None, True, False, 0, 1, -1, 3.0, 0.5, -0.5, "", "x", " x", "strict", "must_pass"),
    *([], [1], ["a"], ["a", 1], [[]], [{}], [{"name": "f"}], [{"name": 1}], [{"name": "f", "arguments": []}]),
    *([{"name": "f", "accepted": {"x": [1]}}], [{"name": "f", "accepted": {"x": 1}}], [{"name": "f", "argument": {}}]),
    *({}, {"a": 1}, {"answer": "x"}, {"answer": 1}, {"anwser": "x"}, {"name": "f"}),
]


def test_every_field_takes_the_same_values_by_the_schema_and_by_the_loader() -> None:
    apart = []
    for value in SAMPLES:
        rows = [{"input": "x", name: value} for name in [*CASE_FIELDS, "other"]]
        rows += [{"input": "x", "expected": {name: value}} for name in [*EXPECTED_FIELDS, "other"]]
        rows += [{"input": "x", "expected": {"tool_calls": [{"name": "f", name: value}]}} for name in CALL_FIELDS]
        apart += [row for row in rows if VALIDATOR.is_valid(row) is not (check_row(row, 1) == [])]
    assert apart == []
    assert not VALIDATOR.is_valid({})
    assert check_row({}, 1)
