"""Measured: one edit in figures: similarity, distance, scaffolding, and the multiplier that follows from them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

from harness.rewards.minimal_diff.distance import Distance, tree_distance
from harness.rewards.minimal_diff.edit import Edit, Files
from harness.rewards.minimal_diff.grammar import language_of
from harness.rewards.minimal_diff.tree import Node, SourceTree
from harness.rewards.scaffolding.detectors import scaffolding
from harness.rewards.scaffolding.finding import Scaffold

KEPT_TREES = 128


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One edit in figures."""

    similarity: float
    """1 minus the distance over the sizes of both trees of files whose trees differ, in [0, 1]; 1: no change."""
    distance: Distance
    gold_distance: Distance | None
    """How far the reference edit goes; None without one."""
    size_before: int
    """Nodes of the files whose trees differ."""
    size_after: int
    scaffolds: tuple[Scaffold, ...]
    economy: float
    """1 for an edit as small as the reference, falling towards 0 with what goes beyond it."""
    multiplier: float
    """What the gate's reward is multiplied by, in [floor, 1]; 0 where no tree changed."""

    @property
    def parts(self) -> dict[str, float | None]:
        """The figures by name, for a :class:`~harness.core.reward.RewardValue`."""
        return {
            "similarity": self.similarity,
            "distance": float(self.distance.total),
            "gold_distance": None if self.gold_distance is None else float(self.gold_distance.total),
            "scaffolding": float(len(self.scaffolds)),
            "economy": self.economy,
            "multiplier": self.multiplier,
        }

    def to_json(self) -> dict[str, Any]:
        """Plain mapping for evidence."""
        return {
            **self.parts,
            "nodes": {**vars(self.distance), "before": self.size_before, "after": self.size_after},
            "scaffolds": [one.to_json() for one in self.scaffolds],
        }


class Trees:
    """Trees of files as they were before, each parsed once however many edits of it are judged. Safe in threads."""

    def __init__(self, kept: int = KEPT_TREES) -> None:
        self._kept: OrderedDict[tuple[str | None, str], SourceTree] = OrderedDict()
        self._limit = kept
        self._lock = Lock()

    def before(self, path: str, text: str) -> SourceTree:
        """The tree of a file before the edit, from memory where there is one.

        :raises Unparsable: it has a syntax error.
        """
        key = (language_of(path), text)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = SourceTree(text, path)
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return made

    def between(self, before: Files, after: Files) -> tuple[Distance, int, int]:
        """The distance of two states of a program, and the sizes of the files whose trees differ.

        :raises Unparsable: a file that differs has a syntax error.
        """
        pairs: list[tuple[Node | None, Node | None]] = []
        for path in Edit(before=before, after=after).changed:
            old = self.before(path, before[path]) if path in before else None
            new = SourceTree(after[path], path, old) if path in after else None
            if old is None or new is None or old.root.hash != new.root.hash:
                pairs.append((None if old is None else old.root, None if new is None else new.root))
        sizes = [sum(tree.size for tree in side if tree is not None) for side in zip(*pairs, strict=True)] or [0, 0]
        return tree_distance(pairs), sizes[0], sizes[1]


def measure(edit: Edit, trees: Trees, *, floor: float, slack: int, per_scaffold: float) -> Measured:
    """Put one edit into figures. See :class:`~harness.rewards.minimal_diff.reward.MinimalDiff` for the parameters.

    :raises Unparsable: a file that differs has a syntax error.
    """
    distance, size_before, size_after = trees.between(edit.before, edit.after)
    gold = None if edit.gold is None else trees.between(edit.before, edit.gold)[0]
    allowed = 0 if gold is None else gold.total
    economy = 1.0 / (1.0 + max(0, distance.total - allowed) / max(slack, allowed))
    scaffolds = tuple(scaffolding(edit)) if distance.total else ()
    multiplier = floor + (1.0 - floor) * economy * per_scaffold ** len(scaffolds)
    both = size_before + size_after
    return Measured(
        similarity=1.0 - distance.total / both if both else 1.0,
        distance=distance,
        gold_distance=gold,
        size_before=size_before,
        size_after=size_after,
        scaffolds=scaffolds,
        economy=economy,
        multiplier=multiplier if distance.total else 0.0,
    )
