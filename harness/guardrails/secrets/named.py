"""Named: secrets that look like nothing, known by the name beside them or by their place in an address.

The words:

- *named*: ``password = "..."``, ``API_KEY: ...``, ``{"client_secret": "..."}``, ``my password is ...``, headers
  (``Authorization: Bearer ...``), query parameters. The value is redacted, the name stays.
- *a word for a value*: ``password: required``, ``token: string``, ``${DB_PASSWORD}``, ``your-api-key-here``, ``****``:
  nothing is given away, nothing is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.guardrails.secrets.shapes import API_KEY, TOKEN
from harness.guardrails.spans import Span

PASSWORD = "password"  # noqa: S105 - the name of a category
URL_PASSWORD = "url_password"  # noqa: S105 - the name of a category

_MAX = 256
_NAMED = re.compile(
    r"(?P<password>pass(?:word|wd|phrase|code)|passwort|pwd|kennwort|contraseña)"
    r"|(?P<token>(?:access|refresh|auth|session|bearer|id|api|oauth|bot|csrf|x-auth)[_ -]?token|(?<![a-z])token)"
    r"|(?P<key>api[_ -]?key|access[_ -]?key(?:[_ -]?id)?"
    r"|(?:private|signing|encryption|master|account|shared|subscription)[_ -]?key"
    r"|(?:client|app|webhook|shared|consumer)?[_ -]?secret(?:[_ -]?(?:access)?[_ -]?key)?)",
    re.IGNORECASE,
)
# Behind the name: the value, quoted or not.
_VALUE = re.compile(
    r"(?P<end>s?[\"'`]?[ \t]{0,8})(?P<sign>=>|:=|==|[:=]|(?:is|was|ist)(?=[ \t:]))[ \t]{0,4}(?:is[ \t]{1,3})?"
    rf"(?:(?P<quote>[\"'`])(?P<quoted>[^\"'`\n\ue000]{{1,{_MAX}}})(?=[\"'`\n]|$)|(?P<bare>[^\s\"'`,;<>(){{}}\[\]\ue000&]{{4,{_MAX}}}))"
)
# In lookaheads: a match must not use up what the next one begins with.
_BEARER = re.compile(r"(?:bearer|token|basic|apikey)(?=[ \t]{1,3}([A-Za-z0-9._~+/=-]{12,4096}))", re.IGNORECASE)
_HEADER = re.compile(
    r"authorization(?=[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?(?:[a-z]{1,12}[ \t]{1,3})?([^\s\"',;\ue000]{8,4096}))",
    re.IGNORECASE,
)
_IN_URL = re.compile(r"://(?=[^\s/:@\"'<>\ue000]{0,100}:([^\s/\"'<>\ue000]{1,200})@[\w\[.-])")
_LOGIN = re.compile(r"(?<!\S)(?:-u|--user|--proxy-user)(?=[ =][\"']?[^\s:\"']{1,64}:([^\s\"'\ue000]{4,128}))")
_NO_VALUE = re.compile(
    r"(?:x{3,}|\[.*\]|\*+|\.{3,}|_{3,}|-{3,}|•+|<.*|\$[({].*|\$[A-Z_]+|\{\{.*|%\(.*|%[A-Z_]+%|#\{.*|your.*"
    r"|(?:my|an?|some|the)[_ -]?(?:secret|password|passwd|key|token|api).*"
    r"|example.*|sample.*|dummy.*|placeholder.*|change.?me.*|redacted.*|masked.*|hidden.*|removed.*|tbd|todo.*"
    r"|(?:insert|replace|enter|put)[_ -].*"
    r"|none|null|nil|true|false|undefined|empty|string|str|text|secretstr|bytes|int|integer|number|boolean|bool|object"
    r"|any|optional.*|required.*|pass|password|passwort|secret|token|key|api.?key|passwd|pwd|value|foo|bar|abc|test"
    r"|(?:os|process|env|self|this|config|settings|request|req|args|params|ctx|secrets|vault|var|local|data)\..*"
    r"|https?:.*)",
    re.IGNORECASE | re.DOTALL,
)
_DIGIT = re.compile(r"[0-9]")
_LETTER = re.compile(r"[^\W\d_]")
_OTHER = re.compile(r"[^\w\s.-]")
_SAID = re.compile(r"here|example|your", re.IGNORECASE)
_UPPER_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")


def find(text: str) -> Iterator[Span]:
    """Named secrets in a text (a view's text)."""
    for match in _NAMED.finditer(text):
        value = _VALUE.match(text, match.end())
        if value is not None:
            yield from _judged(match.lastgroup or "", value)
    yield from _in_headers(text)
    for match in _LOGIN.finditer(text):
        if not _NO_VALUE.fullmatch(match[1]):
            yield Span(match.start(1), match.end(1), PASSWORD, 0.85)
    if "://" in text:
        for match in _IN_URL.finditer(text):
            if not _NO_VALUE.fullmatch(match[1]):
                yield Span(match.start(1), match.end(1), URL_PASSWORD, 0.95)


def _judged(kind: str, match: re.Match[str]) -> Iterator[Span]:
    group = "quoted" if match["quote"] else "bare"
    value, said = match[group], match["sign"] in ("is", "was", "ist")
    start, end = match.span(group)
    if group == "bare":
        # The full stop belongs to the sentence, unless the value goes on behind it.
        while value and value[-1] in ".,:":
            value, end = value[:-1], end - 1
    if len(value) < 4 or (_NO_VALUE.fullmatch(value) and not _looks_random(value)) or _UPPER_NAME.fullmatch(value):
        return
    digit, letter, other = _DIGIT.search(value), _LETTER.search(value), _OTHER.search(value)
    mixed = value != value.lower() and value != value.upper() and not value.istitle()
    if kind == "password":
        if " " in value and not digit:
            return
        plain = not (digit or other or mixed)
        if plain and (said or group == "bare"):
            return
        yield Span(start, end, PASSWORD, 0.7 if plain else 0.85)
        return
    if " " in value or "/" in value[:2] or len(value) < 12 or not (digit and letter):
        return
    if said and len(value) < 16:
        return
    yield Span(start, end, TOKEN if kind == "token" else API_KEY, 0.85)


def _looks_random(value: str) -> bool:
    """Whether it begins like a word for a value but goes on like a value ("my-key-4f9a...")."""
    return len(value) >= 20 and len(_DIGIT.findall(value)) >= 4 and len(set(value)) >= 12 and not _SAID.search(value)


def _in_headers(text: str) -> Iterator[Span]:
    for shape in (_BEARER, _HEADER):
        for match in shape.finditer(text):
            value = match[1]
            random = _DIGIT.search(value) or (value.endswith("=") and len(value) >= 16)
            if random and _LETTER.search(value) and not _NO_VALUE.fullmatch(value):
                yield Span(match.start(1), match.end(1), TOKEN, 0.8)
