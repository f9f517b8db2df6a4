"""Vault: tokens in the place of personal data, and the way back for whoever holds the vault.

The words:

- *token*: ``[vault:email:kqtrbdmfhgnpcjvs]``. The letters are 64 bits of an HMAC under the vault's key, so one value
  is always one token (a model can speak of the same person twice) and a token says nothing about its value.
- *restore*: tokens of this vault become values again, in a text or in JSON; other tokens stay.
- *sealed*: the whole table, encrypted under the same key, to be kept or sent (:mod:`harness.guardrails.pii.sealing`).

Values are in memory in plain text while the vault lives; its repr shows how many, not which.
"""

from __future__ import annotations

import hmac
import json
import re
import threading

from harness.guardrails.pii.sealing import checked_key, derived, seal, unseal
from harness.guardrails.spans.json_text import is_json

_LETTERS = "bcdfghjkmnpqrstv"
_TOKEN = re.compile(r"\[vault:[a-z][a-z_]{0,30}[a-z0-9]:[a-z]{16,64}\]")
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')


class Vault:
    """The table of tokens and values. Safe to use from several threads.

    :param key: at least 32 random bytes; keep it as you keep a password.
    :raises UsageError: for a short key.
    """

    def __init__(self, key: bytes) -> None:
        self._key = checked_key(key)
        self._naming = derived(key, "token")
        self._values: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Vault({len(self._values)} values)"

    def __reduce__(self) -> str:
        raise TypeError("a vault is not pickled: it holds its key; use vault.sealed() and Vault.unsealed()")

    def __len__(self) -> int:
        return len(self._values)

    def token(self, category: str, value: str, *, kind: str = "text") -> str:
        """The token of a value, now known to this vault.

        :param kind: ``text``; ``json`` for the inside of a JSON string as it was written; ``number`` for a JSON number.
        """
        kind = "text" if kind == "json" and "\\" not in value else kind
        message = json.dumps([kind, category, value]).encode()
        digest = hmac.digest(self._naming, message, "sha256").hex()
        with self._lock:
            for size in range(16, 65, 8):
                name = "".join(_LETTERS[int(digit, 16)] for digit in digest[:size])
                token = f"[vault:{category}:{name}]"
                if self._values.setdefault(token, (kind, value)) == (kind, value):
                    break
        return token

    def restore(self, text: str) -> str:
        """``text`` with the values in the place of this vault's tokens; JSON stays JSON."""
        if not is_json(text):
            return _TOKEN.sub(lambda match: self._in_text(match[0]), text)
        return _STRING.sub(lambda match: self._in_json(match[0]), text)

    def sealed(self) -> bytes:
        """The table, encrypted and authenticated under the key."""
        with self._lock:
            table = json.dumps(self._values, sort_keys=True)
        return seal(table.encode(), self._key)

    @classmethod
    def unsealed(cls, sealed: bytes, key: bytes) -> Vault:
        """The vault that was sealed.

        :raises FormatError: damaged, or another key.
        """
        vault = cls(key)
        table = json.loads(unseal(sealed, key))
        vault._values = {token: (kind, value) for token, (kind, value) in table.items()}
        return vault

    def _in_text(self, token: str) -> str:
        kind, value = self._values.get(token, ("text", token))
        if kind == "json":
            try:
                return str(json.loads(f'"{value}"'))
            except ValueError:
                return value
        return value

    def _in_json(self, string: str) -> str:
        kind, value = self._values.get(string[1:-1], ("text", ""))
        if kind == "number":
            return value
        return _TOKEN.sub(lambda match: self._escaped(match[0]), string)

    def _escaped(self, token: str) -> str:
        kind, value = self._values.get(token, ("text", token))
        return value if kind == "json" else json.dumps(value, ensure_ascii=False)[1:-1]
