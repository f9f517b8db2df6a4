"""US social security numbers: 3-2-4 digits by the rules of the Social Security Administration since 2011.

Area 000, 666 and 900 to 999, group 00 and serial 0000 are never given out. Nine digits in a row are one only where the
words before speak for it: there is no check digit, and every order number of nine digits would be one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.guardrails.pii.context import before, labelled_otherwise
from harness.guardrails.spans import Span

NAME = "ssn"

_NUMBER = re.compile(
    r"(?<![0-9])([0-9]{3})([ ]?[\-.][ ]?|[ ]{1,2}|)([0-9]{2})([ ]?[\-.][ ]?|[ ]{1,2}|)([0-9]{4})(?![0-9])"
)
_SPEAKS = re.compile(
    r"ssn(?![a-z])|social[ _-]?(?:security|sec)|socialsecurity|(?<![a-z])ss ?(?:#|no|num)|(?<![a-z])i?tin(?![a-z])"
    r"|tax[ _-]?(?:payer|id)|taxid"
)


def find(text: str) -> Iterator[Span]:
    """Social security numbers in a text (a view's text)."""
    for match in _NUMBER.finditer(text):
        area, first, group, second, serial = match.groups()
        if area in ("000", "666") or area >= "900" or group == "00" or serial == "0000":
            continue
        words = before(text, match.start())
        if _SPEAKS.search(words):
            sure = 0.95
        elif first and second:
            sure = 0.85 if first.strip(" ") == second.strip(" ") else 0.6
        else:
            sure = 0.1 if labelled_otherwise(words) else 0.2
        yield Span(match.start(), match.end(), NAME, sure)
