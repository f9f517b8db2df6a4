"""What two spellings of one literal have in common: quotes, digits and white space that mean nothing are taken out."""

from __future__ import annotations

import ast
import re
import warnings

NUMBERS = frozenset({"integer", "float", "number"})


def number(text: str, python: bool) -> str:
    """A number by its value: ``0xFF`` is ``0xff``, ``1_000`` is ``1000``; in Python ``1`` and ``1.0`` stay apart."""
    lowered = text.lower()
    try:
        if python:
            return repr(_value(lowered))
        if lowered.endswith("n"):
            return lowered.replace("_", "")
        plain = lowered.replace("_", "")
        return repr(float(int(plain, 0) if plain[:2] in ("0x", "0o", "0b") else float(plain)))
    except (ValueError, SyntaxError, OverflowError, MemoryError, RecursionError):
        return lowered


def string(text: str, python: bool) -> str:
    """A string by its value, with a mark for bytes: quotes and needless escapes do not count."""
    if not python:
        inner = text[1:-1]
        return inner if "\\" not in inner else inner.replace("\\'", "'").replace('\\"', '"')
    start = 0
    while start < len(text) and text[start] not in "'\"":
        start += 1
    prefix, quoted = text[:start].lower(), text[start:]
    wide = 3 if quoted[:3] in ("'''", '"""') and len(quoted) >= 6 else 1
    mark = "b:" if "b" in prefix else "s:"
    inner = quoted[wide:-wide]
    if "f" in prefix or "t" in prefix:
        return mark + content(inner.replace("{{", "{").replace("}}", "}"), raw="r" in prefix)
    if "\\" not in inner:
        return mark + inner
    try:
        return mark + str(_value(text))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return mark + inner


def content(text: str, *, raw: bool) -> str:
    """A piece of text of a Python string with computed parts, by its value: escapes resolved, ``{{`` is ``{``."""
    if text in ("{{", "}}"):
        return text[0]
    if raw or "\\" not in text:
        return text
    quoted = re.sub(r'\\.|"', lambda match: match[0] if match[0] != '"' else '\\"', text, flags=re.S)
    try:
        return str(_value(f'"""{quoted}"""'))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _value(text: str) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an odd escape in somebody's source is not our warning
        return ast.literal_eval(text)


def words(text: str) -> str:
    """A text by its words, for documentation strings and JSX text, where line breaks and indents are layout."""
    return " ".join(text.split())
