"""Vault: the way back for who holds it, nothing for anybody else."""

from __future__ import annotations

import json
import pickle
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import FormatError, UsageError
from harness.guardrails.pii import PiiGuard, Vault
from harness.guardrails.pii.sealing import seal, unseal
from tests.guardrails.test_pii import TEXTS, json_values

KEY = bytes(range(32))


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_what_a_vault_took_out_of_a_text_it_puts_back_to_the_letter(text: str) -> None:
    vault = Vault(KEY)
    assert vault.restore(PiiGuard(vault=vault).redact(text)) == text


@settings(max_examples=100, deadline=None)
@given(st.lists(json_values, max_size=4), st.booleans())
def test_json_comes_back_as_the_same_json_numbers_included(value: list, ascii_only: bool) -> None:
    vault = Vault(KEY)
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert json.loads(vault.restore(PiiGuard(vault=vault).redact(text))) == json.loads(text)


def test_a_value_out_of_a_text_is_escaped_when_it_comes_back_into_json() -> None:
    vault = Vault(KEY)
    token = PiiGuard(vault=vault).redact('"j..d"@example.com')
    assert json.loads(vault.restore(json.dumps({"to": token}))) == {"to": '"j..d"@example.com'}


def test_one_value_is_one_token_in_every_text_and_another_value_is_another() -> None:
    guard = PiiGuard(vault=Vault(KEY))
    first, again = guard.redact("to a@example.com"), guard.redact("cc a@example.com")
    assert first.split()[1] == again.split()[1] != guard.redact("to b@example.com").split()[1]


def test_tokens_depend_on_the_key_and_say_nothing_of_the_value() -> None:
    one, two = Vault(KEY), Vault(KEY[::-1])
    assert one.token("email", "a@example.com") != two.token("email", "a@example.com")
    assert two.restore(one.token("email", "a@example.com")) == one.token("email", "a@example.com")


def test_tokens_are_not_redacted_again() -> None:
    guard = PiiGuard(vault=Vault(KEY))
    once = guard.redact("a@example.com, 4111 1111 1111 1111")
    assert guard.redact(once) == once


def test_neither_repr_nor_pickle_gives_a_value_or_the_key_away() -> None:
    vault = Vault(KEY)
    guard = PiiGuard(vault=vault)
    guard.redact("a@example.com")
    assert repr(vault) == "Vault(1 values)"
    assert "example" not in repr(guard)
    with pytest.raises(TypeError, match="sealed"):
        pickle.dumps(vault)


def test_a_sealed_vault_opens_with_its_key_only_and_only_unchanged() -> None:
    vault = Vault(KEY)
    redacted = PiiGuard(vault=vault).redact("to a@example.com")
    sealed = vault.sealed()
    assert b"example" not in sealed
    assert Vault.unsealed(sealed, KEY).restore(redacted) == "to a@example.com"
    with pytest.raises(FormatError):
        Vault.unsealed(sealed, KEY[::-1])


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.data())
def test_a_seal_holds_against_every_changed_bit(plain: bytes, data: st.DataObject) -> None:
    sealed = seal(plain, KEY)
    assert unseal(sealed, KEY) == plain
    place = data.draw(st.integers(0, len(sealed) * 8 - 1))
    changed = bytearray(sealed)
    changed[place // 8] ^= 1 << place % 8
    with pytest.raises(FormatError):
        unseal(bytes(changed), KEY)


@pytest.mark.parametrize("key", [b"short", "x" * 32, b""])
def test_a_key_that_is_no_key_is_refused(key: object) -> None:
    with pytest.raises(UsageError, match="32 random bytes"):
        Vault(key)  # type: ignore[arg-type]


def test_many_threads_share_one_vault_without_losing_a_value() -> None:
    vault = Vault(KEY)
    guard = PiiGuard(vault=vault)
    outs: list[str] = []

    def work(number: int) -> None:
        outs.extend(guard.redact(f"to u{at}@example.com") for at in range(number, number + 50))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(0, 100, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outs) == 500
    assert {vault.restore(out) for out in outs} == {f"to u{at}@example.com" for at in range(140)}
