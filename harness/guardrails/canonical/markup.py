"""Markup: HTML tags and Markdown marks that a reader does not see, taken out so that split words grow together."""

from __future__ import annotations

import re

from harness.guardrails.canonical.tracked import Tracked

_COMMENT = re.compile(r"<!--[^<>]{0,16}-->|<!--|-->")
_INLINE = re.compile(
    r"</?(?:a|abbr|b|bdi|bdo|big|code|del|em|font|i|ins|kbd|mark|q|s|samp|small|span|strong|sub|sup|tt|u|var|wbr)"
    r"(?:\s[^<>]{0,500})?/?>",
    re.IGNORECASE,
)
_BLOCK = re.compile(r"</?[a-zA-Z][a-zA-Z0-9-]{0,20}(?:\s[^<>]{0,500})?/?>")
_LINK = re.compile(r"\]\([^()\n]{0,500}\)|!?\[(?=[^\]\n])|\](?!\()")
_EMPHASIS = re.compile(
    r"(?<![*~`])[*~`]{1,8}+(?=\w)|(?<=\w)[*~`]{1,8}+|(?<![^\W])_{1,3}+(?=[^\W_])|(?<=[^\W_])_{1,3}+(?!\w)"
)
_APOSTROPHE = re.compile(r"(?<=[a-zA-Z])'(?=[a-zA-Z])")


def strip_markup(tracked: Tracked) -> Tracked:
    """The text as it is read after rendering; block tags leave a space, everything else leaves nothing."""
    text = tracked.text
    if "<" in text or "-->" in text:
        tracked = tracked.replaced(_COMMENT, lambda match: "")
        tracked = tracked.replaced(_INLINE, lambda match: "")
        tracked = tracked.replaced(_BLOCK, lambda match: " ")
    if "[" in text or "]" in text:
        tracked = tracked.replaced(_LINK, lambda match: "")
    if any(mark in text for mark in "*~`_"):
        tracked = tracked.replaced(_EMPHASIS, lambda match: "")
    return tracked


def drop_apostrophes(tracked: Tracked) -> Tracked:
    """``don't`` and ``dont`` are one word."""
    return tracked.replaced(_APOSTROPHE, lambda match: "") if "'" in tracked.text else tracked
