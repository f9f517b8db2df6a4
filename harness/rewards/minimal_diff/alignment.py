"""The longest common subsequence of two lists of hashes, exact for small differences, near enough for large ones."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

MAX_EDITS = 48
"""Up to this many insertions and deletions between two anchors the subsequence is exact (Myers 1986)."""


def common_subsequence(a: Sequence[int], b: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of places with equal values, rising in both; equal ends and unique values first."""
    start, end = 0, 0
    shorter = min(len(a), len(b))
    while start < shorter and a[start] == b[start]:
        start += 1
    while end < shorter - start and a[len(a) - 1 - end] == b[len(b) - 1 - end]:
        end += 1
    pairs = [(at, at) for at in range(start)]
    stop_a, stop_b = len(a) - end, len(b) - end
    i, j = start, start
    for x, y in [*_anchors(a, b, start, stop_a, stop_b), (stop_a, stop_b)]:
        pairs += [(i + u, j + v) for u, v in _myers(a[i:x], b[j:y])]
        if x < stop_a:
            pairs.append((x, y))
        i, j = x + 1, y + 1
    return pairs + [(stop_a + at, stop_b + at) for at in range(end)]


def _anchors(a: Sequence[int], b: Sequence[int], start: int, stop_a: int, stop_b: int) -> list[tuple[int, int]]:
    """Values that occur once on both sides, as long a rising run of them as there is (patience sorting)."""
    once_a, once_b = Counter(a[start:stop_a]), Counter(b[start:stop_b])
    places = {value: at for at, value in enumerate(b[start:stop_b], start) if once_b[value] == 1}
    found = [
        (at, places[value]) for at, value in enumerate(a[start:stop_a], start) if once_a[value] == 1 and value in places
    ]
    tails: list[int] = []
    chain: list[tuple[int, int]] = []  # (place in found of the tail, of its predecessor) per pile
    before = [-1] * len(found)
    for at, (_, y) in enumerate(found):
        pile = bisect_left(tails, y)
        before[at] = chain[pile - 1][0] if pile else -1
        if pile == len(tails):
            tails.append(y)
            chain.append((at, pile))
        else:
            tails[pile], chain[pile] = y, (at, pile)
    out: list[tuple[int, int]] = []
    at = chain[-1][0] if chain else -1
    while at >= 0:
        out.append(found[at])
        at = before[at]
    return out[::-1]


def _myers(a: Sequence[int], b: Sequence[int]) -> list[tuple[int, int]]:
    n, m = len(a), len(b)
    if not n or not m:
        return []
    reach = {1: 0}
    steps: list[dict[int, int]] = []
    for edits in range(min(n + m, MAX_EDITS) + 1):
        steps.append(dict(reach))
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            y = x - k
            while x < n and y < m and a[x] == b[y]:
                x, y = x + 1, y + 1
            reach[k] = x
            if x >= n and y >= m:
                return _walked_back(steps, n, m)
    return []


def _walked_back(steps: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    for edits in range(len(steps) - 1, -1, -1):
        reach, k = steps[edits], x - y
        from_x = from_y = 0
        if edits:
            down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
            from_x = reach[k + 1] if down else reach[k - 1]
            from_y = from_x - (k + 1 if down else k - 1)
        while x > from_x and y > from_y:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = from_x, from_y
    return pairs[::-1]
