"""SecretsGuard: known shapes and named values go, words about secrets stay."""

from __future__ import annotations

import json
import random
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.decision import Event
from harness.guardrails.pii import Vault
from harness.guardrails.secrets import SecretsGuard

ROOT = Path(__file__).parents[2]
GUARD = SecretsGuard()
ROWS = [json.loads(line) for line in (ROOT / "golden_datasets/secrets/cases.jsonl").read_text().splitlines()]
ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
SHAPES = {
    "aws": ("AKI" + "A", string.ascii_uppercase + "234567", 16),
    "github": ("gh" + "p_", ALNUM, 36),
    "gitlab": ("glpa" + "t-", ALNUM, 20),
    "google": ("AIz" + "a", ALNUM + "_-", 35),
    "openai": ("s" + "k-proj-", ALNUM, 48),
    "anthropic": ("s" + "k-ant-api03-", ALNUM, 80),
    "stripe": ("sk_liv" + "e_", ALNUM, 24),
    "hugging face": ("h" + "f_", ALNUM, 34),
    "npm": ("np" + "m_", ALNUM, 36),
    "digitalocean": ("dop_v" + "1_", HEX, 64),
    "shopify": ("shpa" + "t_", HEX, 32),
    "vault": ("hv" + "s.", ALNUM, 90),
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["id"]))
def test_every_golden_row_is_found_at_its_exact_places(row: dict) -> None:
    found = [{"start": one.start, "end": one.end, "category": one.category} for one in GUARD.detect(row["input"])]
    assert found == row["metadata"]["spans"]


@pytest.mark.parametrize("name", SHAPES)
def test_no_key_of_three_hundred_of_an_issuer_is_missed(name: str) -> None:
    prefix, alphabet, size = SHAPES[name]
    chance = random.Random(name)
    around = (
        "{}",
        "key={}",
        '{{"k": "{}"}}',
        "use {}, please",
        "`{}`",
        "token:{}\n",
        "<{}>",
        "密钥{}。",
        "https://x.example/?t={}&b=1",
    )
    for _ in range(300):
        # A digit somewhere, as every real one has.
        value = prefix + "7" + "".join(chance.choices(alphabet, k=size - 1))
        text = chance.choice(around).format(value)
        start = text.index(value)
        assert any(one.start <= start and one.end >= start + len(value) for one in GUARD.detect(text)), text


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [row["input"] for row in ROWS]
            + [" ", "\n", "password: ", "x", '"', "://", "@", "'", "=", "[redacted:api_key]"]
        ),
        max_size=5,
    ).map("".join)
)
def test_redacting_twice_is_redacting_once(text: str) -> None:
    once = GUARD.redact(text)
    assert GUARD.redact(once) == once


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row["metadata"]["label"] == "attack"], ids=lambda row: str(row["id"])
)
def test_no_secret_is_left_in_text_reason_or_repr(row: dict) -> None:
    decision = GUARD.check(Event(kind="output", text=row["input"]))
    for span in row["metadata"]["spans"]:
        value = row["input"][span["start"] : span["end"]]
        assert value not in (decision.text or "")
        assert value not in repr(decision)


def test_json_stays_json() -> None:
    text = '{"password": "hunter22", "port": 5432, "dsn": "postgres://a:p4ssw0rd@db/x"}'
    assert json.loads(GUARD.redact(text)) == {
        "password": "[redacted:password]",
        "port": 5432,
        "dsn": "postgres://a:[redacted:url_password]@db/x",
    }


def test_a_vault_gives_secrets_back_as_well() -> None:
    vault = Vault(bytes(32))
    text = "postgres://a:p4ssw0rd@db/x"
    redacted = SecretsGuard(vault=vault).redact(text)
    assert "p4ss" not in redacted
    assert vault.restore(redacted) == text


def test_a_private_key_in_escapes_is_one_finding() -> None:
    lines = "\\n".join(["-----BEGIN " + "PRIVATE KEY-----", "MIIE" + "abcd1234" * 7, "-----END " + "PRIVATE KEY-----"])
    assert [one.category for one in GUARD.detect(f'{{"k": "{lines}"}}')] == ["private_key"]


@pytest.mark.parametrize(
    "sign", ["sk-", "eyJ", "password=", "-----BEGIN ", "://a:b", "xoxb-1", "token: '", "\\u0041", "M"]
)
def test_a_text_made_of_one_hostile_piece_is_judged_to_its_end(sign: str) -> None:
    text = sign * (60_000 // len(sign)) + " see postgres://a:p4ssw0rd@db/x"
    assert GUARD.detect(text)[-1].end == len(text) - len("@db/x")
