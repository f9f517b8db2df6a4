"""Features: hashed words, word pairs, triples and parts of words of many texts at once, and the best stretch of each.

The words:

- *token*: a run of letters and digits; every number is the same token.
- *stretch*: neighbouring tokens of one text, at most a window of them. Its evidence is the sum of the weights of the
  features that lie wholly inside. The score of a text is the evidence of its best stretch (a maximum-sum segment,
  Bentley 1984, of bounded length), so that text added before or after never lowers it.

Everything is linear in the length of the texts: each different word is looked at once, the rest is numpy on arrays.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

BUCKETS = 1 << 17
"""Size of the table of weights; bucket 0 stands for no feature and weighs nothing."""
WORD_LIMIT = 0.45
"""Most evidence of one word by itself: phrases make an attack, not one word said often."""
ORDERS = 4
"""Kinds of features by token: the token itself, the pair, the triple, the pair with one token between."""
INSETS = (0, 1, 2, 2)
"""How many tokens before its last one a feature of each kind reaches back."""
_PAD = 2
"""Tokens without features on either side of a text, so that short texts have a stretch of full length."""
_WALL = -1e5
"""Weight of the token between two texts; no stretch crosses it."""
_PARTED = 64
"""Characters of a word that have parts; what follows could not lift it above :data:`WORD_LIMIT` anyway."""
_TOKEN = re.compile("[a-z0-9\x80-\U0010ffff]+")
_NUMBER = 0x51ED270B
_FACTOR = 0x9E3779B97F4A7C15
_SALTS = (0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3)


@dataclass(frozen=True)
class Features:
    """What is known of some texts."""

    first: NDArray[Any]
    """For each text the first of its tokens, padding included; one more entry for the end."""
    word: NDArray[Any]
    """For each token which different word it is; the last one stands for padding."""
    by_token: NDArray[Any]
    """Buckets by token, one row per order."""
    parts: NDArray[Any]
    """Buckets of the parts of the different words."""
    parts_word: NDArray[Any]
    """The word that each part belongs to."""

    @property
    def texts(self) -> int:
        """How many texts."""
        return len(self.first) - 1

    @property
    def words(self) -> int:
        """How many different words, padding counted as one."""
        return int(self.word[0]) + 1

    @property
    def wall(self) -> NDArray[Any]:
        """The tokens that stand between texts: the last of each."""
        return self.first[1:] - 1

    @property
    def real(self) -> NDArray[Any]:
        """Which tokens are no padding."""
        told: NDArray[Any] = self.word != self.word[0]
        return told


@dataclass(frozen=True)
class Stretch:
    """The best stretch of a text, in tokens of that text."""

    evidence: float
    first: int
    end: int
    """The token after the last; not above ``first`` where no token speaks for anything."""


def tokens(text: str) -> list[str]:
    """The tokens of a text."""
    return _TOKEN.findall(text)


def extract(texts: Sequence[str]) -> Features:
    """Features of some texts, at least one. Any text will do, the empty one too."""
    return extract_tokens([tokens(text) for text in texts])


def extract_tokens(texts: Sequence[Sequence[str]]) -> Features:
    """The same of texts that are tokens already."""
    import numpy as np

    index: dict[str, int] = {}
    pieces, counts = [], []
    for found in texts:
        for token in found:
            if token not in index:
                index[token] = len(index)
        pieces.append(np.fromiter(map(index.__getitem__, found), dtype=np.int64, count=len(found)))
        counts.append(len(found))
    padding = len(index)
    before, after = np.full(_PAD, padding), np.full(_PAD + 1, padding)
    word = np.concatenate([part for piece in pieces for part in (before, piece, after)])
    first = np.concatenate(([0], np.cumsum(np.array(counts) + 2 * _PAD + 1)))
    hashes = np.fromiter((*map(_hash, index), 0), dtype=np.uint64, count=padding + 1)
    with np.errstate(over="ignore"):
        by_token = _buckets(hashes, word, word == padding)
        parts, parts_word = _parts([token[:_PARTED] for token in index])
    return Features(first, word, by_token, parts, parts_word)


def characters(text: str, first: int, end: int) -> tuple[int, int]:
    """Where the tokens ``first`` to ``end`` of a text stand in it."""
    found = list(islice(_TOKEN.finditer(text), first, end))
    return (found[0].start(), found[-1].end()) if found else (0, 0)


def _hash(word: str) -> int:
    if word.isdigit():
        return _NUMBER
    data = word.encode("utf-8", "surrogatepass")
    return (zlib.crc32(data) << 32 | zlib.crc32(data, 0x9E3779B9)) or 1


def _buckets(hashes: NDArray[Any], word: NDArray[Any], padded: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    total = len(word)
    by_token = np.zeros((ORDERS, total), dtype=np.int32)
    by_token[0] = np.where(padded, 0, _bucket(hashes * np.uint64(_SALTS[0]))[word])
    spread = hashes[word]
    for order, gaps in ((1, (1,)), (2, (1, 2)), (3, (2,))):
        reach = max(gaps)
        mixed = spread[reach:] * np.uint64(_SALTS[order])
        none = padded[reach:].copy()
        for place, gap in enumerate(gaps):
            before = slice(reach - gap, total - gap)
            mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(_FACTOR) + spread[before] * np.uint64(place * 2 + 3)
            none |= padded[before]
        by_token[order, reach:] = np.where(none, 0, _bucket(mixed))
    return by_token


def _bucket(mixed: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(_FACTOR)
    bucket: NDArray[Any] = ((mixed >> np.uint64(40)) % np.uint64(BUCKETS - 1) + np.uint64(1)).astype(np.int32)
    return bucket


def _parts(words: list[str]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Three and four neighbouring characters of each word, its beginning and end marked, digits all alike."""
    import numpy as np

    line = np.frombuffer("\0".join(["", *words, ""]).encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(
        np.uint64
    )
    line[(line >= 48) & (line <= 57)] = 48
    mark = line == 0
    owner = np.cumsum(mark) - 1
    found, belongs = [], []
    for size in (3, 4):
        count = len(line) - size + 1
        if count <= 0:
            continue
        mixed = np.full(count, size, dtype=np.uint64)
        for place in range(size):
            mixed = (mixed + line[place : place + count]) * np.uint64(_FACTOR)
            mixed ^= mixed >> np.uint64(32)
        whole = np.ones(count, dtype=bool)
        for place in range(1, size - 1):
            whole &= ~mark[place : place + count]
        found.append(_bucket(mixed[whole]))
        belongs.append(owner[1 : 1 + count][whole])
    if not found:
        return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)
    return np.concatenate(found), np.concatenate(belongs)


def token_weights(features: Features, weights: NDArray[Any], each: float) -> NDArray[Any]:
    """Evidence by order and token, ``each`` added for every token that is not padding; walls stand."""
    import numpy as np

    evidence: NDArray[Any] = weights[features.by_token].astype(np.float64)
    by_word = np.bincount(features.parts_word, weights=weights[features.parts], minlength=features.words)
    evidence[0] += by_word[features.word]
    np.minimum(evidence[0], WORD_LIMIT, out=evidence[0])
    evidence[0] += np.where(features.real, each, 0.0)
    evidence[0, features.wall] = _WALL
    return evidence


def best_segments(
    features: Features, evidence: NDArray[Any], window: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """For each text: the evidence of its best stretch, its first token and the token after its last."""
    import numpy as np

    total = evidence.shape[1]
    sums = np.zeros((ORDERS, total + 1))
    np.cumsum(evidence, axis=1, out=sums[:, 1:])
    # A stretch [i, j) holds pairs that end in i+1..j-1 and triples that end in i+2..j-1; it has at least two tokens.
    until = sums.sum(axis=0)
    start = np.arange(total + 1)
    before = sum(sums[order][np.minimum(start + inset, total)] for order, inset in enumerate(INSETS))
    least = _lowest_in_window(before[: total - 1], window - 1)
    gain = np.full(total + 1, -np.inf)
    gain[2:] = until[2:] - least
    best = np.maximum.reduceat(gain[1:], features.first[:-1])
    # The first end that reaches the maximum of its text.
    reached = np.flatnonzero(gain[1:] >= np.repeat(best, np.diff(features.first)))
    ends_at = reached[np.searchsorted(reached, features.first[:-1])] + 1
    starts_at = np.maximum((ends_at - 2)[:, None] - np.arange(window - 1), 0)
    chosen = before[starts_at].argmin(axis=1)
    return best, starts_at[np.arange(features.texts), chosen], ends_at


def _lowest_in_window(values: NDArray[Any], width: int) -> NDArray[Any]:
    """For each place the least of the last ``width`` values up to there (van Herk 1992)."""
    import numpy as np

    size = len(values)
    rows = -(-size // width) + 1
    padded = np.full(rows * width, np.inf)
    padded[width : width + size] = values
    grid = padded.reshape(rows, width)
    forward = np.minimum.accumulate(grid, axis=1)
    backward = np.minimum.accumulate(grid[:, ::-1], axis=1)[:, ::-1]
    # The window that ends in a block is the tail of the block before and the head of this one.
    tails = np.concatenate((backward.ravel(), np.full(width, np.inf)))
    least: NDArray[Any] = np.minimum(forward.ravel()[width : width + size], tails[1 : 1 + size])
    return least


def best_stretches(features: Features, weights: NDArray[Any], each: float, window: int) -> list[Stretch]:
    """The best stretch of every text."""
    best, first, end = best_segments(features, token_weights(features, weights, each), window)
    out = []
    for index, evidence in enumerate(best):
        begins, stops = features.first[index] + _PAD, features.first[index + 1] - _PAD - 1
        out.append(
            Stretch(
                float(evidence),
                int(min(max(first[index], begins), stops) - begins),
                int(max(min(end[index], stops), begins) - begins),
            )
        )
    return out
