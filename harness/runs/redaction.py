"""Redaction: what must not reach a recording. Headers by an allow-list, the rest by name of the field and by shape.

- *headers*: only those on the list are kept; everything else is left out, whatever it holds;
- *fields* whose name says secret (``api_key``, ``password``, ...) keep their name and lose their text;
- *texts* lose whatever is shaped like a key: vendors' key prefixes, bearer tokens, JSON Web Tokens, private keys,
  passwords in addresses; also inside JSON that is kept as text (tool arguments).

The placeholder names the shape and is left alone by a second pass, so a replayed conversation, in which the placeholder
comes back, is the same request as the recorded one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

ALLOWED_HEADERS = frozenset(
    {
        "accept",
        "anthropic-beta",
        "anthropic-version",
        "content-type",
        "openai-beta",
        "openai-model",
        "openai-processing-ms",
        "openai-version",
        "retry-after",
        "retry-after-ms",
    }
)
_ALLOWED_PREFIXES = ("x-ratelimit-", "anthropic-ratelimit-")

_SECRET_FIELDS = frozenset(
    {
        "accesskey",
        "accesstoken",
        "apikey",
        "apitoken",
        "authorization",
        "authtoken",
        "awsaccesskeyid",
        "awssecretaccesskey",
        "awssessiontoken",
        "azureadtoken",
        "bearertoken",
        "clientsecret",
        "cookie",
        "idtoken",
        "passwd",
        "password",
        "privatekey",
        "proxyauthorization",
        "refreshtoken",
        "secret",
        "secretkey",
        "sessiontoken",
        "setcookie",
        "vertexcredentials",
        "xapikey",
    }
)
_NAMES = (
    r"(?:aws|azure|x)?[_-]?(?:access|api|auth|bearer|client|id|private|proxy|refresh|secret|session|set)?[_-]?"
    r"(?:key|token|secret|password|passwd|authorization|cookie)"
)
# Bounded everywhere: the text is hostile, and a pattern that looks back and forth in it takes for ever.
_JSON_FIELD = re.compile(rf'"(?P<name>{_NAMES})"\s{{0,20}}:\s{{0,20}}"(?P<value>(?:[^"\\]|\\.)*)"', re.IGNORECASE)
_ESCAPED_FIELD = re.compile(
    rf'(?P<q>\\{{1,15}}")(?P<name>{_NAMES})\\{{1,15}}"\s{{0,20}}:\s{{0,20}}\\{{1,15}}"(?P<value>[^"]*)"', re.IGNORECASE
)

_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "private key",
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----.*?"
            r"(?:-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|\Z)",
            re.DOTALL,
        ),
    ),
    ("json web token", re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}")),
    ("api key", re.compile(r"\b(?:sk|rk|pk)[-_](?=[\w-]{0,64}\d)[\w-]{16,}")),
    ("github token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,})")),
    ("gitlab token", re.compile(r"\bglpat-[\w-]{16,}")),
    ("aws key", re.compile(r"\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}\b")),
    ("google key", re.compile(r"\bAIza[\w-]{30,}|\bya29\.[\w-]{16,}")),
    ("slack token", re.compile(r"\bxox[abeoprs]-[\w-]{10,}")),
    ("hugging face token", re.compile(r"\bhf_[A-Za-z0-9]{20,}")),
    ("provider key", re.compile(r"\b(?:gsk_|xai-|r8_|pplx-|nvapi-|tvly-|fw_)[A-Za-z0-9_-]{20,}")),
    ("bearer token", re.compile(r"(?<=\b(?i:bearer) )\s*(?=[\w.~+/=-]*\d)[\w.~+/=-]{16,}")),
    ("basic credentials", re.compile(r"(?<=\b(?i:basic) )(?=[A-Za-z0-9+/]*[\dA-Z])[A-Za-z0-9+/]{12,}={0,2}")),
    ("password", re.compile(r"(?<=://)[^\s/:@\[\]]{0,100}:[^\s/@\[\]]{1,200}(?=@)")),
)


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that may be stored, names in lower case."""
    out = {}
    for name, value in headers.items():
        lower = name.lower()
        if lower in ALLOWED_HEADERS or lower.startswith(_ALLOWED_PREFIXES):
            out[lower] = redact_text(str(value))
    return out


def redact_text(text: str) -> str:
    """``text`` without what is shaped like a secret."""
    if len(text) < 8:
        return text
    if '"' in text:
        text = _JSON_FIELD.sub(_blank_field, text)
        if "\\" in text:
            text = _ESCAPED_FIELD.sub(_blank_field, text)
    for name, shape in _SHAPES:
        text = shape.sub(f"[redacted {name}]", text)
    return text


def redact(value: Any) -> Any:
    """A copy of a JSON value without secrets, to any depth that JSON itself can have. The input is not changed."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {redact_text(str(key)): _field(str(key), inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact(inner) for inner in value]
    return value


def is_secret_field(name: str) -> bool:
    """Whether a field of this name holds a secret, however it is spelt (``apiKey``, ``API-KEY``, ``api_key``)."""
    return re.sub(r"[^a-z0-9]", "", name.lower()) in _SECRET_FIELDS


def _field(name: str, value: Any) -> Any:
    # A mapping under such a name is a schema or a structure ("password": {"type": "string"}), not a secret.
    if is_secret_field(name) and isinstance(value, (str, int, float, list, tuple)) and not isinstance(value, bool):
        return "[redacted]" if value or value == 0 else value
    return redact(value)


def _blank_field(match: re.Match[str]) -> str:
    if not match["value"].strip("\\") or not is_secret_field(match["name"]):
        return match[0]
    quote = match.groupdict().get("q") or '"'
    return f"{quote}{match['name']}{quote}: {quote}[redacted]{quote}"
