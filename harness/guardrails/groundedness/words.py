"""Words: how an answer and its source are cut into sentences, words and stems, each with its place in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

_WORD = re.compile("[^\\W_]+(?:['\u2019][^\\W_]+)?")
_SENTENCE = re.compile("(?<![.!?\u2026])[.!?\u2026]++[\"'\u201d\u2019)\\]]*+(?=\\s)|\n+")
_NOT_AN_END = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|no|vs|etc|e\.g|i\.e|inc|jr|sr|approx|fig)|\b[A-Z])\.$", re.IGNORECASE
)
_SUFFIXES = (
    *("ational", "ization", "ingly", "edly", "ness", "ment", "ings", "ies", "ied", "ing", "ers"),
    *("ed", "es", "er", "ly", "s", "e"),
)
_COUNTED = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty"""
_SPELT = {word: str(value) for value, word in enumerate(_COUNTED.split())}
_SPELT |= {"thirty": "30", "forty": "40", "fifty": "50", "hundred": "100", "thousand": "1000", "million": "1000000"}
_NUMBER = re.compile(r"(?<!\w)\d{1,2}:\d{2}(?!\d)|(?<![\w.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<!\w)\d+(?:\.\d+)?")
_STOPWORDS = """
a about also am an and are aren as at be been being but by can could d did didn do does doesn don done down
for from had has have having he hello her here hi him his how i if in into is isn it its just ll m may me
might my no not of oh ok okay on or our out over re s she should so t than that the their them then there
these they this those to too under up us ve very was wasn we well were what when where which who whom whose
why will with would yeah yes you your
"""
STOPWORDS = frozenset(_STOPWORDS.split())
"""Words without content of their own, greetings included."""


@lru_cache(maxsize=1 << 15)
def stem(word: str) -> str:
    """A crude stem: the first fitting suffix off, a doubled last letter made single. At least three letters stay."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            rest = word[: -len(suffix)]
            return rest[:-1] if len(rest) > 3 and rest[-1] == rest[-2] else rest
    return word


@dataclass(frozen=True)
class Sentence:
    """A sentence of a text."""

    text: str
    start: int
    """Offset into the text it comes from."""

    @property
    def end(self) -> int:
        """Offset of the character after the last."""
        return self.start + len(self.text)

    @cached_property
    def words(self) -> list[str]:
        """Every word in lower case; ``is n't`` and ``isn't`` are the same."""
        text = self.text.lower().replace("\u2019", "'").replace(" n't", "n't").replace(" '", "'")
        return _WORD.findall(text)

    @cached_property
    def stems(self) -> list[str]:
        """A stem for every word."""
        return [stem(word) for word in self.words]

    @cached_property
    def content(self) -> list[str]:
        """The stems of the words that carry content."""
        return [
            found
            for word, found in zip(self.words, self.stems, strict=True)
            if word not in STOPWORDS and word.split("'")[0] not in STOPWORDS
        ]

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Every number, written as digits without separators; number words from zero to twenty and round ones too."""
        digits = {_plain(match[0]) for match in _NUMBER.finditer(self.text)}
        return frozenset(digits | {_SPELT[word] for word in self.words if word in _SPELT and word != "one"})

    @cached_property
    def names(self) -> frozenset[str]:
        """Capitalised words that do not begin the sentence, in lower case; none where everything is capitalised."""
        if self.text == self.text.lower():
            return frozenset()
        found = list(_WORD.finditer(self.text))
        capitals = [match for match in found if match[0][0].isupper()]
        if 3 * len(capitals) > 2 * len(found) and len(found) > 4:
            return frozenset()
        return frozenset(m[0].lower().split("'")[0] for m in capitals if m.start() > found[0].start() and len(m[0]) > 2)


def _plain(number: str) -> str:
    if ":" in number:
        return number
    whole, _, fraction = number.replace(",", "").partition(".")
    fraction = fraction.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")


def sentences(text: str) -> list[Sentence]:
    """The sentences of a text that hold at least one letter or digit, in order."""
    out: list[Sentence] = []
    start = 0
    for match in _SENTENCE.finditer(text):
        if match[0] == "." and _NOT_AN_END.search(text[max(start, match.end() - 12) : match.end()]):
            continue
        _add(out, text, start, match.end())
        start = match.end()
    _add(out, text, start, len(text))
    return out


def _add(out: list[Sentence], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    if any(map(str.isalnum, piece)):
        lead = len(piece) - len(piece.lstrip())
        out.append(Sentence(piece.strip(), start + lead))
