"""View: a text as its reader means it, sign by sign, with the way back to every place of the original.

What is undone, because each of it hides a number or an address from a pattern:

- escapes: ``\\u0040`` at any depth of quoting, ``\\x40``, ``\\n`` and its like (a new line is one sign, not an n
  in front of the next word), ``%40``, ``&#64;``;
- signs that are not seen: zero-width characters, soft hyphens, joiners, direction marks, variation selectors;
- signs that are others in disguise: full-width and mathematical letters and digits, digits of other scripts, dashes,
  spaces, tag characters (NFKC, where it gives one sign for one);
- placeholders of an earlier redaction, which become one sign that is nothing.

Undoing is *local*: what a sign becomes depends on at most 24 signs beside it, so a stream can do it piece by piece.
Base64, leet and words ("four one one") are not undone: they would need a guess.
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable

from harness.guardrails.spans import PLACEHOLDER, Span, join, redact

HOLE = "\ue000"
"""Stands for a placeholder; of a private use area, so that it is no letter, digit or sign of any pattern."""
_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\u0300-\u036f\u20d0-\u20ff\U000e0100-\U000e01ef\U000e0000-\U000e001f\U000e007f"
)
_UNIT = re.compile(
    rf"(?P<hole>{PLACEHOLDER})"
    r"|(?<!\\)\\{1,16}(?:u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\{1,16}u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|u(?P<u>[0-9a-fA-F]{4})|x(?P<x>[0-9a-fA-F]{2})|(?P<plain>[nrtbfv\"'/]))"
    r"|%(?P<percent>[2-7][0-9a-fA-F])"
    r"|&(?P<entity>#[0-9]{2,7}|#[xX][0-9a-fA-F]{2,6}|[A-Za-z]{2,8});"
    # A long run of unseen signs is not undone: it would let two places a megabyte apart be neighbours.
    rf"|(?<![{_UNSEEN}])[{_UNSEEN}]{{1,16}}(?![{_UNSEEN}])"
)
_SEEN_AS = {"n": "\n", "r": "\n", "t": "\t", "b": " ", "f": " ", "v": " ", '"': '"', "'": "'", "/": "/"}
_DROPPED = re.compile(f"[{_UNSEEN}]")
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\ufe58\ufe63\uff0d\u00af\u02d7"


class _Disguises(dict[int, int]):
    """One sign for one, worked out when first met; at most as many entries as Unicode has signs."""

    def __missing__(self, code: int) -> int:
        sign = chr(code)
        seen = code
        if 0xE0020 <= code <= 0xE007E:
            seen = code - 0xE0000
        elif sign in _DASHES:
            seen = ord("-")
        elif code > 0x7F and unicodedata.category(sign) == "Zs":
            seen = ord(" ")
        elif code > 0x7F:
            digit = unicodedata.decimal(sign, None)
            plain = unicodedata.normalize("NFKC", sign)
            if digit is not None:
                seen = ord("0") + int(digit)
            elif len(plain) == 1:
                seen = ord(plain)
        self[code] = seen
        return seen


_DISGUISES = _Disguises()


class View:
    """What a text says. ``text`` is what to search; :meth:`origin` says where that is in the original."""

    __slots__ = ("_raw", "_view", "_wide", "text")

    def __init__(self, text: str) -> None:
        self._view: list[int] = []
        self._raw: list[int] = []
        self._wide: list[int] = []
        plain = text.isascii()
        if not plain or "\\" in text or "%" in text or "&" in text or "[redacted:" in text or "[vault:" in text:
            text = self._undone(text)
            if not plain or not text.isascii():
                text = text.translate(_DISGUISES)
        self.text = text

    def _undone(self, text: str) -> str:
        parts: list[str] = []
        done = length = 0
        for match in _UNIT.finditer(text):
            sign = _meant(match)
            if sign is None:
                continue
            start, end = match.span()
            parts += (text[done:start], sign)
            length += start - done
            if sign:
                self._view.append(length)
                self._raw.append(start)
                self._wide.append(end - start)
                length += 1
            self._view.append(length)
            self._raw.append(end)
            self._wide.append(0)
            done = end
        if not done:
            return text
        parts.append(text[done:])
        return "".join(parts)

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original that the span ``[start, end)`` of the view came from; ``end > start``."""
        if not self._view:
            return start, end
        first, _ = self._place(start)
        last, wide = self._place(end - 1)
        return first, last + wide

    def _place(self, at: int) -> tuple[int, int]:
        index = bisect_right(self._view, at) - 1
        if index < 0:
            return at, 1
        if self._wide[index]:
            return self._raw[index], self._wide[index]
        return self._raw[index] + at - self._view[index], 1


def masked(text: str, spans: Iterable[Span], threshold: float = 0.5) -> str:
    """The text of a view with what is that sure hidden, sign by sign, as an earlier redaction would have."""
    sure = join(span for span in spans if span.confidence >= threshold)
    return redact(text, sure, lambda span: HOLE * (span.end - span.start)) if sure else text


def _meant(match: re.Match[str]) -> str | None:
    kind = match.lastgroup
    if kind is None:  # unseen signs
        return ""
    found = match[kind]
    if kind == "hole":
        return HOLE
    if kind == "plain":
        return _SEEN_AS[found]
    if kind == "low":
        code = 0x10000 + (int(match["high"], 16) - 0xD800) * 0x400 + int(found, 16) - 0xDC00
    elif kind == "entity":
        sign = html.unescape(f"&{found};")
        if len(sign) != 1:
            return None
        code = ord(sign)
    else:
        code = int(found, 16)
    sign = chr(code)
    return "" if _DROPPED.match(sign) else sign
