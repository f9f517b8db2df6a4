"""Two sides in turn: rounds of alternating samples in an order drawn from a seed, and the ratio they show."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from harness.runs.bench.sides import Side
from harness.stats.ratio import Shift, paired_ratio, shifted


@dataclass(frozen=True, kw_only=True)
class Round:
    """One pair: both sides freshly started, sampled in turn."""

    first: tuple[float, ...]
    """Seconds per unit of work, sample by sample; the other side's sample of the same place is its neighbour."""
    second: tuple[float, ...]

    @property
    def typical(self) -> tuple[float, float]:
        """The first side's median, and that times the median ratio of neighbours: drift hits both of a pair."""
        level = median(self.first)
        ratios = [math.log(b / a) for a, b in zip(self.first, self.second, strict=True)]
        return level, level * math.exp(median(ratios))


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What a comparison in turn showed."""

    first: str
    second: str
    rounds: tuple[Round, ...]
    units: int
    """Units of work (calls, requests) per sample."""
    shift: Shift

    @property
    def typical(self) -> tuple[float, float]:
        """Median seconds per unit of each side, over the rounds."""
        pairs = [item.typical for item in self.rounds]
        return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def compare_in_turn(
    first: Side,
    second: Side,
    *,
    rounds: int = 20,
    samples: int = 20,
    sample_s: float = 0.004,
    units: int | None = None,
    pin: bool = True,
    level: float = 0.985,
    seed: int = 0,
    tick: Callable[[int], None] | None = None,
) -> Compared:
    """Measure both in turn; the pairs are the rounds, because samples of one process are not independent.

    In each round both sides start anew; in each place of a round both give one sample, in an order drawn from the
    seed, so that neither always follows the other.

    :param units: units of work per sample; None: as many as fit into ``sample_s`` on the slower side.
    :param pin: hold functions to one processor per round; off for functions that use several.
    :raises HarnessError: a side broke; nothing is concluded from the rest.
    """
    draw = random.Random(seed)
    processors = sorted(os.sched_getaffinity(0)) if pin and hasattr(os, "sched_getaffinity") else []
    done: list[Round] = []
    for number in range(rounds):
        sides = [first, second]
        draw.shuffle(sides)
        try:
            for side in sides:
                side.start(processors[number % len(processors)] if processors else None)
            fitting = [side.settle(sample_s) for side in sides]
            units = units or min(fitting)
            taken: dict[int, list[float]] = {0: [], 1: []}
            for _ in range(samples):
                order = [0, 1]
                draw.shuffle(order)
                for index in order:
                    taken[index].append((first, second)[index].sample(units))
        finally:
            first.stop()
            second.stop()
        done.append(Round(first=tuple(taken[0]), second=tuple(taken[1])))
        if tick is not None:
            tick(number + 1)
    pairs = [item.typical for item in done]
    ratio = paired_ratio([a for a, _ in pairs], [b for _, b in pairs], level=level, seed=seed)
    return Compared(first=first.label, second=second.label, rounds=tuple(done), units=units or 1, shift=shifted(ratio))
