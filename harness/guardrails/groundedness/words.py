"""Words: how an answer and its source are cut into sentences, words and stems, each with its place in the text."""

from __future__ import annotations

import re
from collections.abc import Callable

_WORD = re.compile("[^\\W_]+(?:['\u2019][^\\W_]+)?")
# That the first character stands before the choice lets the engine skip to the next one that can begin an end.
_SENTENCE = re.compile(
    "[\n.!?\u2026](?:(?<=\n)\n*+|(?<!\n)(?<![.!?\u2026]{2})[.!?\u2026]*+[\"'\u201d\u2019)\\]]*+(?=\\s))"
)
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
_NUMBER = re.compile(r"(?=\d)(?<!\w)(?:\d{1,2}:\d{2}(?!\d)|(?<![.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)")
_DIGIT = re.compile(r"\d")
_COUNTING = frozenset(_SPELT) - {"one"}
_KEPT_UP_TO, _MOST_KEPT = 32, 1 << 15
_STOPWORDS = """
a about also am an and are aren as at be been being but by can could d did didn do does doesn don done down
for from had has have having he hello her here hi him his how i if in into is isn it its just ll m may me
might my no not of oh ok okay on or our out over re s she should so t than that the their them then there
these they this those to too under up us ve very was wasn we well were what when where which who whom whose
why will with would yeah yes you your
"""
STOPWORDS = frozenset(_STOPWORDS.split())
"""Words without content of their own, greetings included."""


def stem(word: str) -> str:
    """A crude stem: the first fitting suffix off, a doubled last letter made single. At least three letters stay."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            rest = word[: -len(suffix)]
            return rest[:-1] if len(rest) > 3 and rest[-1] == rest[-2] else rest
    return word


class _Remembered(dict[str, str]):
    """What a function says of words. Bounded: long words are never kept, and a full table starts anew."""

    def __init__(self, say: Callable[[str], str]) -> None:
        self.say = say

    def __missing__(self, word: str) -> str:
        said = self.say(word)
        if len(word) <= _KEPT_UP_TO:
            if len(self) >= _MOST_KEPT:
                self.clear()
            self[word] = said
        return said


_STEMS = _Remembered(stem)
_CONTENT = _Remembered(lambda word: "" if word in STOPWORDS or word.split("'")[0] in STOPWORDS else stem(word))
"""The stem of a word that carries content, nothing for another."""


class Sentence:
    """A sentence of a text. Made once for every few words of every text, so it is kept small."""

    __slots__ = ("content", "start", "stems", "text", "words")

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.start = start
        """Offset into the text it comes from."""
        lower = text.lower()
        if "'" in lower or "\u2019" in lower:
            lower = lower.replace("\u2019", "'").replace(" n't", "n't").replace(" '", "'")
        self.words: list[str] = _WORD.findall(lower)
        """Every word in lower case; ``is n't`` and ``isn't`` are the same."""
        self.stems = list(map(_STEMS.__getitem__, self.words))
        """A stem for every word."""
        self.content = list(filter(None, map(_CONTENT.__getitem__, self.words)))
        """The stems of the words that carry content."""

    @property
    def end(self) -> int:
        """Offset of the character after the last."""
        return self.start + len(self.text)

    @property
    def numbers(self) -> frozenset[str]:
        """Every number, written as digits without separators; number words from zero to twenty and round ones too."""
        digits = map(_plain, _NUMBER.findall(self.text)) if _DIGIT.search(self.text) else ()
        return frozenset((*digits, *(_SPELT[word] for word in _COUNTING.intersection(self.words))))

    @property
    def names(self) -> frozenset[str]:
        """Capitalised words that do not begin the sentence, in lower case; none where everything is capitalised."""
        if self.text[1:].islower() or self.text == self.text.lower():
            return frozenset()
        found = _WORD.findall(self.text)
        capitals = [word for word in found if word[0].isupper()]
        if 3 * len(capitals) > 2 * len(found) and len(found) > 4:
            return frozenset()
        first = found[0][0].isupper()
        return frozenset(word.lower().split("'")[0] for word in capitals[first:] if len(word) > 2)


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
