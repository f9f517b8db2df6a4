"""What must not reach a recording, and what must not be harmed by that."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.runs.redaction import is_secret_field, kept_headers, redact, redact_text


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-Abc123Def456Ghi789Jkl0",
        "sk-ant-api03-Abc123Def456Ghi789Jkl0_-x",
        "sk_live_51Abc123Def456Ghi789",
        "ghp_Abc123Def456Ghi789Jkl012Mno345Pqr678",
        "github_pat_11ABCDEFG0abcdefghijklmno",
        "glpat-Abc123Def456Ghi789",
        "AKIAIOSFODNN7EXAMPLE",
        "AIzaSyA-Abc123Def456Ghi789Jkl012Mno345P",
        "xoxb-1234567890-abcdefghij",
        "hf_AbcdefghijklmnopqrstuvwxYZ",
        "gsk_Abc123Def456Ghi789Jkl012",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow==\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nMIIEow== and cut off",
    ],
)
def test_what_is_shaped_like_a_key_is_taken_out_of_a_sentence(secret: str) -> None:
    out = redact_text(f"please use {secret} for this")
    assert secret not in out
    assert "MIIE" not in out
    assert out.startswith("please use [redacted ")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abc123def456ghi789", "abc123"),
        ("Authorization: Basic dXNlcjpodW50ZXIyMTIz", "dXNl"),
        ("postgres://app:hunter2@db.example/x", "hunter2"),
        ('{"password": "hunter2"}', "hunter2"),
        ('{"password": "hun\\"ter2"}', "ter2"),
        ('{\\"apiKey\\": \\"hunter2\\"}', "hunter2"),
        ('"{\\\\\\"client_secret\\\\\\":\\\\\\"hunter2\\\\\\"}"', "hunter2"),
    ],
)
def test_credentials_in_texts_are_taken_out(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "A task-oriented assistant for risk-management-and-compliance-work",
        "scikit: from sk-learn import something-else-entirely-long",
        "the bearer of bad news; basic understanding of authentication",
        "call_Abc123Def456Ghi789Jkl012Mno",
        "see https://docs.example/a:b@c and 12:30@noon",
        '{"token": "Hello", "max_tokens": 100, "logprob": -0.1}',
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "name", ["api_key", "apiKey", "API-KEY", "Authorization", "aws_secret_access_key", "x-api-key"]
)
def test_secret_fields_are_known_however_they_are_spelt(name: str) -> None:
    assert is_secret_field(name)
    assert redact({"outer": [{name: "hunter2"}]}) == {"outer": [{name: "[redacted]"}]}


@pytest.mark.parametrize("name", ["max_tokens", "token", "tokens", "keyboard", "key", "secretary"])
def test_names_that_only_look_alike_are_not_secret(name: str) -> None:
    assert not is_secret_field(name)


def test_a_schema_that_has_a_field_called_password_keeps_it() -> None:
    schema = {"properties": {"password": {"type": "string", "description": "the new password"}}}
    assert redact(schema) == schema


def test_headers_are_kept_by_an_allow_list_only() -> None:
    given_ = {"Content-Type": "application/json", "X-Ratelimit-Remaining-Tokens": "5", "X-Anything": "v", "Cookie": "c"}
    assert kept_headers(given_) == {"content-type": "application/json", "x-ratelimit-remaining-tokens": "5"}


PIECES = st.sampled_from(
    [
        "sk-",
        "Bearer ",
        '"password"',
        ":",
        " ",
        '"',
        "\\",
        "abc123DEF456ghi789",
        "eyJ",
        ".",
        "://",
        "@",
        "AKIA",
        "-",
        "x",
    ]
)
TEXTS = st.lists(PIECES, max_size=25).map("".join) | st.text()


@given(TEXTS)
def test_a_second_pass_changes_nothing_so_replayed_conversations_hash_the_same(text: str) -> None:
    once = redact_text(text)
    assert redact_text(once) == once


@given(
    st.recursive(TEXTS | st.integers() | st.none(), lambda i: st.lists(i) | st.dictionaries(TEXTS, i), max_leaves=10)
)
def test_redacting_json_is_idempotent_too(value: Any) -> None:
    once = redact(value)
    assert redact(once) == once


@pytest.mark.parametrize(
    "unit",
    ['"', "\\", "sk-", "eyJ", '"api_key":"', '\\"password\\":\\"', "bearer ", "://", "-----BEGIN PRIVATE KEY-----"],
)
def test_hostile_repetition_of_a_megabyte_is_done_in_time_proportional_to_its_length(unit: str) -> None:
    # A quadratic pattern would need hours here, and the suite's own time limit would tell.
    assert redact_text(unit * (1_000_000 // len(unit)) + "!") is not None
