"""One trial as the page shows it: bounded and never an exception."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.trajectory import Trajectory
from harness.reporting.trial_view import FIRST_MESSAGES, LAST_MESSAGES, MESSAGE_LIMIT, TRIAL_LIMIT, trial_view
from tests.reporting.builders import record, trajectory


def test_a_tool_result_is_shown_under_its_call_and_not_again() -> None:
    messages = trial_view(record())["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "assistant"]
    (call,) = messages[2]["tools"]
    assert call["name"] == "lookup_order"
    assert json.loads(call["result"]) == {"status": "delivered", "total": 12.4}


def test_a_result_that_answers_no_call_stands_alone() -> None:
    lost = Trajectory(messages=({"role": "tool", "tool_call_id": "nobody", "content": "lost"},))
    assert trial_view(record(trajectory=lost))["messages"] == [{"role": "tool", "text": "lost"}]


def test_a_ten_megabyte_reply_is_cut_and_says_so() -> None:
    view = trial_view(record(trajectory=trajectory(reply="x" * 10_000_000)))
    text = view["messages"][-1]["text"]
    assert len(text) < MESSAGE_LIMIT + 200
    assert text.endswith("cut, 9,936,000 more characters; the full text is in the journal")
    assert len(json.dumps(view)) < 100_000


def test_a_trial_of_many_long_messages_stays_bounded() -> None:
    many = Trajectory(messages=tuple({"role": "user", "content": "y" * 60_000} for _ in range(900)))
    messages = trial_view(record(trajectory=many))["messages"]
    assert sum(len(message["text"]) for message in messages) < TRIAL_LIMIT + 1_000
    assert messages[-1]["role"] == "notice"


def test_of_ten_thousand_messages_the_first_and_the_last_are_kept() -> None:
    many = Trajectory(messages=tuple({"role": "user", "content": str(number)} for number in range(10_000)))
    messages = trial_view(record(trajectory=many))["messages"]
    assert len(messages) == FIRST_MESSAGES + 1 + LAST_MESSAGES
    assert (messages[0]["text"], messages[FIRST_MESSAGES]["role"], messages[-1]["text"]) == ("0", "notice", "9999")


def test_arguments_nested_too_deep_to_read_cost_a_notice_and_not_the_report() -> None:
    deep = {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "[" * 100_000}}]}
    view = trial_view(record(trajectory=Trajectory(messages=(deep,))))
    assert "notice" in view or view["messages"][0]["tools"][0]["unreadable"]


def test_an_image_is_named_and_not_carried() -> None:
    content = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 5000}},
    ]
    (message,) = trial_view(record(trajectory=Trajectory(messages=({"role": "user", "content": content},))))["messages"]
    assert message["text"].startswith("look\n[image_url, 5.")
    assert "AAAA" not in message["text"]


def test_an_unmeasured_score_has_no_number() -> None:
    scores = {score["name"]: score for score in trial_view(record())["scores"]}
    assert scores["grounded"]["unmeasured"] == "nothing expected"
    assert scores["grounded"]["value"] == "not measured"
    assert "unmeasured" not in scores["answer"]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text("a\x00\ud800<{[", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["role", "content", "tool_calls", "tool_call_id", "name", "reasoning", "is_error", "x"])


@given(st.lists(st.dictionaries(KEYS, JSON | st.sampled_from(["assistant", "tool", "user"])), max_size=4))
@settings(max_examples=60)
def test_any_json_for_messages_gives_a_view_that_is_json(messages: list[dict[str, object]]) -> None:
    view = trial_view(record(trajectory=Trajectory(messages=tuple(messages))))
    json.dumps(view, default=str).encode("ascii")
    assert "messages" in view or "notice" in view
