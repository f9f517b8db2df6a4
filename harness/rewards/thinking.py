"""Thinking budgets: how many thinking tokens a task of a class may take before somebody is told, and before it ends.

The words:

- *class*: how hard a task is: ``trivial``, ``standard``, ``complex``, or the team's own.
- *budget*: tokens a task of the class should do with. The debit that takes its total from at most the budget to above
  it *escalates*, exactly once per task.
- *ceiling*: tokens no task of the class may pass; a debit that would is refused and nothing of it is booked.
- *wasted*: thinking beyond the budget of a task that is trivial.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.core.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class ThinkingClass:
    """A class of tasks with its budget and ceiling, in thinking tokens."""

    name: str
    budget: int
    ceiling: int

    def __post_init__(self) -> None:
        if not self.name:
            raise UsageError("a thinking class needs a name")
        for field in ("budget", "ceiling"):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise UsageError(f"class {self.name!r}: {field} is a whole number of tokens, got {value!r}")
        if self.ceiling < self.budget:
            raise UsageError(f"class {self.name!r}: ceiling {self.ceiling} is below its budget {self.budget}")


TRIVIAL = ThinkingClass(name="trivial", budget=500, ceiling=1_000)
STANDARD = ThinkingClass(name="standard", budget=2_000, ceiling=4_000)
COMPLEX = ThinkingClass(name="complex", budget=8_000, ceiling=16_000)
CLASSES: Mapping[str, ThinkingClass] = {item.name: item for item in (TRIVIAL, STANDARD, COMPLEX)}
"""The classes shipped: at most 500, 2,000 and 8,000 tokens; the ceiling is twice the budget."""


def thinking_class(name: str, classes: Mapping[str, ThinkingClass] = CLASSES) -> ThinkingClass:
    """The class of that name.

    :raises UsageError: naming the classes there are.
    """
    try:
        return classes[name]
    except KeyError:
        raise UsageError(f"no thinking class is called {name!r}; there are {', '.join(classes)}") from None
