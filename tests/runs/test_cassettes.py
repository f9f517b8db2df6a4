"""Recordings: found by request, trial and occurrence; whole or not at all; honest when missing."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import FormatError, HarnessError, RecordingMissing
from harness.core.exchange import Exchange, Reply
from harness.core.usage import Usage
from harness.runs.cassettes import Cassette, Cassettes, slug
from harness.runs.nearest import difference
from harness.runs.recording_format import canonical_request, reply_from_json, reply_to_json

KEY = "sk-proj-Abc123Def456Ghi789Jkl0"


def ask(text: str, **more: Any) -> Exchange:
    body = {"messages": [{"role": "user", "content": text}], "temperature": 0, **more}
    return Exchange(provider="api.openai.com", operation="chat", model="gpt-4o-mini", body=body)


def record(cassette: Cassette, trial: int, *said: tuple[str, str]) -> None:
    tape = cassette.tape(trial)
    for question, answer in said:
        tape.record(tape.ticket(ask(question)), Reply(body={"a": answer}))
    tape.end()


def play(cassette: Cassette, trial: int, *questions: str) -> list[Any]:
    tape = cassette.tape(trial)
    return [tape.play(tape.ticket(ask(question))).body["a"] for question in questions]


def test_the_same_request_made_twice_gets_both_replies_in_order(tmp_path: Path) -> None:
    record(Cassette(tmp_path / "c.json"), 0, ("q", "first"), ("q", "second"))
    assert play(Cassette(tmp_path / "c.json"), 0, "q", "q") == ["first", "second"]


def test_a_third_time_that_was_not_recorded_is_missing(tmp_path: Path) -> None:
    record(Cassette(tmp_path / "c.json"), 0, ("q", "first"), ("q", "second"))
    with pytest.raises(RecordingMissing):
        play(Cassette(tmp_path / "c.json"), 0, "q", "q", "q")


def test_a_trial_never_gets_the_reply_of_another_trial(tmp_path: Path) -> None:
    record(Cassette(tmp_path / "c.json"), 0, ("q", "zero"))
    record(Cassette(tmp_path / "c.json"), 1, ("q", "one"))
    assert play(Cassette(tmp_path / "c.json"), 1, "q") == ["one"]
    with pytest.raises(RecordingMissing, match="has it for trial 0, 1"):
        play(Cassette(tmp_path / "c.json"), 2, "q")


def test_two_trials_in_flight_of_one_case_both_land_in_the_file(tmp_path: Path) -> None:
    cassettes = Cassettes("record", root=tmp_path)
    one = cassettes.for_case(tmp_path / "c.json").tape(0)
    two = cassettes.for_case(tmp_path / "c.json").tape(1)
    first, second = one.ticket(ask("q")), two.ticket(ask("q"))
    two.record(second, Reply(body={"a": "one"}))
    one.record(first, Reply(body={"a": "zero"}))
    two.end()
    one.end()
    assert [play(Cassette(tmp_path / "c.json"), trial, "q") for trial in (0, 1)] == [["zero"], ["one"]]


def test_calls_side_by_side_keep_the_order_they_started_in(tmp_path: Path) -> None:
    tape = Cassette(tmp_path / "c.json").tape(0)
    early, late = tape.ticket(ask("q")), tape.ticket(ask("q"))
    tape.record(late, Reply(body={"a": "late"}))
    tape.record(early, Reply(body={"a": "early"}))
    tape.end()
    assert play(Cassette(tmp_path / "c.json"), 0, "q", "q") == ["early", "late"]


def test_recording_again_replaces_the_trial_and_leaves_the_others(tmp_path: Path) -> None:
    record(Cassette(tmp_path / "c.json"), 0, ("q", "old"), ("extra", "old"))
    record(Cassette(tmp_path / "c.json"), 1, ("q", "kept"))
    record(Cassette(tmp_path / "c.json"), 0, ("q", "new"))
    assert play(Cassette(tmp_path / "c.json"), 0, "q") == ["new"]
    assert play(Cassette(tmp_path / "c.json"), 1, "q") == ["kept"]
    with pytest.raises(RecordingMissing):
        play(Cassette(tmp_path / "c.json"), 0, "extra")


def test_a_trial_that_broke_off_leaves_the_old_recording(tmp_path: Path) -> None:
    record(Cassette(tmp_path / "c.json"), 0, ("q", "old"))
    tape = Cassette(tmp_path / "c.json").tape(0)
    tape.record(tape.ticket(ask("q")), Reply(body={"a": "half"}))
    tape.end(keep=False)
    assert play(Cassette(tmp_path / "c.json"), 0, "q") == ["old"]


def test_the_same_calls_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        cassette = Cassette(tmp_path / name, case_id="c")
        for trial in (1, 0) if name == "a.json" else (0, 1):
            record(cassette, trial, ("x", "1"), ("y", "2"))
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert json.loads((tmp_path / "a.json").read_text())["format"] == 1


def test_no_secret_reaches_the_file_and_replay_still_finds_the_call(tmp_path: Path) -> None:
    def with_secrets(key: str) -> Exchange:
        return Exchange(
            provider="p",
            operation="http",
            url=f"https://user:hunter2@host.example/v1?api_key={key}&page=2",
            headers={"Authorization": f"Bearer {key}", "X-Custom": key, "Content-Type": "application/json"},
            body={"api_key": key, "text": f"use {key} please", "arguments": json.dumps({"password": "hunter2"})},
        )

    cassette = Cassette(tmp_path / "c.json")
    tape = cassette.tape(0)
    reply = Reply(body={"echo": KEY}, headers={"Set-Cookie": "session=abc", "x-ratelimit-remaining-requests": "9"})
    tape.record(tape.ticket(with_secrets(KEY)), reply)
    tape.end()
    text = (tmp_path / "c.json").read_text()
    for secret in (KEY, "hunter2", "session=abc", "X-Custom", "x-custom"):
        assert secret not in text
    assert "page=2" in text
    assert "x-ratelimit-remaining-requests" in text
    again = Cassette(tmp_path / "c.json").tape(0)
    # A colleague replays with another key, or with none.
    assert again.play(again.ticket(with_secrets("sk-other-Zyx987Wvu654Tsr321Qpo"))).body == {
        "echo": "[redacted api key]"
    }


def test_the_message_shows_the_nearest_request_with_a_difference_and_the_flag(tmp_path: Path) -> None:
    record(Cassette(tmp_path / "c.json"), 0, ("Where is my parcel?", "a"), ("Cancel order 17, please.", "b"))
    with pytest.raises(RecordingMissing) as caught:
        play(Cassette(tmp_path / "c.json"), 0, "Cancel order 18, please.")
    message = str(caught.value)
    assert '-    "content": "Cancel order 17, please.",' in message
    assert '+    "content": "Cancel order 18, please.",' in message
    assert "parcel" not in message
    assert message.endswith("--harness-mode=record")


def test_the_message_stays_short_for_huge_requests(tmp_path: Path) -> None:
    long = "\n".join(f"line {number} " + "x" * 300 for number in range(3000))
    tape = Cassette(tmp_path / "c.json").tape(0)
    tape.record(tape.ticket(ask("q", extra=[long] * 2 + list(range(5000)))), Reply(body={}))
    tape.end()
    again = Cassette(tmp_path / "c.json").tape(0)
    with pytest.raises(RecordingMissing) as caught:
        again.play(again.ticket(ask("other", extra=list(range(5000, 9000)))))
    message = str(caught.value)
    assert len(message) < 4000
    assert len(message.splitlines()) < 50
    assert message.endswith("--harness-mode=record")


def test_a_difference_has_at_most_forty_lines() -> None:
    shown = difference({"body": list(range(1000))}, {"body": list(range(500, 2000))})
    assert len(shown.splitlines()) <= 41


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"format": 1}', '{"format": 1, "calls": [{"key": 3}]}', '{"format": 1, "calls": 7}', "null"],
)
def test_a_damaged_file_is_named_and_never_taken_for_an_empty_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "c.json").write_text(content)
    with pytest.raises(FormatError, match=r"c\.json is damaged"):
        play(Cassette(tmp_path / "c.json"), 0, "q")


def test_a_newer_format_is_refused_politely(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"format": 2, "tracks": []}')
    with pytest.raises(FormatError, match="format 2; this version reads 1"):
        play(Cassette(tmp_path / "c.json"), 0, "q")


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    record(Cassette(tmp_path / "c.json"), 0, ("q", "old"))
    blocked = tmp_path / "c.json" / "d.json"  # a file is in the way of the folder
    with pytest.raises(HarnessError, match="cannot"):
        record(Cassette(blocked), 0, ("q", "new"))
    assert [path.name for path in tmp_path.iterdir()] == ["c.json"]
    assert play(Cassette(tmp_path / "c.json"), 0, "q") == ["old"]


def test_replies_with_lone_surrogates_and_control_characters_come_back_as_they_were(tmp_path: Path) -> None:
    odd = "\ud800 \x00\x1b[31m <script> é 漢"
    record(Cassette(tmp_path / "c.json"), 0, ("q", odd))
    assert play(Cassette(tmp_path / "c.json"), 0, "q") == [odd]


def test_modules_of_one_folder_with_tests_of_one_name_do_not_share_recordings(tmp_path: Path) -> None:
    cassettes = Cassettes("replay", root=tmp_path)
    one = cassettes.path_of("suites/desk/test_a.py::test_it", "c")
    two = cassettes.path_of("suites/desk/test_b.py::test_it", "c")
    assert one == tmp_path / "suites/desk/recordings/test_a/test_it/c.json"
    assert one != two


def test_a_cassette_is_let_go_when_no_trial_holds_it(tmp_path: Path) -> None:
    cassettes = Cassettes("replay", root=tmp_path)
    for number in range(50):
        cassettes.for_case(tmp_path / f"{number}.json").tape(0)
    assert len(cassettes._open) == 0


@given(st.text(), st.text())
def test_different_ids_have_different_safe_file_names(one: str, two: str) -> None:
    name = slug(one)
    assert name
    assert name == name.lower()
    assert not set(name) & set("/\\:\0")
    assert name not in (".", "..")
    assert not name.startswith(".")
    assert len(name) <= 90
    assert (slug(one) == slug(two)) == (one == two)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON))
def test_any_body_can_be_asked_for_again(body: dict[str, Any]) -> None:
    given_ = Exchange(provider="p", operation="http", body=body)
    canonical = canonical_request(given_)
    stored = json.loads(json.dumps(canonical))
    assert stored == canonical
    assert canonical_request(Exchange(provider="p", operation="http", body=stored["body"])) == canonical


def test_a_reply_keeps_everything_that_evaluators_and_accounts_need() -> None:
    reply = Reply(
        body={"x": 1},
        status=201,
        usage=Usage(input_tokens=5, output_tokens=2),
        cost_usd=Decimal("0.0000001"),
        latency_s=1.25,
        ttft_s=0.5,
    )
    back = reply_from_json(json.loads(json.dumps(reply_to_json(reply))))
    assert (back.body, back.status, back.usage, back.cost_usd) == (reply.body, 201, reply.usage, reply.cost_usd)
    assert (back.latency_s, back.ttft_s, back.replayed) == (1.25, 0.5, True)


def test_threads_that_record_trials_of_one_case_lose_none(tmp_path: Path) -> None:
    cassettes = Cassettes("record", root=tmp_path)
    cassette = cassettes.for_case(tmp_path / "c.json")

    async def main() -> None:
        await asyncio.gather(*(asyncio.to_thread(record, cassette, trial, ("q", str(trial))) for trial in range(12)))

    asyncio.run(main())
    assert [play(Cassette(tmp_path / "c.json"), trial, "q") for trial in range(12)] == [[str(t)] for t in range(12)]
