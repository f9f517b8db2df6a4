"""Codes: stretches of base64 or hexadecimal that hold readable text, and the alphabets shifted or turned around."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import sys
from collections.abc import Iterator

from harness.guardrails.canonical.folding import fold
from harness.guardrails.canonical.hidden import hidden_texts
from harness.guardrails.canonical.tracked import Tracked

ATOMIC = "+" if sys.version_info >= (3, 11, 5) else ""
"""After a repeat: it gives nothing back, so the engine keeps no notes, of which 1 MB of text makes hundreds of MB.
CPython before 3.11.5 can match wrongly then (gh-106052, gh-100061), so there it keeps them."""
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{12,}(?:\r?\n[A-Za-z0-9+/_-]{4,})*={0,2}")
_HEX = re.compile(r"(?<![0-9a-fA-F])(?:(?:0x|\\x|%)?[0-9a-fA-F]{2}[\s:,-]?){8,}" + ATOMIC)
_HEX_DIGITS = re.compile(r"(?:0x|\\x|%)?([0-9a-fA-F]{2})")
_NO_SIGN = re.compile(r"[^\W_]| ")
_WORD = re.compile(r"([a-z]{2,})")
_SHORTEST = 6
"""Fewer characters than this carry no message."""
_CONTROLS = dict.fromkeys(set(range(32)) - {9, 10, 13})
_PROBE = 4096
"""Characters of a long code that are opened first; where they are noise, the rest is not opened."""
_TO_STANDARD = str.maketrans("-_", "+/")


def _readable(decoded: bytes) -> str | None:
    """Decoded bytes as text where nearly all of them are; None for anything binary."""
    text = decoded.decode("utf-8", "ignore")
    lost = len(decoded) - len(text.encode("utf-8", "surrogatepass"))
    if len(text) < _SHORTEST or lost > 0.05 * len(decoded):
        return None
    if 20 * (len(text) - len(text.translate(_CONTROLS))) > len(text):
        return None
    seen = fold(Tracked(text)).text
    # Any long word is valid base64 of noise; noise is hardly ever valid UTF-8 and as full of letters as text.
    if len(seen) >= _SHORTEST and 5 * len(_NO_SIGN.findall(seen)) >= 2 * len(seen):
        return text
    return text if hidden_texts(Tracked(text)) else None


def _from_base64(run: str) -> str | None:
    digits = re.sub(r"[\r\n=]", "", run).translate(_TO_STANDARD)
    for skip in range(4):
        # Something may be glued to the front ("x=" survives as a separator, a letter does not).
        body = digits[skip:]
        body = body[: len(body) - (len(body) % 4 == 1)]
        try:
            if len(body) > 2 * _PROBE and _readable(base64.b64decode(body[:_PROBE])) is None:
                continue
            text = _readable(base64.b64decode(body + "=" * (-len(body) % 4)))
        except (binascii.Error, ValueError):
            continue
        if text is not None:
            return text
    return None


def _from_hex(run: str) -> str | None:
    return _readable(bytes.fromhex("".join(_HEX_DIGITS.findall(run))))


def decoded(tracked: Tracked) -> Iterator[Tracked]:
    """Every stretch that decodes to readable text. Case must be kept up to here."""
    for match in _HEX.finditer(tracked.text):
        text = _from_hex(match[0])
        if text is not None:
            yield tracked.part(match.start(), match.end(), text)
    for match in _BASE64.finditer(tracked.text):
        text = _from_base64(match[0])
        if text is not None:
            yield tracked.part(match.start(), match.end(), text)


def rot13(tracked: Tracked) -> Tracked:
    """The alphabet shifted by half its length."""
    return tracked.renamed(codecs.encode(tracked.text, "rot13"))


def words_turned(tracked: Tracked) -> Tracked:
    """Each word read backwards, the order of the words kept."""
    pieces = _WORD.split(tracked.text)
    pieces[1::2] = [word[::-1] for word in pieces[1::2]]
    return tracked.renamed("".join(pieces))
