"""Importers: what people have becomes cases that mean the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.core.case import Case
from harness.datasets import BadRows, load_dataset


def load(tmp_path: Path, form: str, name: str, text: str) -> tuple[Case, ...]:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return load_dataset(f"{form}:{name}", root=tmp_path).cases


def lines(*rows: Any) -> str:
    return "\n".join(map(json.dumps, rows)) + "\n"


FUNCTION = {
    "name": "area",
    "description": "Area.",
    "parameters": {
        "type": "dict",
        "properties": {
            "base": {"type": "float"},
            "unit": {"type": "string", "optional": True},
            "type": {"type": "any"},
            "rows": {"type": "tuple", "items": {"type": "dict", "properties": {"n": {"type": "integer"}}}},
        },
        "required": ["base"],
    },
}


def test_bfcl_questions_come_with_their_answers_and_openai_schemas(tmp_path: Path) -> None:
    question = [[{"role": "user", "content": "Area?"}], [{"role": "user", "content": "And in cm?"}]]
    rows = [{"id": f"{kind}_0", "question": question, "function": [FUNCTION]} for kind in ("simple", "irrelevance")]
    truth = {"id": "simple_0", "ground_truth": [{"area": {"base": [3], "unit": ["cm", ""]}}]}
    (tmp_path / "q_answers.jsonl").write_text(lines(truth), encoding="utf-8")
    simple, irrelevant = load(tmp_path, "bfcl", "q.jsonl", lines(*rows))
    assert simple.expected.tool_calls is not None
    (call,) = simple.expected.tool_calls
    assert (call.name, call.accepted) == ("area", {"base": [3], "unit": ["cm", ""]})
    assert simple.turns == ("And in cm?",)
    assert irrelevant.expected.tool_calls == ()
    parameters = simple.tools[0]["function"]["parameters"]
    assert parameters["type"] == "object"
    assert parameters["properties"]["base"] == {"type": "number"}
    assert parameters["properties"]["unit"] == {"type": "string"}
    assert parameters["properties"]["type"] == {}
    assert parameters["properties"]["rows"]["items"]["type"] == "object"


def test_bfcl_rows_that_are_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadRows, match=r"q\.jsonl:2: .*not a BFCL question"):
        load(
            tmp_path,
            "bfcl",
            "q.jsonl",
            lines({"id": "a", "question": [[]], "function": []}, {"id": "b", "question": 1}),
        )


PROMPTFOO = """
prompts: ["Answer {{ question }} in {{language}}.", file://other.txt]
providers: [openai:gpt-4o-mini]
defaultTest:
  vars: {language: French}
  assert:
    - {type: latency, threshold: 2500}
tests:
  - description: capital
    vars: {question: the capital}
    assert:
      - {type: icontains, value: Paris}
      - {type: not-contains, value: London}
      - {type: contains-all, value: [a, b]}
      - {type: regex, value: "P.ris"}
      - {type: cost, threshold: 0.01}
      - {type: llm-rubric, value: is polite}
      - {type: equals, value: Paris}
  - vars: {question: JSON, language: German}
    assert:
      - {type: is-json, value: {type: object}}
      - {type: contains-any, value: [x.y, z]}
      - {type: javascript, value: "output.length < 5"}
"""


def test_promptfoo_assertions_become_expectations_that_mean_the_same(tmp_path: Path) -> None:
    first, second = load(tmp_path, "promptfoo", "promptfooconfig.yaml", PROMPTFOO)
    assert first.input == "Answer the capital in French."
    assert second.input == "Answer JSON in German."
    expected = first.expected
    assert expected.contains == ("Paris", "a", "b")
    assert expected.not_contains == ("London",)
    assert (expected.pattern, expected.answer) == ("P.ris", "Paris")
    assert (expected.max_cost_usd, expected.max_latency_s) == (0.01, 2.5)
    assert second.expected.json_schema == {"type": "object"}
    assert second.expected.pattern == r"(?:x\.y|z)"
    assert first.metadata["description"] == "capital"


def test_what_promptfoo_asks_a_model_or_a_script_is_kept_and_not_judged(tmp_path: Path) -> None:
    first, second = load(tmp_path, "promptfoo", "p.yaml", PROMPTFOO)
    assert first.expected.custom == {"promptfoo": [{"type": "llm-rubric", "value": "is polite"}]}
    assert second.expected.custom == {"promptfoo": [{"type": "javascript", "value": "output.length < 5"}]}


def test_a_bare_list_of_promptfoo_tests_without_prompts(tmp_path: Path) -> None:
    (case,) = load(
        tmp_path, "promptfoo", "t.json", '[{"vars": {"q": "hi"}, "assert": [{"type": "starts-with", "value": "H"}]}]'
    )
    assert (case.input, case.expected.pattern) == ("hi", r"\A(?:H)")


@pytest.mark.parametrize("text", ["tests: file://tests.csv", "tests: [1]", "a: [", "prompts: [x]", ""])
def test_promptfoo_files_that_hold_no_tests_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadRows, match=r"p\.yaml"):
        load(tmp_path, "promptfoo", "p.yaml", text)


def test_inspect_samples(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "input": "2+2?", "target": "4", "metadata": {"level": "easy"}},
        {"input": "Which?", "choices": ["red", "blue"], "target": "B"},
        {"input": [{"role": "user", "content": "hi"}], "target": ["hello", "hi"], "files": {"a.txt": "x"}},
    ]
    one, two, three = load(tmp_path, "inspect", "s.jsonl", lines(*rows))
    assert (one.id, one.expected.answer, one.metadata["level"]) == ("1", "4", "easy")
    assert two.input == "Which?\n\nA) red\nB) blue"
    assert two.expected.answer == "B"
    assert three.expected.answers == ("hello", "hi")
    assert three.metadata["files"] == {"a.txt": "x"}
    assert load(tmp_path, "inspect", "s.json", json.dumps(rows)) == (one, two, three)
    (table,) = load(tmp_path, "inspect", "s.csv", 'input,target,choices\nWhich?,B,"[""red"", ""blue""]"\n')
    assert table.input == two.input


def test_openai_evals_samples(tmp_path: Path) -> None:
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2?"}]
    rows = [{"input": chat, "ideal": "4"}, {"input": "2+3?", "ideal": ["5", "five"], "criteria": "x"}]
    one, two = load(tmp_path, "openai-evals", "s.jsonl", lines(*rows))
    assert (one.text, one.expected.answer) == ("2+2?", "4")
    assert (two.expected.answers, two.metadata["criteria"]) == (("5", "five"), "x")
    with pytest.raises(BadRows, match="input: is missing"):
        load(tmp_path, "openai-evals", "s.jsonl", lines({"ideal": "4"}))


def test_recorded_runs_give_their_cases(tmp_path: Path) -> None:
    runs = [{"id": "a", "messages": [{"role": "user", "content": "hi"}]}] * 2
    (case,) = load(tmp_path, "recorded", "r.json", json.dumps(runs))
    assert (case.id, case.text) == ("a", "hi")
