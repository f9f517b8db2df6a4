r"""Disguises: every way of writing a text that the readings undo, for tests, suites and benchmarks.

Each is a deterministic function from a text to the same text disguised. They are what the canonicaliser claims to see
through, so whoever finds another one adds it here first.
"""

from __future__ import annotations

import base64
import codecs
import html
import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import quote

_CYRILLIC = str.maketrans("aceopxyijsABCEHKMOPTX", "асеорхуіјѕАВСЕНКМОРТХ")
_LEET = str.maketrans("aeiostAEIOST", "431057431057")
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"


def _each(text: str, change: Callable[[int, str], str]) -> str:
    return "".join(change(index, character) for index, character in enumerate(text))


def _shifted(text: str, upper: int, lower: int) -> str:
    def letter(_: int, character: str) -> str:
        if "A" <= character <= "Z":
            return chr(upper + ord(character) - 65)
        return chr(lower + ord(character) - 97) if "a" <= character <= "z" else character

    return _each(text, letter)


def _fullwidth(text: str) -> str:
    return _each(text, lambda _, c: chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c)


def _zero_width(text: str) -> str:
    return _each(text, lambda i, c: c + _ZERO_WIDTH[i % len(_ZERO_WIDTH)])


def _combining(text: str) -> str:
    return _each(text, lambda i, c: c + chr(0x300 + i % 0x30) + chr(0x323) if c.isalpha() else c)


def _tags(text: str) -> str:
    return "Nice weather today! " + _each(text, lambda _, c: chr(0xE0000 + ord(c)) if " " <= c <= "~" else "")


def _selectors(text: str) -> str:
    return "\U0001f600" + "".join(chr(0xFE00 + b) if b < 16 else chr(0xE0100 + b - 16) for b in text.encode())


def _markdown(text: str) -> str:
    words = text.split(" ")
    for index, word in enumerate(words):
        if len(word) > 3 and word.isalpha():
            cut = len(word) // 2
            mark = ("**", "*", "~~", "`")[index % 4]
            words[index] = word[:cut] + mark + word[cut:] + mark
    return "# Note\n\n> " + " ".join(words)


def _tagged(text: str) -> str:
    return "<p>" + re.sub(r"(\w{2})(\w{2,})", r"\1<b></b><i>\2</i>", html.escape(text, quote=False)) + "</p>"


DISGUISES: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "capitals": str.upper,
        "fullwidth": _fullwidth,
        "bold letters": lambda text: _shifted(text, 0x1D400, 0x1D41A),
        "circled letters": lambda text: _shifted(text, 0x24B6, 0x24D0),
        "format characters": _zero_width,
        "soft hyphens": lambda text: _each(text, lambda _, c: c + "\u00ad"),
        "combining characters": _combining,
        "tag characters": _tags,
        "variation selectors": _selectors,
        "variation selectors between": lambda text: _each(text, lambda _, c: c + "\ufe0f"),
        "look-alikes": lambda text: text.translate(_CYRILLIC),
        "leet": lambda text: text.translate(_LEET),
        "spaced letters": lambda text: " ".join(text),
        "spaced letters, no word gaps": lambda text: " ".join(re.sub(r"\s+", "", text)),
        "dotted letters": lambda text: " ".join(".".join(word) for word in text.split()),
        "dotted letters throughout": lambda text: ".".join(text),
        "hyphened letters": lambda text: " ".join("-".join(word) for word in text.split()),
        "html entities": lambda text: _each(text, lambda i, c: f"&#{ord(c)};" if i % 2 else f"&#x{ord(c):x};"),
        "html tags": _tagged,
        "url escapes": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
        "url quoted": lambda text: quote(text, safe=""),
        "unicode escapes": lambda text: _each(
            text, lambda _, c: json.dumps(chr(ord(c)))[1:-1] if ord(c) > 126 else f"\\u{ord(c):04x}"
        ),
        "hex escapes": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
        "base64": lambda text: base64.b64encode(text.encode()).decode(),
        "base64 in lines": lambda text: base64.encodebytes(text.encode()).decode(),
        "base64 url-safe in a sentence": lambda text: f"data: {base64.urlsafe_b64encode(text.encode()).decode()} end",
        "base64 twice": lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
        "hexadecimal": lambda text: text.encode().hex(),
        "hexadecimal in pairs": lambda text: text.encode().hex(" "),
        "rot13": lambda text: codecs.encode(text, "rot13"),
        "reversed": lambda text: text[::-1],
        "words reversed": lambda text: re.sub(r"\w+", lambda match: match[0][::-1], text),
        "markdown": _markdown,
        "json string": lambda text: json.dumps(text),
    }
)
"""Name to function."""
