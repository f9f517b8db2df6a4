"""Letters: words written letter by letter, run together, or with digits for letters, made words again."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain, product

from harness.guardrails.canonical.codes import ATOMIC
from harness.guardrails.canonical.tracked import Tracked
from harness.guardrails.canonical.vocabulary import Vocabulary, vocabulary

_SPACED = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,7}[^\W_](?![^\W_])){3,}" + ATOMIC)
_GAP = re.compile(r"[\W_]+")
_RUN_TOGETHER = re.compile(r"(?<![a-z])[a-z]{16,400}+(?![a-z])")
_MIXED = re.compile(r"(?<![a-z0-9@$!|])(?:[a-z]+[0-9@$!|]|[0-9@$!|]+[a-z])[a-z0-9@$!|]*")
_DIGITS = re.compile(r"(?<![a-z0-9@$!|])[0-9@$]{2,24}(?![a-z0-9@$|])")
_LEET = {
    "0": "o", "1": "il", "2": "z", "3": "e", "4": "a", "5": "s", "6": "gb", "7": "t", "8": "b", "9": "gp",
    "@": "a", "$": "s", "!": "il", "|": "li",
}  # fmt: skip
_MOST_SPLIT = 20_000
"""Letters of one text that are split by the vocabulary at most; it is slow, and honest texts have none."""
_LONGEST_LEET = 24
"""Longer tokens are identifiers; nobody reads them as words."""


def join_letters(tracked: Tracked) -> Tracked:
    """``i g n o r e`` and ``i.g.n.o.r.e`` as one word.

    In a run of single letters the most frequent gap separates letters and every other gap separates words. A run with
    one kind of gap only is split by the vocabulary.
    """
    known = vocabulary()
    left = _MOST_SPLIT

    def split(word: str) -> str:
        nonlocal left
        if len(word) < 10 or not left:
            return word
        pieces = known.split(word[:left])
        rest = word[left:]
        left -= min(left, len(word))
        return " ".join([*pieces, rest] if rest else pieces)

    def joined(match: re.Match[str]) -> str:
        beginning = match[0][:1000]
        if 8 * sum(map(str.isalpha, beginning)) < len(beginning):
            # Digits one by one are numbers in a table.
            return match[0]
        gaps = _GAP.findall(match[0])
        letters = _GAP.split(match[0])
        usual = Counter(gaps).most_common(1)[0][0]
        # The apostrophe of "don't" is no gap between words.
        between = ["" if gap == usual or "'" in gap else " " for gap in gaps]
        words = "".join(chain.from_iterable(zip(letters, [*between, ""], strict=True))).split(" ")
        return " ".join(map(split, words))

    return tracked.replaced(_SPACED, joined)


def part_words(tracked: Tracked) -> Tracked:
    """``ignoreallinstructions`` as words of the vocabulary."""
    known = vocabulary()
    return tracked.replaced(
        _RUN_TOGETHER, lambda match: match[0] if match[0] in known else " ".join(known.split(match[0]))
    )


def read_leet(tracked: Tracked) -> tuple[Tracked, int]:
    """Digits and signs inside words as the letters they stand for, and how many known words that gave.

    A token with letters and digits always becomes letters (nothing is lost: it was no word), one with signs only where
    that gives a known word, one without letters only where two other tokens became known words and it becomes one too.
    """
    known = vocabulary()
    seen: dict[str, str] = {}
    changes: list[tuple[int, int, str]] = []
    found = 0

    def change(match: re.Match[str]) -> bool:
        body = match[0].rstrip("!|")
        if body not in seen:
            seen[body] = _read(body, known)
        if seen[body] == body:
            return False
        changes.append((match.start(), match.start() + len(body), seen[body]))
        return seen[body] in known

    for match in _MIXED.finditer(tracked.text):
        found += change(match)
    if found >= 2:
        for match in _DIGITS.finditer(tracked.text):
            change(match)
        changes.sort()
    return tracked.rewritten(changes), found


def _read(token: str, known: Vocabulary) -> str:
    if token.isalpha() or len(token) > _LONGEST_LEET:
        return token
    options = [_LEET.get(character, character) for character in token]
    usual = "".join(option[0] for option in options)
    ways = 1
    for option in options:
        ways *= len(option)
    if ways <= 32:
        for way in product(*options):
            if (word := "".join(way)) in known:
                return word
    return token if not token.isalnum() or token.isdigit() else usual
