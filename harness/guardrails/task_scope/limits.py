"""Limits on one argument of a tool call: what a value may be.

In JSON a limit is an object with one key: ``{"one_of": [...]}``, ``{"matching": "..."}``, ``{"at_most": 50}``,
``{"from_request": true}``, ``{"any": true}``; any other value must be equal.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.core.errors import UsageError

MAX_TEXT = 100_000
"""Longest text that a limit looks at; longer ones are outside every limit but :data:`ANY`."""

MAX_VALUE = 2000
"""Longest value that is looked up in a request: looking is quadratic in the worst case, and so is bounded."""
MAX_NAMED = 200
"""Most texts and numbers in one argument that can be looked up in a request; more of them are outside."""


class Limit(Protocol):
    """What a value may be."""

    def admits(self, value: Any, request: Sequence[str]) -> bool:
        """Whether the value is inside. ``request``: what the user said."""
        ...


@dataclass(frozen=True)
class _Any:
    def admits(self, value: Any, request: Sequence[str]) -> bool:
        return True

    def __repr__(self) -> str:
        return "ANY"


ANY = _Any()
"""Any value."""


@dataclass(frozen=True)
class OneOf:
    """Equal to one of these. 1 and 1.0 are equal, 1 and True are not, and texts are compared after NFKC and strip."""

    values: tuple[Any, ...]

    def admits(self, value: Any, request: Sequence[str]) -> bool:
        """See :class:`Limit`."""
        return any(same(value, one) for one in self.values)


@dataclass(frozen=True)
class Matching:
    """A text that matches this regular expression as a whole. The pattern is the team's own, so it may be slow."""

    pattern: str

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise UsageError(f"Matching({self.pattern!r}) is no regular expression: {error}") from error

    def admits(self, value: Any, request: Sequence[str]) -> bool:
        """See :class:`Limit`."""
        return isinstance(value, str) and len(value) <= MAX_TEXT and re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True)
class AtMost:
    """A number not above this."""

    number: float

    def admits(self, value: Any, request: Sequence[str]) -> bool:
        """See :class:`Limit`. NaN is not inside."""
        return isinstance(value, (int, float)) and not isinstance(value, bool) and value <= self.number


@dataclass(frozen=True)
class FromRequest:
    """Every text and number in it stands, as a whole word, in what the user said."""

    def admits(self, value: Any, request: Sequence[str]) -> bool:
        """See :class:`Limit`."""
        said = [folded(text[:MAX_TEXT]) for text in request]
        named = list(itertools.islice(leaves(value), MAX_NAMED + 1))
        return len(named) <= MAX_NAMED and all(any(stands_in(leaf, text) for text in said) for leaf in named)


def limit_of(given: Any) -> Limit:
    """A limit from data: see the words at the top of this file."""
    if hasattr(given, "admits"):
        limit: Limit = given
        return limit
    if isinstance(given, Mapping) and len(given) == 1:
        ((key, value),) = given.items()
        if key == "one_of":
            return OneOf(tuple(value))
        if key == "matching":
            return Matching(value)
        if key == "at_most":
            return AtMost(value)
        if key == "from_request" and value is True:
            return FromRequest()
        if key == "any" and value is True:
            return ANY
    return OneOf((given,))


def same(left: Any, right: Any) -> bool:
    """Equality of JSON values. Arrays and objects recursively; a very deep value is equal to nothing."""
    try:
        return _same(left, right)
    except RecursionError:
        return False


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left == right or _plain(left) == _plain(right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(_same(one, two) for one, two in zip(left, right, strict=True))
    return type(left) is type(right) and left == right if left is None or right is None else bool(left == right)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def folded(text: str) -> str:
    """Text for comparing: NFKC, case-folded, spaces made one."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def stands_in(value: str, text: str) -> bool:
    """Whether a value stands in a folded text as a whole word: ``10`` does not stand in ``100``."""
    if len(value) > MAX_VALUE:
        return False
    value = folded(value)
    if not value:
        return True
    at = text.find(value)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(value) : at + len(value) + 1]
        if not (before.isalnum() and value[0].isalnum()) and not (after.isalnum() and value[-1].isalnum()):
            return True
        at = text.find(value, at + 1)
    return False


def leaves(value: Any) -> Iterator[str]:
    """Texts and numbers of a JSON value, keys left out, as texts; true, false and null are nobody's words."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            waiting.extend(one.values())
        elif isinstance(one, (list, tuple)):
            waiting.extend(one)
        elif isinstance(one, str):
            yield one
        elif isinstance(one, (int, float)) and not isinstance(one, bool):
            yield f"{one:g}" if isinstance(one, float) else _digits(one)


def _digits(number: int) -> str:
    # str() of a very large integer raises; nobody asks for one in words.
    return str(number) if number.bit_length() < 10_000 else "an enormous number"
