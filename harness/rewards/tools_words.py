"""Words of a text, for asking whether what a tool returned was used later.

The words: a *word* is a run of letters, digits and underscores, in lower case, of at least four letters or with a
digit in it: ``order``, ``w12``, not ``the``. Of a longer text than :data:`LONGEST` characters only the beginning is
read.
"""

from __future__ import annotations

import re

LONGEST = 200_000
_WORD = re.compile(r"\w+")


def words(text: str) -> frozenset[str]:
    """The words of a text that can tell two texts apart."""
    found = _WORD.findall(text[:LONGEST].lower())
    return frozenset(word for word in found if len(word) > 3 or any(c.isdigit() for c in word))
