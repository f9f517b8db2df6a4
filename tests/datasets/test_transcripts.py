"""Production logs: what is read from them, what is counted as unread, and which sample is drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.case import Case
from harness.core.errors import DatasetError, UsageError
from harness.core.trajectory import Trajectory
from harness.datasets.spans import conversations, spans_of
from harness.datasets.transcripts import Transcript, read_transcripts, sample


def chat(name: str, **more: Any) -> dict[str, Any]:
    said = [{"role": "user", "content": f"Hello {name}"}, {"role": "assistant", "content": "Hi"}]
    return {"id": name, "messages": said, **more}


def log(path: Path, *entries: Any) -> Path:
    path.write_text("".join(f"{e if isinstance(e, str) else json.dumps(e)}\n" for e in entries))
    return path


def otlp(trace: str, operation: str, end: int, told: str, *, as_text: bool = True) -> dict[str, Any]:
    def parts(role: str, *given: dict[str, Any]) -> Any:
        structure = [{"role": role, "parts": list(given)}]
        return {"stringValue": json.dumps(structure)} if as_text else any_value(structure)

    attributes = {
        "gen_ai.operation.name": {"stringValue": operation},
        "gen_ai.request.model": {"stringValue": "m1"},
        "gen_ai.input.messages": parts("user", {"type": "text", "content": "What is the weather?"}),
        "gen_ai.output.messages": parts("assistant", {"type": "text", "content": told}, {"type": "reasoning"}),
    }
    listed = [{"key": key, "value": value} for key, value in attributes.items()]
    span = {"traceId": trace, "endTimeUnixNano": str(end), "attributes": listed}
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


def any_value(given: Any) -> dict[str, Any]:
    if isinstance(given, list):
        return {"arrayValue": {"values": [any_value(item) for item in given]}}
    if isinstance(given, dict):
        return {"kvlistValue": {"values": [{"key": key, "value": any_value(item)} for key, item in given.items()]}}
    return {"stringValue": given}


def test_messages_bare_lists_and_journal_lines_are_conversations(tmp_path: Path) -> None:
    record = {"case_id": "j", "trajectory": {"messages": chat("j")["messages"], "model_calls": [{"model": "m2"}]}}
    seen = read_transcripts(log(tmp_path / "l", chat("a", model="m1"), chat("b")["messages"], record))
    assert [one.case.id for one in seen.found] == ["a", "line-2", "j"]
    assert [one.stratum for one in seen.found] == ["m1", "", "m2"]
    assert [one.trajectory.answer for one in seen.found] == ["Hi"] * 3
    assert seen.unread == 0


def test_what_is_no_conversation_is_counted_and_the_first_is_told(tmp_path: Path) -> None:
    seen = read_transcripts(log(tmp_path / "l", chat("a"), '{"messages": 3}', "[1]", '{"torn'))
    assert (len(seen.found), seen.unread) == (1, 3)
    assert seen.first_problem.startswith("line 2")


def test_a_log_without_a_conversation_is_an_error_that_says_what_is_read(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gen_ai\.output\.messages"):
        read_transcripts(log(tmp_path / "l", "{}"))
    with pytest.raises(DatasetError, match="cannot be read"):
        read_transcripts(tmp_path / "none")


@pytest.mark.parametrize("as_text", [True, False])
def test_spans_are_read_as_text_and_as_structure(tmp_path: Path, as_text: bool) -> None:
    seen = read_transcripts(log(tmp_path / "l", otlp("t1", "chat", 5, "Sunny.", as_text=as_text)))
    assert [(one.case.id, one.case.text, one.trajectory.answer, one.stratum) for one in seen.found] == [
        ("t1", "What is the weather?", "Sunny.", "m1")
    ]


def test_of_a_trace_the_agents_span_counts_and_else_the_last(tmp_path: Path) -> None:
    spans = [otlp("t1", "chat", 9, "Sunny."), otlp("t1", "invoke_agent", 8, "Take a hat."), otlp("t2", "chat", 2, "b")]
    seen = read_transcripts(log(tmp_path / "l", *spans, otlp("t2", "chat", 1, "a")))
    assert {one.case.id: one.trajectory.answer for one in seen.found} == {"t1": "Take a hat.", "t2": "b"}


def test_tool_calls_of_spans_become_tool_calls() -> None:
    parts = [{"type": "tool_call", "id": "c1", "name": "look", "arguments": {"a": 1}}]
    answer = [{"type": "tool_call_response", "id": "c1", "response": {"ok": True}}]
    told = [{"role": "assistant", "parts": parts}, {"role": "tool", "parts": answer}]
    flat = {
        "context": {"trace_id": "t"},
        "attributes": {
            "gen_ai.input.messages": json.dumps(told),
            "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "ok"}]}]),
        },
    }
    (made,) = conversations(spans_of(flat))
    (call,) = Trajectory(messages=tuple(made["messages"])).tool_calls
    assert (call.name, call.arguments, call.result) == ("look", {"a": 1}, '{"ok": true}')


def many(sizes: dict[str, int]) -> list[Transcript]:
    return [
        Transcript(case=Case(id=f"{name}{n}", input="x"), trajectory=Trajectory(), stratum=name)
        for name, size in sizes.items()
        for n in range(size)
    ]


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(1, 60), min_size=1), st.integers(1, 100), st.integers(0, 9))
def test_every_stratum_gives_its_share_rounded_up_and_the_seed_decides(
    sizes: dict[str, int], per: int, seed: int
) -> None:
    drawn = sample(many(sizes), rate=per / 100, seed=seed)
    counts = {name: sum(one.stratum == name for one in drawn) for name in sizes}
    assert counts == {name: -(-size * per // 100) for name, size in sizes.items()}
    assert drawn == sample(many(sizes), rate=per / 100, seed=seed)


def test_another_seed_draws_others() -> None:
    transcripts = many({"a": 200})
    first, second = sample(transcripts, rate=0.1, seed=1), sample(transcripts, rate=0.1, seed=2)
    assert {one.case.id for one in first} != {one.case.id for one in second}


def test_a_rate_off_the_scale_is_refused() -> None:
    with pytest.raises(UsageError, match="above 0"):
        sample(many({"a": 2}), rate=0)


KEYS = (
    *("attributes", "resourceSpans", "scopeSpans", "spans", "key", "value", "arrayValue"),
    *("role", "parts", "traceId", "gen_ai.output.messages"),
)
STRANGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(KEYS), STRANGE, max_size=3))
def test_no_span_however_strange_breaks_the_reader(entry: Any) -> None:
    list(conversations(spans_of(entry)))
