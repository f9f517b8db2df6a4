"""JSON in, JSON out: spans of a JSON text taken out so that what is left is JSON of the same shape.

The words:

- *JSON text*: one or more objects or arrays with nothing but white space between them (so JSON lines too), as
  ``json.loads`` reads them. Anything else, a lone string or number too, is plain text.
- *piece*: what a span covers of one string (without its quotation marks) or of one number. A number goes whole and
  becomes a string; a key that would otherwise become the same as another key gets ``#2``, ``#3`` behind it, and the
  same key always becomes the same key, so no entry is lost and rows stay alike.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from harness.guardrails.spans import Span

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:[0-9][0-9.eE+-]*|Infinity)|NaN')
_SPACE = re.compile(r"[ \t\r\n]*")
# A text that begins with more white space is not taken for JSON, so that a stream knows soon what it has.
_MAX_LEADING = 200
_AFTER_KEY = re.compile(r"[ \t\r\n]*:")
_OPENERS = {"{": '"}', "[": '"{[]-0123456789tfnNI'}


def _unread(_: Any) -> Any:
    return None


# Numbers are not worked out: an integer of 5,000 digits is JSON, and Python refuses to count it.
_DECODER = json.JSONDecoder(parse_int=_unread, parse_float=_unread, object_pairs_hook=_unread)


def may_be_json(text: str) -> bool:
    """Whether ``text`` can still be the beginning of a JSON text; white space alone can."""
    at = _end_of_space(text, 0)
    if at > _MAX_LEADING:
        return False
    if at == len(text):
        return True
    if text[at] not in _OPENERS:
        return False
    inside = _end_of_space(text, at + 1)
    if inside - at > _MAX_LEADING:
        return False
    return inside == len(text) or text[inside] in _OPENERS[text[at]]


def is_json(text: str) -> bool:
    """Whether ``text`` is a JSON text. Nesting too deep for Python's parser is not."""
    at = _end_of_space(text, 0)
    if at == len(text) or not may_be_json(text):
        return False
    while at < len(text):
        if text[at] not in _OPENERS:
            return False
        try:
            _, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            return False
        at = _end_of_space(text, at)
    return True


class Piece(NamedTuple):
    """A part of one string or a whole number that is to be replaced."""

    start: int
    end: int
    span: Span
    number: bool
    """It is a number: what replaces it must bring its quotation marks."""


def pieces(text: str, spans: Iterable[Span]) -> list[Piece]:
    """The spans of a JSON text cut along its strings and numbers; what lies between those is not touched."""
    tokens = [match.span() for match in _TOKEN.finditer(text)]
    starts = [start for start, _ in tokens]
    out: list[Piece] = []
    for span in spans:
        index = max(0, bisect_right(starts, span.start) - 1)
        while index < len(tokens) and tokens[index][0] < span.end:
            start, end = tokens[index]
            index += 1
            if text[start] != '"':
                if end > span.start and not (out and out[-1].start == start):
                    out.append(Piece(start, end, span, True))
                continue
            first, last = max(start + 1, span.start), min(end - 1, span.end)
            if first < last:
                out.append(Piece(first, last, span, False))
    return out


def redact_json(text: str, spans: Iterable[Span], replace: Callable[[Piece], str]) -> str:
    """A JSON text with every span replaced, still JSON. The spans are joined ones, in order.

    :param replace: the new text of a piece; it must need no escape in a JSON string.
    """
    parts: list[str] = []
    done = 0
    found = pieces(text, spans)
    if not found:
        return text
    for start, end, new in _tokens_anew(text, found, replace):
        parts += (text[done:start], new)
        done = end
    parts.append(text[done:])
    return "".join(parts)


def _tokens_anew(text: str, found: list[Piece], replace: Callable[[Piece], str]) -> Iterable[tuple[int, int, str]]:
    names: dict[str, str] = {}
    taken: set[str] = set()
    at = 0
    for match in _TOKEN.finditer(text):
        if at == len(found):
            return
        start, end = match.span()
        mine = []
        while at < len(found) and found[at].start < end:
            mine.append(found[at])
            at += 1
        if not mine:
            continue
        if mine[0].number:
            yield start, end, f'"{replace(mine[0])}"'
            continue
        old = match[0]
        if not _AFTER_KEY.match(text, end):
            yield start, end, _inside(text, start, end, mine, replace)
            continue
        if old not in names:
            name = new = _inside(text, start, end, mine, replace)
            count = 1
            while name in taken:
                count += 1
                name = f'{new[:-1]}#{count}"'
            names[old] = name
            taken.add(name)
        yield start, end, names[old]


def _inside(text: str, start: int, end: int, mine: list[Piece], replace: Callable[[Piece], str]) -> str:
    parts: list[str] = []
    done = start
    for piece in mine:
        parts += (text[done : piece.start], replace(piece))
        done = piece.end
    parts.append(text[done:end])
    return "".join(parts)


def _end_of_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
