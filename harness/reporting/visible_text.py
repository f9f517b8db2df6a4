"""Visible text: nothing an agent wrote may hide, reorder or drive a terminal; what cannot be seen is spelled out.

Spelled out as ``\\x1b`` or ``\\u202e``: control characters other than newline and tab, lone surrogates, bidirectional
overrides and marks (CVE-2021-42574, "Trojan Source"), zero-width characters other than the joiners that scripts and
emoji need, line separators, tag characters (used to smuggle invisible prompts) and noncharacters. What is left is valid
in UTF-8 and in XML 1.0.
"""

from __future__ import annotations

import re

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """The text with everything invisible spelled out; newlines become ``\\n``."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    return _HIDDEN.sub(_spell, text)


def one_line(text: str, limit: int = 300) -> str:
    """Visible text on one line, white space squeezed, cut at ``limit`` characters with an ellipsis."""
    # Cut before the work: a reply may have 10 MB. Four times the limit leaves room for squeezing.
    squeezed = " ".join(visible(text[: 4 * limit]).split())
    return squeezed if len(squeezed) <= limit and len(text) <= 4 * limit else squeezed[: limit - 1].rstrip() + "…"


def bounded(text: str, limit: int) -> str:
    """Visible text of several lines, cut at ``limit`` characters with a sentence that says what is missing."""
    if len(text) <= limit:
        return visible(text)
    return f"{visible(text[:limit])}… (cut, {len(text) - limit:,} more characters; the whole text is in the journal)"


def _spell(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
