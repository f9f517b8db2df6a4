"""The distance of two trees: how many nodes an edit deletes, inserts and renames, found in nearly linear time.

Equal subtrees are matched first, by hash: from both ends of a list of children, then as a longest common subsequence
(unique ones as anchors, then Myers' algorithm with a cap). What is left is paired by what the pairs have in common, and
the pairs are looked into in turn. A subtree that was deleted in one place and inserted in another, of at least
:data:`MIN_MOVED` nodes, is a move and costs 1 instead of its size twice. So the distance is an upper bound of the exact
tree edit distance (Zhang and Shasha 1989) with moves; the exact one costs more than the square of the size.

Laws: 0 for equal trees and for no others; symmetric (each pair is put into an order of its own before ties are broken);
at most the sum of both sizes. The effort for pairing is bounded by :data:`BUDGET` node visits, after which children are
paired by their order alone: a completely rewritten file costs time in proportion to its size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.rewards.minimal_diff.alignment import common_subsequence
from harness.rewards.minimal_diff.tree import Node

MIN_MOVED = 4
BUDGET = 60_000
MAX_PAIRS = 400
"""Up to this many possible pairs in one gap are weighed against each other."""


@dataclass(frozen=True, kw_only=True)
class Distance:
    """What an edit did to a tree, in nodes."""

    deleted: int = 0
    inserted: int = 0
    renamed: int = 0
    moves: int = 0
    """Subtrees that stand elsewhere now; each costs 1."""
    moved: int = 0
    """Nodes in them: counted neither as deleted nor as inserted."""

    @property
    def total(self) -> int:
        """The distance; 0 means that the trees are equal."""
        return self.deleted + self.inserted + self.renamed + self.moves


def tree_distance(pairs: Sequence[tuple[Node | None, Node | None]]) -> Distance:
    """The distance over pairs of trees, one per file (None: not there); moves across files are found."""
    work = _Work()
    for one, other in pairs:
        work.compare(one, other)
    return work.result()


class _Work:
    def __init__(self) -> None:
        self.gone: list[Node] = []
        self.new: list[Node] = []
        self.renamed = 0
        self.effort = 0

    def compare(self, one: Node | None, other: Node | None) -> None:
        if one is None or other is None:
            self.gone += [one] if one is not None else []
            self.new += [other] if other is not None else []
            return
        if one.kind != other.kind:
            self.gone.append(one)
            self.new.append(other)
            return
        todo = [(one, other)]
        while todo:
            left, right = todo.pop()
            if left.hash == right.hash:
                continue
            self.renamed += left.text != right.text
            turned = comes_first(right, left)
            first, second = (right, left) if turned else (left, right)
            gone, new = (self.new, self.gone) if turned else (self.gone, self.new)
            for a, b in self._paired(first.kids, second.kids):
                if a is not None and b is not None:
                    if a.kind == b.kind:
                        todo.append((b, a) if turned else (a, b))
                    else:  # two leaves of different kinds: a rename
                        self.renamed += 1
                elif a is not None:
                    gone.append(a)
                elif b is not None:
                    new.append(b)

    def _paired(self, a: tuple[Node, ...], b: tuple[Node, ...]) -> list[tuple[Node | None, Node | None]]:
        """Children that differ, in pairs; what has no partner stands beside None."""
        out: list[tuple[Node | None, Node | None]] = []
        at, to = 0, 0
        same = common_subsequence([kid.hash for kid in a], [kid.hash for kid in b])
        for i, j in [*same, (len(a), len(b))]:
            if at < i or to < j:
                out += self._gap(a[at:i], b[to:j])
            at, to = i + 1, j + 1
        return out

    def _gap(self, a: tuple[Node, ...], b: tuple[Node, ...]) -> list[tuple[Node | None, Node | None]]:
        if not a or not b:
            return [(one, None) for one in a] + [(None, one) for one in b]
        if len(a) == len(b) == 1:
            return [(a[0], b[0])] if _may_pair(a[0], b[0]) else [(a[0], None), (None, b[0])]
        cost = sum(one.size for one in a) + sum(one.size for one in b)
        if len(a) * len(b) > MAX_PAIRS or self.effort + cost > BUDGET:
            return _in_order(a, b)
        self.effort += cost
        bags_a, bags_b = [_bag(one) for one in a], [_bag(one) for one in b]
        gain = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
        for i in range(len(a) - 1, -1, -1):
            row, below = gain[i], gain[i + 1]
            for j in range(len(b) - 1, -1, -1):
                best = max(below[j], row[j + 1])
                if _may_pair(a[i], b[j]):
                    self.effort += min(len(bags_a[i]), len(bags_b[j]))
                    best = max(best, below[j + 1] + _in_common(bags_a[i], bags_b[j]))
                row[j] = best
        out: list[tuple[Node | None, Node | None]] = []
        i = j = 0
        while i < len(a) and j < len(b):
            if gain[i][j] == gain[i + 1][j]:
                out.append((a[i], None))
                i += 1
            elif gain[i][j] == gain[i][j + 1]:
                out.append((None, b[j]))
                j += 1
            else:
                out.append((a[i], b[j]))
                i, j = i + 1, j + 1
        return out + [(one, None) for one in a[i:]] + [(None, one) for one in b[j:]]

    def result(self) -> Distance:
        gone, new, nodes = _counted(self.gone), _counted(self.new), {}
        for tree in self.gone:
            nodes.update({node.hash: node for node in _within(tree) if node.hash in new and node.size >= MIN_MOVED})
        moves = moved = 0
        for node in sorted(nodes.values(), key=lambda one: -one.size):
            times = min(gone[node.hash], new[node.hash])
            if times > 0:
                moves, moved = moves + times, moved + times * node.size
                for inner in _within(node):
                    gone[inner.hash] -= times
                    new[inner.hash] -= times
        return Distance(
            deleted=sum(tree.size for tree in self.gone) - moved,
            inserted=sum(tree.size for tree in self.new) - moved,
            renamed=self.renamed,
            moves=moves,
            moved=moved,
        )


def comes_first(a: Node, b: Node) -> bool:
    """An order of trees that depends on nothing but the trees, so that ties are broken alike from both sides."""
    while a.hash != b.hash:
        mine, other = (a.size, a.kind, a.text, len(a.kids)), (b.size, b.kind, b.text, len(b.kids))
        if mine != other:
            return mine < other
        a, b = next((x, y) for x, y in zip(a.kids, b.kids, strict=True) if x.hash != y.hash)
    return False


def _may_pair(a: Node, b: Node) -> bool:
    return a.kind == b.kind or not (a.kids or b.kids)


def _in_order(a: tuple[Node, ...], b: tuple[Node, ...]) -> list[tuple[Node | None, Node | None]]:
    """Each with the next free one of its kind: one pass, no weighing."""
    out: list[tuple[Node | None, Node | None]] = []
    to = 0
    for one in a:
        ahead = next((j for j in range(to, min(to + 8, len(b))) if b[j].kind == one.kind), None)
        if ahead is None:
            out.append((one, None))
        else:
            out += [(None, skipped) for skipped in b[to:ahead]]
            out.append((one, b[ahead]))
            to = ahead + 1
    return out + [(None, one) for one in b[to:]]


def _within(tree: Node) -> list[Node]:
    out, at = [tree], 0
    while at < len(out):
        out += out[at].kids
        at += 1
    return out


def _counted(trees: list[Node]) -> Counter[int]:
    return Counter(node.hash for tree in trees for node in _within(tree))


def _bag(tree: Node) -> Counter[int | str]:
    """What a subtree is made of: its subtrees by hash, its nodes by kind."""
    inside = _within(tree)
    bag: Counter[int | str] = Counter([node.hash for node in inside])
    bag.update([node.kind for node in inside])
    return bag


def _in_common(a: Counter[int | str], b: Counter[int | str]) -> int:
    if len(b) < len(a):
        a, b = b, a
    return sum([min(count, b[key]) for key, count in a.items() if key in b])
