"""Whether a whole value is an e-mail address by the grammar of RFC 5322, obsolete forms of section 4 included.

A form field or a JSON value may hold what nobody writes in a sentence: comments, quoted texts with spaces, folded
lines, literals. This reads the value from the left, once, without going back.

Where it is stricter than RFC 5322: a domain label neither begins nor ends with a hyphen (RFC 5321); where it is laxer:
no limit on the length of parts. Letters beyond ASCII are allowed unquoted (RFC 6532).
"""

from __future__ import annotations

import re

MAX_CHARS = 320

_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a1-\ud7ff\ue000-\U0010ffff-]+")
_LITERAL = re.compile(r"\[(?:[^\[\]\\\r\n]|\\[^\r\n])*\]")
_QUOTED = re.compile(r'"(?:[^"\\\r\n\x00\u0080-\u00a0]|\\[\x00-\x7f]|\r\n[ \t])*"')
_FOLD = re.compile(r"[ \t]+(?:\r\n[ \t]+)*|(?:\r\n[ \t]+)+")
# Two words with nothing but a space between them: no address begins like this, and nearly every sentence does.
_SENTENCE = re.compile(r'[^\s"(@.<>]+[ \t]+[^\s"(@.<>]')


class _NoAddressError(Exception):
    pass


def may_be_address(text: str) -> bool:
    """Whether ``text`` can still be the beginning of a value that :func:`is_address` accepts; cheap and generous."""
    return len(text) <= MAX_CHARS and not _SENTENCE.match(text.lstrip(" \t\r\n"))


def is_address(text: str) -> bool:
    """Whether all of ``text`` is one address. False for anything longer than ``MAX_CHARS``."""
    if "@" not in text or not may_be_address(text):
        return False
    try:
        at = _words(text, 0, local=True)
        if text[at : at + 1] != "@":
            return False
        return _domain(text, at + 1) == len(text)
    except _NoAddressError:
        return False


def _domain(text: str, at: int) -> int:
    at = _space(text, at)
    literal = _LITERAL.match(text, at)
    if literal:
        return _space(text, literal.end())
    return _words(text, at, local=False)


def _words(text: str, at: int, *, local: bool) -> int:
    while True:
        at = _space(text, at)
        quoted = _QUOTED.match(text, at) if local else None
        word = quoted or _ATOM.match(text, at)
        if word is None:
            raise _NoAddressError
        if not local and (word[0][0] == "-" or word[0][-1] == "-"):
            raise _NoAddressError
        at = _space(text, word.end())
        if text[at : at + 1] != ".":
            return at
        at += 1


def _space(text: str, at: int) -> int:
    """Behind white space, folded lines and comments (which nest)."""
    depth = 0
    while at < len(text):
        sign = text[at]
        fold = _FOLD.match(text, at)
        if fold:
            at = fold.end()
            continue
        if sign == "(":
            depth += 1
        elif sign == ")" and depth:
            depth -= 1
        elif not depth:
            break
        elif sign == "\\":
            at += 1
            if at == len(text):
                break
        elif sign in "\r\n\x00":
            raise _NoAddressError
        at += 1
    if depth:
        raise _NoAddressError
    return at
