"""What must not reach the journal: secrets by default, personal data when asked.

Works on the JSON text of a whole line, so that nothing nested is overlooked and a line without a suspicion costs a
handful of substring searches. What is found is replaced by ``[redacted: <what>]``; the record's identity (suite, case,
hashes) is never touched, so a redacted run still resumes, merges and compares.

- *secret*: private keys, provider tokens of known shape, bearer and basic credentials, passwords in addresses, JSON Web
  Tokens, and values of at least 8 characters with a digit beside a name such as ``api_key`` or ``password``.
- *personal*: e-mail addresses, telephone numbers in international form, payment card numbers (Luhn checked), IBANs
  (checksum checked). Names and addresses of people need a model and are not looked for.

This is a net, not a proof: a secret of no known shape under an innocent name goes through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.errors import UsageError
from harness.results.lines import decode, encode
from harness.results.suspects import PERSONAL, SECRETS, Suspect

IDENTITY = ("suite", "arm", "case_id", "case_hash", "trial", "nodeid", "dataset", "config_hash", "cluster")
_UPPER = re.compile("[A-Z]+")


class Redactor:
    """Takes secrets (and personal data) out of journal lines. Call it with the JSON text of a record.

    :param what: ``secrets``, or ``personal`` for secrets and personal data.
    """

    def __init__(self, what: str = "secrets") -> None:
        if what not in ("secrets", "personal"):
            raise UsageError(f"what to redact must be 'secrets' or 'personal', got {what!r}")
        self.what = what
        self._suspects = SECRETS + (PERSONAL if what == "personal" else ())

    def __call__(self, line: str) -> str:
        """The line without what was looked for; the same object when there is nothing.

        :raises ValueError: the line is not JSON (a journal line always is).
        """
        clean = self.text(line)
        if clean is line:
            return line
        before = decode(line)
        try:
            record = decode(clean)
        except ValueError:
            # A replacement broke the JSON (a bare number, say): slower, value by value, but it cannot.
            record = self._values(before)
        if isinstance(record, dict) and isinstance(before, dict):
            record.update({name: before[name] for name in IDENTITY if name in before})
        return encode(record)

    def text(self, text: str) -> str:
        """Any text without what was looked for; the same object when there is nothing. Linear in its length."""
        lower = _lower(text)
        found: list[tuple[int, int, str]] = []
        for suspect in self._suspects:
            if not suspect.hints:
                found.extend(_everywhere(suspect, text))
            for hint in suspect.hints:
                if hint in lower:
                    found.extend(_at_hints(suspect, hint, text, lower))
        return _replaced(text, found) if found else text

    def _values(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self._values(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._values(item) for item in value]
        return value


_SECRETS_ONLY = Redactor("secrets")


def redact_text(line: str) -> str:
    """A journal line without secrets: ``Redactor("secrets")``, ready made."""
    return _SECRETS_ONLY(line)


def _lower(text: str) -> str:
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    # A few letters grow when lowered; places must stay the same, and every hint is ASCII.
    return _UPPER.sub(lambda match: match[0].lower(), text)


def _at_hints(suspect: Suspect, hint: str, text: str, lower: str) -> Iterator[tuple[int, int, str]]:
    at = lower.find(hint)
    while at >= 0:
        match = suspect.pattern.match(text, at)
        span = suspect.span(match) if match else None
        if span is not None:
            yield (*span, suspect.name)
        at = lower.find(hint, at + len(hint) if span is None else max(span[1], at + len(hint)))


def _everywhere(suspect: Suspect, text: str) -> Iterator[tuple[int, int, str]]:
    for match in suspect.pattern.finditer(text):
        span = suspect.span(match)
        if span is not None:
            yield (*span, suspect.name)


def _replaced(text: str, found: list[tuple[int, int, str]]) -> str:
    parts: list[str] = []
    done = 0
    for start, end, name in sorted(found):
        if start < done:  # inside something already taken out; what sticks out behind goes as well
            done = max(done, end)
            continue
        parts += [text[done:start], f"[redacted: {name}]"]
        done = end
    parts.append(text[done:])
    return "".join(parts)
