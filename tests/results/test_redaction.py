from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.results.lines import encode
from harness.results.redaction import IDENTITY, Redactor

SECRETS = Redactor("secrets")
PERSONAL = Redactor("personal")

# Assembled here so that no scanner takes this file for a leak.
SECRET_TEXTS = {
    "openai key": "sk-" + "proj-a1B2c3D4e5F6g7H8i9J0",
    "github token": "ghp_" + "a1B2" * 9,
    "aws key": "AKIA" + "ABCDEFGH12345678",
    "google key": "AIza" + "a1B2c3D" * 5,
    "slack token": "xoxb-" + "123456789012-abcdefABCDEF",
    "web token": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0" + ".abc-DEF_123",
}


@pytest.mark.parametrize("name", SECRET_TEXTS)
def test_a_token_of_known_shape_is_gone_wherever_it_stands(name: str) -> None:
    secret = SECRET_TEXTS[name]
    record = {"a": f"see {secret}, ok", "b": {"c": [json.dumps({"x": secret})]}}
    out = SECRETS(encode(record))
    assert secret not in out
    assert json.loads(json.loads(out)["b"]["c"][0]).keys() == {"x"}


@pytest.mark.parametrize(
    "text",
    [
        'api_key="hunter2hunter2"',
        "API-Key: hunter2hunter2",
        json.dumps({"password": "hunter2hunter2"}),
        json.dumps(json.dumps({"client_secret": "hunter2hunter2"})),
        "access_token=hunter2hunter2&x=1",
        "Authorization: Bearer hunter2hunter2hunter2",
        "authorization: basic hunter2hunter2hunter2==",
        "postgres://ada:hunter2hunter2@db/shop",
    ],
)
def test_a_value_beside_a_telling_name_is_gone_and_the_name_stays(text: str) -> None:
    out = json.loads(SECRETS(encode({"message": text})))["message"]
    assert "hunter2" not in out
    assert out.startswith(text[:4])
    assert "[redacted: " in out


def test_a_private_key_is_gone_with_every_line_of_it_also_when_it_is_cut_off() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQ\nabc/+=\n-----END RSA PRIVATE KEY-----"
    for text in (key, key[:60]):
        out = json.loads(SECRETS(encode({"before": "x", "key": f"look: {text}", "after": "y"})))
        assert out == {"before": "x", "key": "look: [redacted: private key]", "after": "y"}


@pytest.mark.parametrize(
    "text",
    [
        '{"input_tokens": 12345678, "cached_tokens": 123456789}',
        "please reset my password because I forgot it",
        "the key: remember your keyboard 12345678",
        "sk-learn is a library; task-oriented-agents-need-evals-too",
        "a bearer of bad news arrives tomorrow at 10",
        "http://127.0.0.1:8000/chat",
        "order 4711-0815-2342, total 19.90",
        "mary@example.com called from +44 20 7946 0958",
    ],
)
def test_ordinary_text_is_left_alone_by_default(text: str) -> None:
    line = encode({"message": text})
    assert SECRETS(line) is line


def test_personal_data_goes_only_when_asked() -> None:
    text = "write to mary.smith+x@mail.example.co.uk or +44 20 7946 0958, card 4111 1111 1111 1111, "
    text += "GB82 WEST 1234 5698 7654 32"
    out = json.loads(PERSONAL(encode({"message": "\n" + text})))["message"]
    assert (
        out == "\nwrite to [redacted: e-mail] or [redacted: telephone], card [redacted: card number], [redacted: IBAN]"
    )


def test_a_number_that_fails_its_checksum_is_no_card() -> None:
    line = encode({"message": "parcel 4111 1111 1111 1112, GB83 WEST 1234 5698 7654 32"})
    assert PERSONAL(line) is line


def test_a_card_number_written_as_a_json_number_still_leaves_json() -> None:
    assert json.loads(PERSONAL('{"card":4111111111111111,"mail":"a@b.example"}'))["mail"] == "[redacted: e-mail]"


def test_the_identity_of_a_record_survives_a_secret_in_it() -> None:
    secret = SECRET_TEXTS["openai key"]
    record: dict[str, Any] = {name: f"{name} {secret}" for name in IDENTITY} | {"failure": secret}
    out = json.loads(SECRETS(encode(record)))
    assert {name: out[name] for name in IDENTITY} == {name: record[name] for name in IDENTITY}
    assert secret not in out["failure"]


def test_letters_that_grow_when_lowered_do_not_shift_what_is_cut() -> None:
    secret = SECRET_TEXTS["github token"]
    out = json.loads(SECRETS(encode({"message": f"İİİİ {secret} ende"})))
    assert out["message"] == "İİİİ [redacted: token] ende"


def test_redacting_twice_changes_nothing_more() -> None:
    line = SECRETS(encode({"message": " ".join(SECRET_TEXTS.values()) + " password=hunter2hunter2"}))
    assert SECRETS(line) is line


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(UsageError, match="'secrets' or 'personal', got 'all'"):
        Redactor("all")


PIECES = st.sampled_from(
    [
        *SECRET_TEXTS.values(),
        'api_key="',
        "\\",
        '"',
        "\n",
        "-----BEGIN PRIVATE KEY-----",
        "://a:b@",
        "Bearer ",
        "x1" * 9,
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(PIECES, st.text(max_size=6))), st.booleans())
def test_whatever_is_redacted_the_line_stays_json_of_the_same_shape(pieces: list[str], nested: bool) -> None:
    text = "".join(pieces)
    value = {"a": json.dumps({"b": text}) if nested else text, "c": [text], "n": 1}
    out = json.loads(PERSONAL(encode(value)))
    assert out.keys() == value.keys()
    assert out["n"] == 1
    assert len(out["c"]) == 1
