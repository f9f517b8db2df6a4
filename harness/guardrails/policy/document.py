"""What a policy sees of a tool call: one fixed shape, canonical, with everything that is nested brought to the surface.

A policy that looked into raw arguments would have to know every tool's shape, and would miss what is nested one level
deeper, written in capitals, or quoted inside a text. So it gets lists:

- ``values``: every text, number and boolean anywhere in the arguments, as text, with the key it stands under, also
  inside JSON that is quoted in a text;
- ``numbers``: the same for every number, and every text that reads as one ("1,000.50 USD"), as numbers: an amount
  written as a text is no way around a limit (beyond 2^53 such a text counts as 2^53);
- ``verbs``: the first word of the tool's name and of every command in a text (SQL, shell, HTTP: "DELETE FROM ...");
- ``addresses``: every e-mail address, URL and bare host in the arguments, with its domain and all domains above;
- ``tenants``: every value that stands under a key that names a tenant.

Texts are NFKC, case-folded, without format characters; ids (``user``, ``tenant``, ``tenants``, ``tool``) are exact.
What cannot be brought into this shape (too large, too deep, numbers beyond 2^53, no object) is refused.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from harness.core.decision import Event
from harness.guardrails.rego.typing import BOOLEAN, NUMBER, TEXT, Many, Record

MAX_CHARS = 2_000_000
MAX_VALUES = 20_000
MAX_ADDRESSES = 10_000
MAX_DEPTH = 64
MAX_QUOTED = 4
"""How deep JSON inside texts inside JSON is read."""
TENANT_KEYS = frozenset(
    f"{who}{what}"
    for who in ("tenant", "org", "organization", "organisation", "company", "workspace")
    for what in ("", "id", "name", "key", "slug")
)
"""Keys that name a tenant, letters and digits only, in lower case."""

_ADDRESS = Record((("address", TEXT), ("domains", Many(TEXT)), ("host", TEXT), ("kind", TEXT)))
_NUMBER = Record((("key", TEXT), ("number", NUMBER)))
_VALUE = Record((("key", TEXT), ("text", TEXT)))
INPUT = Record(
    (
        ("addresses", Many(_ADDRESS)),
        ("keys", Many(TEXT)),
        ("kind", TEXT),
        ("late", BOOLEAN),
        ("numbers", Many(_NUMBER)),
        ("roles", Many(TEXT)),
        ("session", TEXT),
        ("tenant", TEXT),
        ("tenants", Many(TEXT)),
        ("tool", TEXT),
        ("tool_words", Many(TEXT)),
        ("user", TEXT),
        ("values", Many(_VALUE)),
        ("verbs", Many(TEXT)),
    )
)
"""The type of ``input``."""

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|\d+")
_SPACES = re.compile(r"[^\S\n]+")
_WORD = re.compile(r"[\w-]{2,40}")
# A word where a command may begin, and something after it that prose does not have there.
_COMMAND = re.compile(
    r"(?:^|[;&|\n(){}`\"'=]|\*/|\b(?:then|do|and|sudo|xargs|exec|call|begin|explain) ) ?([a-z]{2,20}) ?"
    r"(?=(?:from|table|tables|database|schema|index|view|into|role|user|trigger)\b|--?[a-z]|[~/*$]|[^\s./*]{0,64}[./*]\w)"
)
_NUMERIC = re.compile(
    r"[a-z]{0,4}([+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:e[+-]?[0-9]{1,4})?)(?:[a-z]{3,8})?"
)
_FUNCTION = re.compile(r"(?<![a-z0-9])([a-z]{2,20}) ?\(")
# Every quantifier is bounded: the time is linear in the text whatever it says.
_URL = re.compile(
    r"(?:\b([a-z][a-z0-9+.-]{0,20}):(?://|\\\\)|(?<![^\s\"'(=])//)(?:[^\s/@\\?#]{0,64}@)?\[?([^\s/\\?#@\[\]\"'<>]{1,253})"
)
_AFTER_AT = re.compile(r"@\[?([^\s@<>,;:\"'()\[\]\\/?&#]{1,253})")
_HOST = re.compile(
    r"(?<![\w.@/:-])((?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,10}(?:[^\W\d_][\w-]{1,62}|\d{1,3}))(?![\w-]|\.\w)"
)
_ENDINGS = """
    txt md csv json yaml yml xml html htm pdf doc docx xls xlsx ppt pptx png jpg jpeg gif svg mp3 mp4 zip gz tar log py
    js ts css sql toml ini cfg conf sh bat exe bin dat bak tmp lock
"""
_NO_HOST = frozenset(_ENDINGS.split())
"""Endings of file names: ``report.pdf`` is no host."""


class Unfit(ValueError):
    """The call cannot be shown to a policy. The text names no value."""


def document(event: Event, *, tenant_keys: frozenset[str] = TENANT_KEYS) -> dict[str, Any]:
    """The input of a policy for an event, of type :data:`INPUT`.

    :raises Unfit: for what cannot be brought into this shape.
    """
    data = event.data
    arguments: Any = data.get("arguments")
    if event.kind == "tool_call" and not isinstance(arguments, Mapping):
        raise Unfit("the arguments are no JSON object")
    surface = _Surface(tenant_keys)
    surface.walk(arguments if isinstance(arguments, Mapping) else {}, "", 0, 0)
    tool = _id(data.get("tool"))
    words = [part.lower() for part in _PARTS.findall(unicodedata.normalize("NFKC", tool))]
    return {
        "addresses": surface.addresses,
        "keys": surface.keys,
        "kind": event.kind,
        "late": data.get("late") is True,
        "numbers": surface.numbers,
        "roles": [one for one in data.get("roles") or () if isinstance(one, str)] if _many(data.get("roles")) else [],
        "session": _id(data.get("session")),
        "tenant": _id(data.get("tenant")),
        "tenants": surface.tenants,
        "tool": tool,
        "tool_words": words,
        "user": _id(data.get("user")),
        "values": surface.values,
        "verbs": sorted({*words[:1], *surface.verbs}),
    }


def folded(text: str) -> str:
    """NFKC, case-folded, without format characters (zero-width, direction, tags), NUL and the like."""
    if text.isascii() and text.isprintable():
        return text.lower()
    plain = unicodedata.normalize("NFKC", text).casefold()
    kept = (
        char for char in plain if char in "\t\n\r" or unicodedata.category(char) not in ("Cf", "Cc", "Cs", "Mn", "Me")
    )
    return "".join(kept)


class _Surface:
    """Collects, within the limits, what is anywhere in the arguments."""

    def __init__(self, tenant_keys: frozenset[str]) -> None:
        self.tenant_keys = tenant_keys
        self.values: list[dict[str, Any]] = []
        self.numbers: list[dict[str, Any]] = []
        self.addresses: list[dict[str, Any]] = []
        self.tenants: list[str] = []
        self.keys: list[str] = []
        self.verbs: set[str] = set()
        self._hosts: set[str] = set()
        self._known: set[str] = set()
        self._chars = 0

    def walk(self, value: Any, key: str, depth: int, quoted: int) -> None:
        """Take a value that stands under ``key`` (its own, or its array's)."""
        if depth > MAX_DEPTH:
            raise Unfit(f"the arguments are nested more than {MAX_DEPTH} deep")
        if isinstance(value, Mapping):
            for name, one in value.items():
                label = folded(str(name)[:2000])
                if label not in self._known:
                    self._known.add(label)
                    self.keys.append(label)
                    self._text(str(name))
                self.walk(one, label, depth + 1, quoted)
        elif isinstance(value, (list, tuple)):
            for one in value:
                self.walk(one, key, depth + 1, quoted)
        else:
            self._leaf(value, key, depth, quoted)

    def _leaf(self, value: Any, key: str, depth: int, quoted: int) -> None:
        if len(self.values) >= MAX_VALUES:
            raise Unfit(f"the arguments hold more than {MAX_VALUES:,} values")
        if "".join(char for char in key if char.isalnum()) in self.tenant_keys and value is not None:
            self.tenants.append(value if isinstance(value, str) else json.dumps(value, default=str))
        if value is None:
            return
        if isinstance(value, bool):
            self._keep(key, "true" if value else "false")
        elif isinstance(value, (int, float)):
            if isinstance(value, float) and not math.isfinite(value):
                raise Unfit("a number is not finite")
            if abs(value) > 2**53:
                raise Unfit("a number is beyond 2^53")
            number = int(value) if isinstance(value, float) and value.is_integer() else value
            self._keep(key, str(number))
            self.numbers.append({"key": key, "number": number})
        elif isinstance(value, str):
            text = self._text(value)
            self._keep(key, text)
            if (read := _number(text)) is not None:
                self.numbers.append({"key": key, "number": read})
            inner = _quoted_json(value) if quoted < MAX_QUOTED else None
            if inner is not None:
                self.walk(inner, key, depth + 1, quoted + 1)
        else:
            raise Unfit(f"the arguments hold a {type(value).__name__}")

    def _keep(self, key: str, text: str) -> None:
        self.values.append({"key": key, "text": text})

    def _text(self, value: str) -> str:
        """Look for commands and addresses; the folded text."""
        self._chars += len(value)
        if self._chars > MAX_CHARS:
            raise Unfit(f"the arguments hold more than {MAX_CHARS:,} characters")
        text = folded(value)
        plain = _SPACES.sub(" ", text).strip(" ")
        verbs = set(_COMMAND.findall(plain))
        if "(" in plain:
            verbs.update(_FUNCTION.findall(plain))
        if _WORD.fullmatch(plain):
            verbs.update(_PARTS.findall(plain)[:1])
        self.verbs |= verbs
        dotted = plain.replace("\u3002", ".")
        if "//" in dotted or "\\\\" in dotted:
            for found in _URL.finditer(dotted):
                self._address("url", found.group(), found.group(2))
        if "@" in dotted:
            for found in _AFTER_AT.finditer(dotted):
                before = dotted[max(0, found.start() - 65) : found.start()].rpartition(" ")[2].rpartition("\n")[2]
                if before:  # "@name" is a mention, "somebody@" an address
                    self._address("email", before[-64:] + found.group(), found.group(1))
        if "." in dotted and (verbs or " " not in dotted or "/" in dotted):
            for found in _HOST.finditer(dotted):
                host, rest = found.group(1), dotted[found.end() : found.end() + 1]
                alone = found.start() == 0 and (not rest or rest in ":/?")
                if (alone or (verbs and rest != "(") or rest == "/") and host.rpartition(".")[2] not in _NO_HOST:
                    self._address("host", host, host)
        return text

    def _address(self, kind: str, address: str, host: str) -> None:
        host = host.split(":", 1)[0].strip(".%-")
        # A bare number with a dot (1.5, 3.14) is no host; four of them are.
        numbers = host.replace(".", "").isdigit()
        if not host or (kind == "host" and (host in self._hosts or (numbers and host.count(".") != 3))):
            return
        if len(self.addresses) >= MAX_ADDRESSES:
            raise Unfit(f"the arguments hold more than {MAX_ADDRESSES:,} addresses")
        self._hosts.add(host)
        labels = host.split(".")
        above = [".".join(labels[at:]) for at in range(min(len(labels), 12))]
        self.addresses.append({"address": address, "domains": above, "host": host, "kind": kind})


def _quoted_json(text: str) -> Any:
    if text[:1] not in "{[" and text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _number(text: str) -> float | None:
    """What a folded text reads as: "1,000.50 usd" is 1000.5."""
    if len(text) > 60 or not any(char.isdigit() for char in text):
        return None
    bare = "".join(char for char in text if char not in " ,_'\u00a0\t\n\r" and unicodedata.category(char) != "Sc")
    found = _NUMERIC.fullmatch(bare)
    if found is None:
        return None
    number = max(-(2.0**53), min(2.0**53, float(found.group(1))))
    return int(number) if number.is_integer() else number


def _id(given: Any) -> str:
    return given if isinstance(given, str) else ""


def _many(given: Any) -> bool:
    return isinstance(given, (list, tuple, set, frozenset))
