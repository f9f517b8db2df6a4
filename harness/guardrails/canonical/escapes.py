r"""Escapes: characters spelt out for a program to read (``&#105;``, ``%69``, ``\u0069``, ``U+0069``)."""

from __future__ import annotations

import html
import re
from urllib.parse import unquote_to_bytes

from harness.guardrails.canonical.tracked import Tracked

_HTML = re.compile(r"(?:&(?:#[0-9]{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[A-Za-z][A-Za-z0-9]{1,31};))+")
_URL = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_BACKSLASH = re.compile(
    r"(?:\\{1,2}(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|u\{[0-9a-fA-F]{1,6}\}|x[0-9a-fA-F]{2}|x\{[0-9a-fA-F]{1,6}\}|[0-3][0-7]{2}))+"
)
_ONE = re.compile(r"\\{1,2}(?:[uUx]\{?([0-9a-fA-F]{2,8})\}?|([0-3][0-7]{2}))")
_NOTATION = re.compile(r"U\+[0-9a-fA-F]{4,6}(?:[ ,;]?U\+[0-9a-fA-F]{4,6})*")
_BREAK = re.compile(r"\\{1,2}[nrt]")


def _character(code: int) -> str:
    return chr(code) if 0 < code < 0x110000 else ""


def _paired(text: str) -> str:
    """Two surrogate halves as the character they stand for."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")


def _backslashes(match: re.Match[str]) -> str:
    parts = (int(one[1], 16) if one[1] else int(one[2], 8) for one in _ONE.finditer(match[0]))
    return _paired("".join(_character(code) for code in parts))


def _notation(match: re.Match[str]) -> str:
    return _paired("".join(_character(int(code, 16)) for code in re.findall(r"U\+([0-9a-fA-F]+)", match[0])))


def unescape(tracked: Tracked) -> Tracked:
    """Every escape replaced once; the same object back when there is none."""
    text = tracked.text
    if "&" in text:
        tracked = tracked.replaced(_HTML, lambda match: html.unescape(match[0]))
    if "%" in text:
        tracked = tracked.replaced(_URL, lambda match: unquote_to_bytes(match[0]).decode("utf-8", "ignore"))
    if "\\" in text:
        tracked = tracked.replaced(_BACKSLASH, _backslashes)
        tracked = tracked.replaced(_BREAK, lambda match: "\n")
    if "U+" in text:
        tracked = tracked.replaced(_NOTATION, _notation)
    return tracked
