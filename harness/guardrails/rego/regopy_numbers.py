"""Numbers that regopy compares as they are: it rounds every number to six decimals, so that 1e-9 is 0 to it.

The language only compares numbers, so only their order matters. A number with more decimals is replaced by one with at
most six that stands in the same place: between the same integers, and the same numbers of the policy, and in the same
order to the other numbers of the input.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from typing import Any

from harness.guardrails.rego.syntax import Assign, Call, Every, Items, Literal_, Policy, Some, Statement, Term, Test


class NoPlace(ValueError):
    """There are more numbers between two others than six decimals can tell apart."""


def numbers_in(value: Any) -> set[float]:
    """Every number of a JSON value."""
    found: set[float] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            waiting.extend(one.values())
        elif isinstance(one, (list, tuple, set, frozenset)):
            waiting.extend(one)
        elif isinstance(one, (int, float)) and not isinstance(one, bool):
            found.add(one)
    return found


def numbers_of(policy: Policy) -> set[float]:
    """Every number that stands in a policy."""
    found: set[float] = set()
    terms: list[Term | None] = [rule.term for rule in policy.rules]
    waiting: list[Statement] = [statement for rule in policy.rules for statement in rule.body]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Test):
            terms += [one.left, one.right]
        elif isinstance(one, Assign):
            terms.append(one.term)
        elif isinstance(one, (Some, Every)):
            terms.append(one.among)
            waiting += one.body if isinstance(one, Every) else ()
    while terms:
        term = terms.pop()
        if isinstance(term, Literal_):
            found |= numbers_in(term.value)
        elif isinstance(term, Items):
            terms += term.items
        elif isinstance(term, Call):
            terms += term.given
    return found


def is_exact(number: float) -> bool:
    """Whether regopy reads it as it is."""
    return isinstance(number, int) or number.is_integer() or float(f"{number:.6f}") == number


def places(numbers: Iterable[float], fixed: Iterable[float]) -> dict[float, float]:
    """What to write for the numbers that cannot be written as they are, and for their neighbours.

    :param fixed: the policy's own numbers, which stay.
    :raises NoPlace: see there.
    """
    loose = sorted(number for number in set(numbers) if not float(number).is_integer())
    if all(is_exact(number) for number in loose):
        return {}
    stay = sorted({float(number) for number in fixed})
    gaps: dict[tuple[float, float], list[float]] = {}
    for number in loose:
        low = float(number // 1)
        at = bisect_left(stay, number)
        if at < len(stay) and stay[at] == number:
            continue
        left = max(low, stay[at - 1]) if at else low
        right = min(low + 1, stay[at]) if at < len(stay) else low + 1
        insort(gaps.setdefault((left, right), []), number)
    made: dict[float, float] = {}
    for (left, right), inside in gaps.items():
        before = left
        for index, number in enumerate(inside, 1):
            place = float(f"{left + (right - left) * index / (len(inside) + 1):.6f}")
            if not before < place < right:
                raise NoPlace(f"{len(inside)} numbers lie too close together")
            made[number] = before = place
    return made
