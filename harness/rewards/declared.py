"""What an author declares about a reward function: its range, what it must follow, what it is judged on.

Declared on the function itself (:func:`declare`), it travels with ``--harness-reward=module:function``; declared on a
test (``@pytest.mark.reward(function, bounded=(0, 1))``), it holds for that test and wins over the function's own.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from harness.core.case import Case
from harness.core.errors import UsageError

F = TypeVar("F")
ATTRIBUTE = "harness_declared"
INTERFACES = ("harness", "evaluator", "trl", "verifiers", "verl", "openenv", "art", "dspy")
"""How a callable may want to be called; by default its signature tells."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """Everything that can be declared; every field is optional."""

    bounded: tuple[float, float] | None = None
    """Lowest and highest reward. The range that the exploit gap is a share of."""
    monotone_in: str | Callable[..., float] | None = None
    """A column of the case (``"tests_passed"``) that never lowers the reward when it grows, or a function
    ``feature(trajectory, case)`` that the reward never falls with."""
    order_free: bool = False
    """Whether the order of the completions in a batch or group changes nothing but the order of the values."""
    samples: str | Sequence[Case] | None = None
    """Completions of the author's own to judge on: a dataset's name or path, or cases (see ``samples_of``)."""
    without: tuple[str, ...] = ()
    """Checks that are not to be made, by name, because the reward is not meant to keep them."""
    interface: str | None = None
    """One of :data:`INTERFACES`, where the signature would be read wrongly."""

    def __post_init__(self) -> None:
        given: Any = self.bounded
        if given is not None:
            if not isinstance(given, (tuple, list)) or len(given) != 2 or not all(map(_finite, given)):
                raise UsageError(f"bounded must be two numbers, lowest and highest: bounded=(0, 1); got {given!r}")
            if not given[0] < given[1]:
                raise UsageError(f"bounded must begin with the lower number; got {given!r}")
        if self.monotone_in is not None and not (isinstance(self.monotone_in, str) or callable(self.monotone_in)):
            raise UsageError(f"monotone_in must be a column's name or a function, got {self.monotone_in!r}")
        free: Any = self.order_free
        if not isinstance(free, bool):
            raise UsageError(f"order_free must be True or False, got {free!r}")
        names: Any = self.without
        if isinstance(names, str) or not all(isinstance(name, str) for name in names):
            raise UsageError(f"without must be a list of the names of checks, got {names!r}")
        if self.interface is not None and self.interface not in INTERFACES:
            raise UsageError(f"interface must be one of {', '.join(INTERFACES)}; got {self.interface!r}")

    def updated(self, **changes: Any) -> Declared:
        """With some fields replaced.

        :raises UsageError: naming a field that does not exist, and the nearest that does.
        """
        known = [item.name for item in fields(self)]
        for name in changes:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
                raise UsageError(f"a reward declares no {name!r}; {hint}")
        values = {name: getattr(self, name) for name in known}
        values.update(changes)
        for name in ("without",):
            if isinstance(values[name], list):
                values[name] = tuple(values[name])
        return Declared(**values)


def declare(**declared: Any) -> Callable[[F], F]:
    """Write down what a reward function promises; the function itself stays as it is.

    ::

        @declare(bounded=(0, 1), samples="my_samples")
        def correct(completions, answer, **kwargs): ...

    :raises UsageError: a field does not exist or does not fit (see :class:`Declared`).
    """
    made = Declared().updated(**declared)

    def mark(function: F) -> F:
        setattr(function, ATTRIBUTE, made)
        return function

    return mark


def declared_by(thing: Any) -> Declared:
    """What was declared on a function, method, class or object; nothing where nothing was."""
    for place in (thing, getattr(thing, "__func__", None), getattr(thing, "func", None), type(thing)):
        found = getattr(place, ATTRIBUTE, None)
        if isinstance(found, Declared):
            return found
    return Declared()


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
