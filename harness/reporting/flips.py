"""Flips: the cases that changed against the baseline, worst first."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.comparison import CasePair, Comparison


@dataclass(frozen=True, kw_only=True)
class Flip:
    """One case that passes a different share of its trials than in the baseline."""

    suite: str
    pair: CasePair

    @property
    def text(self) -> str:
        """Passed trials before and after: ``3 of 3 → 1 of 3``."""
        pair = self.pair
        return f"{pair.base_passes} of {pair.base_trials} → {pair.new_passes} of {pair.new_trials}"


def flips(comparison: Comparison) -> tuple[list[Flip], list[Flip]]:
    """Cases that got worse and those that got better, largest difference first; pairs without trials are left out."""
    found = [
        Flip(suite=suite.suite, pair=pair)
        for suite in comparison.suites
        for pair in suite.pairs
        if pair.base_trials and pair.new_trials and pair.difference != 0
    ]
    worse = sorted((flip for flip in found if flip.pair.difference < 0), key=lambda flip: flip.pair.difference)
    better = sorted((flip for flip in found if flip.pair.difference > 0), key=lambda flip: -flip.pair.difference)
    return worse, better
