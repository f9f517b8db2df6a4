"""SecretsGuard: finds API keys, tokens, private keys and passwords, and takes them out.

Categories: ``api_key``, ``access_token``, ``private_key``, ``password``, ``url_password``. A secret of no known shape
under an innocent name is not found: entropy alone would also find every hash, identifier and picture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.guardrails.secrets import named, shapes
from harness.guardrails.spans import Span
from harness.guardrails.spans.redacting import RedactingGuard

_QUOTING = re.compile(
    r"(?:pass|pwd|kennwort|contrase|token|secret|key)[^\n\"'`]{0,40}[\"'`][^\"'`\n]*\Z", re.IGNORECASE
)

_END = re.compile(r"-----END [A-Z0-9 ]{1,90}-----")
_WORDS = re.compile(r"(?:[\s,.;!?]|[A-Za-z'\u2019]{1,15}(?![A-Za-z'\u2019]))*+")
_NAMES = re.compile(r"pass|pwd|kennwort|contrase|token|secret|key|bearer|basic|authoriz|user|BEGIN", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class SecretsGuard(RedactingGuard):
    """Redacts (or blocks) secrets. Thread-safe; fails closed.

    >>> SecretsGuard().redact("postgres://app:h0rse-battery@db/orders")
    'postgres://app:[redacted:url_password]@db/orders'
    """

    name: str = "secrets"
    version: str = "1"

    reach = 2 * shapes.MAX_BLOCK
    quiet = 0

    def found(self, text: str) -> list[Span]:
        """All that is found in the text of a view, however unsure."""
        return [*shapes.find(text), *named.find(text)]

    def plain(self, text: str, before: str) -> bool:
        """Short words of letters alone, and no name of a secret anywhere near."""
        return _WORDS.fullmatch(text) is not None and _NAMES.search(before[-400:] + text) is None

    def open_at(self, pending: str) -> bool:
        """A private key and a quoted password have spaces in them, and escapes may hide one."""
        begun = pending.rfind("-----BEGIN")
        if begun >= 0 and not _END.search(pending, begun):
            return True
        return _QUOTING.search(pending[-400:]) is not None or any(sign in pending for sign in "\\%&")
