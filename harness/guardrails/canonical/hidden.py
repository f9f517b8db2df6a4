"""Hidden text: what is written in characters that no screen shows, but that models read.

- tag characters (U+E0020 to U+E007E) shadow ASCII one for one;
- variation selectors (U+FE00 to U+FE0F, U+E0100 to U+E01EF) carry one byte each.
"""

from __future__ import annotations

import re

from harness.guardrails.canonical.tracked import Tracked

_TAGS = re.compile("[\U000e0020-\U000e007e]+")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]+")
_SHORTEST = 4
"""Fewer hidden characters than this carry no message; emoji use one selector each."""


def _selector_byte(character: str) -> int:
    code = ord(character)
    return code - 0xFE00 if code <= 0xFE0F else code - 0xE0100 + 16


def hidden_texts(tracked: Tracked) -> list[Tracked]:
    """The hidden messages of a text, at most one of each kind; [] for nearly every text."""
    text = tracked.text
    if text.isascii():
        return []
    found = []
    tags = list(_TAGS.finditer(text))
    if tags:
        message = "".join(chr(ord(character) - 0xE0000) for match in tags for character in match[0])
        if len(message) >= _SHORTEST:
            found.append(tracked.part(tags[0].start(), tags[-1].end(), message))
    selectors = list(_SELECTORS.finditer(text))
    if selectors:
        carried = bytes(_selector_byte(character) for match in selectors for character in match[0])
        message = carried.decode("utf-8", "ignore")
        if len(message) >= _SHORTEST and sum(map(str.isprintable, message)) > len(carried) // 2:
            found.append(tracked.part(selectors[0].start(), selectors[-1].end(), message))
    return found
