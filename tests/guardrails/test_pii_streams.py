"""Streams: whatever the pieces, what comes out is what redacting the whole gives; and it comes early in plain prose."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.guardrails.pii import PiiGuard
from harness.guardrails.secrets import SecretsGuard
from harness.guardrails.spans.stream import StreamBroken
from tests.guardrails.test_pii import PIECES

GUARDS = {"pii": PiiGuard(), "secrets": SecretsGuard(), "patterns": PiiGuard(patterns={"badge": r"EMP-\d{4}"})}
SECRETS = st.sampled_from(
    ["password = ", "my password is ", "hunter2", '"', "'",
     "-----BEGIN RSA PRIVATE KEY-----", "MIIEowIBAAKCAQEA1234567890",
     "-----END RSA PRIVATE KEY-----", "ghp_" + "a1B2" * 9, "sk-" + "a1B2" * 9,
     "Authorization: Bearer ", "abc123def456ghi789",
     "postgres://app:", "h0rse", "@db/x", "EMP-1234", "passphrase: 'correct horse 9 battery'", "token", ": "]
)  # fmt: skip
TEXTS = st.lists(PIECES | SECRETS, max_size=40).map("".join)


@pytest.mark.parametrize("name", GUARDS)
@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(1, 4), st.sampled_from([1, 4, 40, 3000]), st.integers())
def test_a_stream_in_any_pieces_equals_the_whole(name: str, text: str, times: int, longest: int, seed: int) -> None:
    guard, chance = GUARDS[name], random.Random(seed)
    text *= times
    stream, out, at = guard.stream(), [], 0
    while at < len(text):
        size = chance.randint(1, longest)
        out.append(stream.feed(text[at : at + size]))
        at += size
    out.append(stream.finish())
    assert "".join(out) == guard.redact(text)
    assert stream.findings == guard.detect(text)


def test_plain_prose_is_released_while_it_is_spoken() -> None:
    stream = PiiGuard().stream()
    released = [stream.feed(word + " ") for word in ("Of course I can help you with that " * 10).split()]
    assert len("".join(released)) > 300
    assert max(map(len, released)) < 60


def test_a_value_split_over_pieces_is_never_released_in_part() -> None:
    stream = PiiGuard().stream()
    out = [
        stream.feed(sign)
        for sign in "Sure, the card is 4111 1111 1111 1111 and it is valid until the end of next year."
    ]
    out.append(stream.finish())
    assert "".join(out) == "Sure, the card is [redacted:credit_card] and it is valid until the end of next year."
    assert not any("4111" in piece for piece in out)


def test_json_is_kept_back_until_it_is_whole() -> None:
    stream = PiiGuard().stream()
    assert stream.feed('{"ssn": 5362') == ""
    assert stream.feed("28710}") == ""
    assert stream.finish() == '{"ssn": "[redacted:ssn]"}'


def test_a_long_stream_without_any_space_is_still_released() -> None:
    stream = PiiGuard().stream()
    out = "".join(stream.feed("4" * 100) for _ in range(100))
    assert len(out) > 5000


def test_a_stream_that_cannot_be_judged_releases_nothing_more_and_says_nothing_of_its_text() -> None:
    guard = PiiGuard(patterns={"slow": r"(?=(a+)+$)b"}, pattern_timeout_s=0.2)
    stream = guard.stream()
    with pytest.raises(StreamBroken) as caught:
        stream.feed("hello there jane\n" + "a" * 60 + "!\nmore of it\n")
        stream.finish()
    assert "aaa" not in str(caught.value)
    with pytest.raises(StreamBroken, match="broken before"):
        stream.feed("x")


def test_a_finished_stream_takes_no_more() -> None:
    stream = PiiGuard().stream()
    stream.finish()
    with pytest.raises(StreamBroken, match="finished"):
        stream.feed("x")


def test_a_space_inside_the_last_line_of_a_private_key_is_not_the_end_of_it() -> None:
    text = "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIE\n-----END " + "RSA PRIVATE KEY----- and that was it, I am afraid"
    stream = SecretsGuard().stream()
    out = "".join([stream.feed(word + " ") for word in text.split(" ")]) + stream.finish()
    assert out == "[redacted:private_key] and that was it, I am afraid "
