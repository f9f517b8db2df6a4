"""What leads a judge astray: the order in which it sees things, their length, its own mood. Numbers in, figures out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.stats.estimate import Estimate
from harness.stats.paired import paired_difference
from harness.stats.rates import rate
from harness.stats.unpaired import newcombe_difference


@dataclass(frozen=True, kw_only=True)
class PairVerdicts:
    """One pair of answers, judged in both orders. Choices are 1 for the first answer, 2 for the second, 0 for a tie."""

    human: int
    """The better one, 1 or 2."""
    given: int | None
    """The choice with answer 1 shown first; None: no verdict."""
    swapped: int | None
    """The choice with answer 2 shown first, in the same numbering."""
    length_1: int = 0
    length_2: int = 0
    """Lengths of the answers, in any unit."""


def order_flips(pairs: Sequence[PairVerdicts], *, level: float = 0.95) -> Estimate:
    """Share of pairs whose winner depends on the order in which they are shown; 0 is best."""
    both = [p for p in pairs if p.given is not None and p.swapped is not None]
    return rate([float(p.given != p.swapped) for p in both], level=level)


def order_preference(pairs: Sequence[PairVerdicts], *, level: float = 0.95) -> Estimate:
    """How much being shown first helps: the chance of being chosen when first, minus that when second, in [-1, 1].

    Over both answers of every pair; 0 for a judge without preference, however often it errs; above 0 it favours the
    first, below 0 the last. Paired by pair, corrected Tango bounds.
    """
    both = [p for p in pairs if p.given is not None and p.swapped is not None]
    moved = [((p.given == 1) - (p.swapped == 1) + (p.swapped == 2) - (p.given == 2)) / 2 for p in both]
    return paired_difference(moved, level=level)


def length_preference(pairs: Sequence[PairVerdicts], *, level: float = 0.95) -> Estimate:
    """How much longer answers are favoured: the error rate where people prefer the shorter answer, minus that where
    they prefer the longer one, in [-1, 1].

    0 for a judge whose mistakes know nothing of length, however many it makes and whichever answers people prefer;
    above 0 it favours the longer, below 0 the shorter one. A tie is half a mistake. Newcombe's interval (1998, method
    10); a pair judged in both orders counts once, with the mean of its two verdicts.
    """
    errors: dict[bool, list[float]] = {True: [], False: []}
    for p in pairs:
        choices = [choice for choice in (p.given, p.swapped) if choice is not None]
        if not choices or p.length_1 == p.length_2:
            continue
        wrong = sum(0.5 if choice == 0 else float(choice != p.human) for choice in choices) / len(choices)
        longer = 1 if p.length_1 > p.length_2 else 2
        errors[p.human == longer].append(wrong)
    long, short = errors[True], errors[False]
    return newcombe_difference(sum(long), len(long), sum(short), len(short), level=level)


def length_following(pairs: Sequence[PairVerdicts], *, level: float = 0.95) -> Estimate:
    """How much better "the longer one wins" tells the judge's choices than people's labels do, in [-1, 1].

    Above 0 the judge follows length rather than people. Pairs of equal length are left out; both orders of a pair count
    once. Paired by pair, corrected Tango bounds.
    """
    gaps = []
    for p in pairs:
        choices = [choice for choice in (p.given, p.swapped) if choice]
        if choices and p.length_1 != p.length_2:
            longer = 1 if p.length_1 > p.length_2 else 2
            gaps.append(sum((choice == longer) - (choice == p.human) for choice in choices) / len(choices))
    return paired_difference(gaps, level=level)


def pair_accuracy(pairs: Sequence[PairVerdicts], *, level: float = 0.95) -> Estimate:
    """Share of right choices, both orders of a pair together counting once; a tie is half right."""
    values = []
    for p in pairs:
        choices = [choice for choice in (p.given, p.swapped) if choice is not None]
        if choices:
            values.append(sum(0.5 if choice == 0 else float(choice == p.human) for choice in choices) / len(choices))
    return rate(values, level=level)


def length_effect(
    passes: Sequence[bool], human: Sequence[bool], lengths: Sequence[int], *, level: float = 0.95
) -> Estimate:
    """How much more often longer work is passed among work that people find equally good, in [-1, 1].

    Within what people passed, and within what they failed, the longer half is compared with the shorter one; the two
    differences are weighted as Mantel and Haenszel do, n1 n2 / (n1 + n2) (Greenland and Robins 1985, Biometrics
    41:55-68), each with Newcombe's interval, put together by their distances (MOVER). Work of the median length is left
    out. It shows what goes along with length; what padding alone does is shown by padding.
    """
    import math

    parts = []
    for truth in (True, False):
        rows = [
            (length, passed) for length, passed, label in zip(lengths, passes, human, strict=True) if label is truth
        ]
        if not rows:
            continue
        ordered = sorted(length for length, _ in rows)
        middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
        long = [passed for length, passed in rows if length > middle]
        short = [passed for length, passed in rows if length < middle]
        if long and short:
            made = newcombe_difference(sum(short), len(short), sum(long), len(long), level=level)
            parts.append((len(long) * len(short) / (len(long) + len(short)), made))
    whole = sum(weight for weight, _ in parts)
    if not whole:
        return Estimate(value=None, level=level, note="no two lengths among work that people find equally good")
    value = low = high = 0.0
    for weight, made in parts:
        assert made.value is not None
        assert made.low is not None
        assert made.high is not None
        share = weight / whole
        value += share * made.value
        low += (share * (made.value - made.low)) ** 2
        high += (share * (made.high - made.value)) ** 2
    return Estimate(
        value=value,
        low=max(-1.0, value - math.sqrt(low)),
        high=min(1.0, value + math.sqrt(high)),
        level=level,
        method="Mantel-Haenszel of two halves, Newcombe",
        n=len(passes),
        clusters=len(passes),
    )
