"""ToolArgumentsGuard: wrong and harmful arguments stop before the tool; the message names fields, never values."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.decision import Decision, Event
from harness.core.errors import UsageError
from harness.guardrails.tool_arguments import Corrections, Problem, ToolArgumentsGuard
from harness.guardrails.tool_arguments.uses import told_use

ROOT = Path(__file__).parents[2]
EXTERNAL = Path(os.environ.get("HARNESS_EXTERNAL_DATA", ROOT.parent / "shared" / "data")) / "tool_calls"
ROWS = [json.loads(line) for line in (ROOT / "golden_datasets/tool_arguments/cases.jsonl").read_text().splitlines()]


def tool(name: str = "act", /, **properties: object) -> dict:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TEXT = {"type": "string"}
GUARD = ToolArgumentsGuard(tools=[tool("act", path=TEXT, note=TEXT)])


def call(guard: ToolArgumentsGuard, arguments: object, name: str = "act") -> Decision:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return guard.check(Event(kind="tool_call", text=text, data={"tool": name}))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["id"]))
def test_every_golden_call_is_judged_right_and_for_the_right_reason(row: dict) -> None:
    decision = call(ToolArgumentsGuard(tools=row["tools"]), row["input"]["arguments"], row["input"]["tool"])
    attack = row["metadata"]["label"] == "attack"
    assert decision.action == ("block" if attack else "allow"), decision.reason
    assert decision.fault == ""
    assert not attack or row["metadata"]["category"] in {one.category for one in decision.findings}


def encodings(text: str) -> list[str]:
    once = quote(text, safe="").replace(".", "%2e")
    return [
        text, once, once.upper(), quote(once, safe=""), quote(quote(once, safe=""), safe=""), text.replace("/", "\\"),
        text.replace(".", "\uff0e").replace("/", "\uff0f"), text.replace("/", "\u2215"), text.replace("/", "%c0%af"),
        "".join(f"\\u{ord(sign):04x}" for sign in text), "".join(f"&#{ord(sign)};" for sign in text),
        "\u200b".join(text), "".join(f"%u{ord(sign):04x}" for sign in text),
    ]  # fmt: skip


@pytest.mark.parametrize("text", encodings("../../etc/passwd"), ids=range(len(encodings("../../etc/passwd"))))
def test_a_way_out_of_the_folder_is_seen_in_every_encoding_and_in_every_field(text: str) -> None:
    assert call(GUARD, {"path": text, "note": "x"}).action == "block"
    assert call(GUARD, {"path": "x", "note": text}).action == "block"


@pytest.mark.parametrize("text", encodings("javascript:alert(1)"), ids=range(len(encodings("javascript:alert(1)"))))
def test_a_script_address_is_seen_in_every_encoding(text: str) -> None:
    guard = ToolArgumentsGuard(tools=[tool("act", url=TEXT)])
    assert call(guard, {"url": text}).action == "block"


SECRET = "hunter2-zebra"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"kind": SECRET}, "kind: must be one of 'a', 'b'"),
        ({"kind": "a", "count": SECRET}, "count: must be of type integer, not string"),
        ({"kind": "a", "count": 99}, "count: must be at most 10"),
        ({"kind": "a", "tags": ["x", SECRET * 9]}, "tags[1]: must have at most 20 characters"),
        ({"kind": "a", "inner": {SECRET: 1}}, "inner: has fields that the tool does not know; it knows known"),
        ({"kind": "a", "free": {SECRET: {"deep": "../../etc/passwd"}}}, "free.*.*: must be a path inside"),
        ({"count": 1}, "the arguments: misses kind"),
        ({"kind": "a", "either": SECRET}, "either: "),
    ],
)
def test_the_message_names_the_field_and_what_is_wanted_and_never_the_value(arguments: dict, says: str) -> None:
    schema = {
        "type": "object",
        "properties": {
            "kind": {"enum": ["a", "b"]},
            "count": {"type": "integer", "maximum": 10},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 20}},
            "inner": {"type": "object", "properties": {"known": TEXT}, "additionalProperties": False},
            "free": {"type": "object"},
            "either": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        },
        "required": ["kind"],
    }
    guard = ToolArgumentsGuard(tools=[{"type": "function", "function": {"name": "act", "parameters": schema}}])
    event = Event(kind="tool_call", text=json.dumps(arguments), data={"tool": "act"})
    decision = guard.check(event)
    assert decision.action == "block"
    assert says in decision.reason
    assert says in guard.explain(event)
    for shown in (decision.reason, guard.explain(event), repr(decision), repr(guard.problems(event))):
        assert SECRET not in shown


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12).map(lambda text: SECRET + text),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=8).map(lambda key: SECRET + key), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(["path", "note", SECRET]), json_values, max_size=3))
def test_whatever_is_wrong_no_value_and_no_made_up_name_is_ever_told(arguments: dict) -> None:
    decision = call(GUARD, json.dumps(arguments))
    assert SECRET not in repr(decision)
    assert decision.fault == ""


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60) | st.from_regex(r"[./\\%2eEfF;&|$`'\"()a-z -]{0,30}", fullmatch=True))
def test_sanitised_arguments_are_harmless_and_stay_as_they_are_when_sanitised_again(text: str) -> None:
    guard = ToolArgumentsGuard(tools=[tool("act", path=TEXT, command=TEXT)], sanitise=True)
    first = call(guard, {"path": text, "command": text})
    assert first.action in ("allow", "redact", "block")
    if first.action == "redact":
        assert first.text is not None
        assert call(guard, first.text).action == "allow"
        assert call(ToolArgumentsGuard(tools=guard.tools), first.text).action == "allow"


@pytest.mark.parametrize(
    ("field", "given_value", "clean"),
    [
        ("path", "docs/../../.env", "docs/.env"),
        ("path", "....//....//etc/passwd", "etc/passwd"),
        ("path", "%252e%252e%252fsecret.txt", "secret.txt"),
        ("path", "/srv/data.csv", "srv/data.csv"),
        ("path", "C:\\Users\\jane\\x.txt", "Users/jane/x.txt"),
        ("command", "ls -la; rm x", "ls -la rm x"),
    ],
)
def test_what_can_be_repaired_is_repaired_when_asked(field: str, given_value: str, clean: str) -> None:
    decision = call(ToolArgumentsGuard(tools=[tool("act", **{field: TEXT})], sanitise=True), {field: given_value})
    assert decision.action == "redact"
    assert json.loads(decision.text or "") == {field: clean}


def test_addresses_and_sql_are_never_repaired() -> None:
    guard = ToolArgumentsGuard(tools=[tool("act", url=TEXT, note=TEXT)], sanitise=True)
    assert call(guard, {"url": "file:///etc/passwd", "note": "x"}).action == "block"
    assert call(guard, {"url": "https://example.com", "note": "' OR '1'='1"}).action == "block"


def test_a_model_is_told_three_times_and_a_right_call_begins_the_count_anew() -> None:
    corrections = Corrections()
    problem = [Problem(category="schema", field="limit", message="must be of type integer, not string")]
    told = [corrections.message(problem, session="s", tool="t") for _ in range(4)]
    assert [one is not None for one in told] == [True, True, True, False]
    assert "limit: must be of type integer" in (told[0] or "")
    assert "last try" in (told[2] or "")
    assert corrections.message(problem, session="other", tool="t") is not None
    assert corrections.message([], session="s", tool="t") is None
    assert corrections.message(problem, session="s", tool="t") is not None


def test_a_tool_without_a_schema_is_not_called_unless_that_is_wanted() -> None:
    assert call(GUARD, {}, "other").findings[0].category == "unknown_tool"
    lax = ToolArgumentsGuard(unknown_tools="allow")
    assert call(lax, {"q": "tea"}, "other").action == "allow"
    assert call(lax, {"file": "../x"}, "other").action == "block"


def test_the_schema_may_come_with_the_event() -> None:
    event = Event(
        kind="tool_call", text='{"limit": "x"}', data={"tool": "act", "schema": tool("act", limit={"type": "integer"})}
    )
    assert ToolArgumentsGuard().check(event).reason == "limit: must be of type integer, not string"


def test_a_broken_schema_in_an_event_blocks_with_a_fault() -> None:
    event = Event(kind="tool_call", text="{}", data={"tool": "act", "schema": tool("act", limit={"type": 7})})
    decision = ToolArgumentsGuard().check(event)
    assert (decision.action, decision.fault) == ("block", "crash: UsageError")


def test_a_reference_outside_the_schema_is_never_fetched() -> None:
    guard = ToolArgumentsGuard(tools=[tool("act", x={"$ref": "http://127.0.0.1:9/schema.json"})])
    decision = call(guard, {"x": 1})
    assert decision.action == "block"
    assert decision.fault.startswith("crash: ")


def test_a_slow_pattern_of_a_schema_never_meets_a_long_text() -> None:
    guard = ToolArgumentsGuard(tools=[tool("act", x={"type": "string", "pattern": "^[a-z]+$"})])
    assert call(guard, {"x": "a" * 20_000}).action == "block"


def test_the_use_of_a_field_is_told_by_its_name_unless_it_is_declared() -> None:
    names = {"file_path": "path", "outputDir": "path", "cmd": "shell", "callback_url": "url", "profile": "text",
             "file_content": "text", "query": "text", "whereClause": "sql", "sql": "statement",
             "recommend": "text"}  # fmt: skip
    assert {name: told_use(name) for name in names} == names
    risky = {"path": "../x"}
    assert (
        call(ToolArgumentsGuard(tools=[tool("act", path={"type": "string", "x-use": "text"})]), risky).action == "allow"
    )
    assert call(ToolArgumentsGuard(tools=[tool("act", path=TEXT)], uses={"act.path": "text"}), risky).action == "allow"
    assert (
        call(ToolArgumentsGuard(tools=[tool("act", name=TEXT)], uses={"name": "shell"}), {"name": "a;b"}).action
        == "block"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"uses": {"x": "magic"}},
        {"unknown_tools": "maybe"},
        {"tools": [{"type": "function"}]},
        {"tools": [tool("t", x={"type": 7})]},
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict) -> None:
    with pytest.raises(UsageError):
        ToolArgumentsGuard(**wrong)


def test_other_events_pass() -> None:
    assert GUARD.check(Event(kind="output", text="../../etc/passwd")).action == "allow"


@pytest.mark.parametrize(
    "text", ["[" * 200_000, '{"a":' * 10_000 + "1" + "}" * 10_000, '{"path": "' + "a" * 2_000_000 + '"}', "\ud800", "{"]
)
def test_arguments_that_break_parsers_are_blocked_as_wrong_not_as_a_fault(text: str) -> None:
    decision = call(GUARD, text)
    assert (decision.action, decision.fault) == ("block", "")


@pytest.mark.parametrize("sign", ["../", "%25", "' ", "; ", "$(", "union ", "&#", "\\u", "javascript", "\uff0e"])
def test_arguments_made_of_one_hostile_piece_are_judged_to_their_end(sign: str) -> None:
    guard = ToolArgumentsGuard(tools=[tool("act", note=TEXT)])
    assert call(guard, {"note": sign * (30_000 // len(sign)) + " ../../etc/passwd"}).action == "block"


@pytest.mark.skipif(not EXTERNAL.is_dir(), reason=f"the public data is not at {EXTERNAL}")
def test_right_calls_of_a_public_benchmark_are_not_taken_for_attacks() -> None:
    harmful, calls = [], 0
    for name in ("bfcl_simple_python", "bfcl_multiple"):
        questions = [json.loads(line) for line in (EXTERNAL / f"{name}.jsonl").read_text().splitlines()]
        answers = [json.loads(line) for line in (EXTERNAL / f"{name}_answers.jsonl").read_text().splitlines()]
        for question, answer in zip(questions, answers, strict=True):
            guard = ToolArgumentsGuard(tools=question["function"], absolute_paths=True)
            for one in answer["ground_truth"]:
                ((function, accepted),) = one.items()
                arguments = {field: values[0] for field, values in accepted.items() if values and values[0] != ""}
                event = Event(kind="tool_call", text=json.dumps(arguments), data={"tool": function})
                calls += 1
                harmful += [(function, found.category) for found in guard.problems(event) if found.category != "schema"]
    assert calls == 600
    assert harmful == []
