"""Features: hashed words, word pairs, triples and parts of words of many texts at once, and the best stretch of each.

The words:

- *token*: a run of letters and digits; every number is the same token.
- *stretch*: neighbouring tokens of one text. Its evidence is the sum of the weights of the features that lie wholly
  inside. The score of a text is the evidence of its best stretch (the maximum-sum segment of Bentley 1984), so that text
  added before or after never lowers it.

Everything is linear in the length of the texts and done by numpy on whole arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

BUCKETS = 1 << 17
"""Size of the table of weights; bucket 0 stands for no feature and weighs nothing."""
WORD_LIMIT = 0.45
"""Most evidence of one word by itself: phrases make an attack, not one word said often."""
ORDERS = 4
"""Kinds of features by token: the token itself, the pair, the triple, the pair with one token between."""
_PAD = 2
"""Tokens without features on either side of a text, so that short texts have a stretch of full length."""
_WALL = -1e5
"""Weight of the token between two texts; no stretch crosses it."""
_FACTOR = 0x9E3779B97F4A7C15
_INVERSE = pow(_FACTOR, -1, 1 << 64)
_SALTS = (0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3)


@dataclass(frozen=True)
class Features:
    """What is known of some texts, by token."""

    texts: int
    first: NDArray[Any]
    """For each text, its first token; one more entry for the end."""
    wall: NDArray[Any]
    """The tokens that stand between texts."""
    starts: NDArray[Any]
    """Where a token begins in the texts joined by one character; -1 for padding."""
    ends: NDArray[Any]
    by_token: NDArray[Any]
    """Buckets, one row per order."""
    parts: NDArray[Any]
    """Buckets of the parts of words."""
    parts_token: NDArray[Any]
    """The token that each part belongs to."""


@dataclass(frozen=True)
class Stretch:
    """The best stretch of a text."""

    evidence: float
    start: int
    """First character, in the texts joined by one character."""
    end: int


def extract(texts: Sequence[str]) -> Features:
    """Features of some texts. Any text will do, the empty one too."""
    import numpy as np

    with np.errstate(over="ignore"):
        joined = "\0".join(texts)
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
        small = codes < 128
        letter = ((codes >= 97) & (codes <= 122)) | ~small
        digit = (codes >= 48) & (codes <= 57)
        inside = np.concatenate(([False], letter | digit, [False]))
        edges = np.flatnonzero(inside[1:] != inside[:-1])
        starts, ends = edges[::2], edges[1::2]
        lengths = np.array([len(text) + 1 for text in texts], dtype=np.int64)
        text_of = np.searchsorted(np.cumsum(lengths), starts, side="right")
        token = np.arange(len(starts)) + text_of * (2 * _PAD + 1) + _PAD
        total = len(starts) + len(texts) * (2 * _PAD + 1)
        hashes = np.zeros(total, dtype=np.uint64)
        hashes[token] = _word_hashes(codes, starts, ends, digit)
        padded = hashes == 0
        by_token = np.zeros((ORDERS, total), dtype=np.int32)
        by_token[0] = np.where(padded, 0, _bucket(hashes * np.uint64(_SALTS[0])))
        for order, gaps in ((1, (1,)), (2, (1, 2)), (3, (2,))):
            reach = max(gaps)
            if total <= reach:
                continue
            mixed = hashes[reach:] * np.uint64(_SALTS[order])
            none = padded[reach:].copy()
            for place, gap in enumerate(gaps):
                before = slice(reach - gap, total - gap)
                mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(_FACTOR) + hashes[before] * np.uint64(
                    place * 2 + 3
                )
                none |= padded[before]
            by_token[order, reach:] = np.where(none, 0, _bucket(mixed))
        counts = np.bincount(text_of, minlength=len(texts)) + 2 * _PAD + 1
        first = np.concatenate(([0], np.cumsum(counts)))
        token_starts = np.full(total, -1, dtype=np.int64)
        token_starts[token] = starts
        token_ends = np.full(total, -1, dtype=np.int64)
        token_ends[token] = ends
        parts, parts_token = _parts(codes, starts, ends, token, digit)
        return Features(len(texts), first, first[1:] - 1, token_starts, token_ends, by_token, parts, parts_token)


def _bucket(mixed: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(_FACTOR)
    return ((mixed >> np.uint64(40)) % np.uint64(BUCKETS - 1) + np.uint64(1)).astype(np.int32)


def _word_hashes(codes: NDArray[Any], starts: NDArray[Any], ends: NDArray[Any], digit: NDArray[Any]) -> NDArray[Any]:
    """A hash of each token that does not depend on where it stands: a polynomial by prefix sums modulo 2**64."""
    import numpy as np

    if not len(starts):
        return np.zeros(0, dtype=np.uint64)
    size = len(codes) + 1
    up = np.ones(size, dtype=np.uint64)
    up[1:] = _FACTOR
    down = np.ones(size, dtype=np.uint64)
    down[1:] = _INVERSE
    up, down = np.cumprod(up), np.cumprod(down)
    sums = np.concatenate(([np.uint64(0)], np.cumsum((codes + np.uint64(7)) * up[:-1])))
    hashes = (sums[ends] - sums[starts]) * down[starts]
    digits = np.concatenate(([0], np.cumsum(digit)))
    hashes[digits[ends] - digits[starts] == ends - starts] = 0x51ED270B
    hashes[hashes == 0] = 1
    return hashes


def _parts(
    codes: NDArray[Any], starts: NDArray[Any], ends: NDArray[Any], token: NDArray[Any], digit: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Three and four neighbouring characters of each word, its beginning and end marked."""
    import numpy as np

    if not len(starts):
        return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)
    # The words side by side with one mark (0) between them.
    lengths = ends - starts
    places = np.cumsum(lengths + 1) - lengths
    total = int(places[-1] + lengths[-1]) + 1
    line = np.zeros(total, dtype=np.uint64)
    owner = np.repeat(np.arange(len(starts)), lengths)
    at = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    where = places[owner] + at
    line[where] = np.where(digit[starts[owner] + at], np.uint64(48), codes[starts[owner] + at])
    word = np.zeros(total, dtype=np.int64)
    word[where] = owner
    found, belongs = [], []
    for size in (3, 4):
        count = total - size + 1
        if count <= 0:
            continue
        mixed = np.full(count, size, dtype=np.uint64)
        for place in range(size):
            mixed = (mixed + line[place : place + count]) * np.uint64(_FACTOR)
            mixed ^= mixed >> np.uint64(32)
        whole = np.ones(count, dtype=bool)
        for place in range(1, size - 1):
            whole &= line[place : place + count] != 0
        found.append(_bucket(mixed[whole]))
        belongs.append(token[word[1 : 1 + count][whole]])
    return np.concatenate(found), np.concatenate(belongs)


def token_weights(features: Features, weights: NDArray[Any], each: float) -> NDArray[Any]:
    """Evidence by order and token, ``each`` added for every token that is not padding; walls stand."""
    import numpy as np

    evidence = weights[features.by_token].astype(np.float64)
    total = evidence.shape[1]
    evidence[0] += np.bincount(features.parts_token, weights=weights[features.parts], minlength=total)
    np.minimum(evidence[0], WORD_LIMIT, out=evidence[0])
    evidence[0] += np.where(features.starts >= 0, each, 0.0)
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
    one, two = np.minimum(start + 1, total), np.minimum(start + 2, total)
    before = sums[0] + sums[1][one] + sums[2][two] + sums[3][two]
    least = _lowest_in_window(before[: total - 1], window - 1)
    gain = np.full(total + 1, -np.inf)
    gain[2:] = until[2:] - least
    best = np.maximum.reduceat(gain[1:], features.first[:-1])
    # The first end that reaches the maximum of its text.
    reached = np.flatnonzero(gain[1:] >= np.repeat(best, np.diff(features.first)))
    index = np.searchsorted(reached, features.first[:-1])
    ends_at = reached[index] + 1
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
    grid = padded[: rows * width].reshape(rows, width)
    forward = np.minimum.accumulate(grid, axis=1)
    backward = np.minimum.accumulate(grid[:, ::-1], axis=1)[:, ::-1]
    # The window that ends in a block is the tail of the block before and the head of this one.
    tails = np.concatenate((backward.ravel(), np.full(width, np.inf)))
    return np.minimum(forward.ravel()[width : width + size], tails[1 : 1 + size])


def best_stretches(features: Features, weights: NDArray[Any], each: float, window: int) -> list[Stretch]:
    """The best stretch of every text."""
    import numpy as np

    best, first, end = best_segments(features, token_weights(features, weights, each), window)
    out = []
    for evidence, begin, stop in zip(best, first, end, strict=True):
        real = np.arange(begin, stop)
        real = real[features.starts[begin:stop] >= 0]
        if len(real):
            out.append(Stretch(float(evidence), int(features.starts[real[0]]), int(features.ends[real[-1]])))
        else:
            out.append(Stretch(float(evidence), 0, 0))
    return out
