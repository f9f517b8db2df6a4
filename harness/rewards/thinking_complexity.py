"""The class of a task: declared by the case, else estimated from how long its request is and how much it expects.

A case declares it with ``metadata["complexity"]`` or a tag ``complexity:NAME``. The estimate is a crude default for
cases that do not; whoever has a better judge passes it as ``classify``. Its rule, the highest that applies:

- *trivial*: a request of at most 10 words;
- *standard*: at most 27 words, or at least 2 expected calls, or at least 2 later turns of the user;
- *complex*: more words, or at least 4 expected calls.

The two limits were chosen on 60 requests of the golden dataset ``thinking``, where they are right 58 times; on 15 that
were written afterwards they are right 11 times. Lists of telling verbs ("prove", "compare") were as right on the 60 and
right 5 times on the 15, which is guessing: they are not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.case import Case
from harness.rewards.thinking import CLASSES, ThinkingClass, thinking_class

_LONGEST = 20_000
_TRIVIAL_WORDS = 10
_STANDARD_WORDS = 27


def declared_class(case: Case, classes: Mapping[str, ThinkingClass] = CLASSES) -> ThinkingClass | None:
    """The class the case itself declares, or None.

    :raises UsageError: it declares a class that does not exist.
    """
    named: Any = case.metadata.get("complexity")
    if named is None:
        named = next((tag.partition(":")[2] for tag in case.tags if tag.startswith("complexity:")), None)
    return None if named is None else thinking_class(str(named), classes)


def estimated_class(case: Case) -> ThinkingClass:
    """The class by the rule at the top of this file: one of the three shipped."""
    count = len(case.text[:_LONGEST].split())
    calls = len(case.expected.tool_calls or ())
    if count > _STANDARD_WORDS or calls >= 4:
        return CLASSES["complex"]
    return CLASSES["standard" if count > _TRIVIAL_WORDS or calls >= 2 or len(case.turns) >= 2 else "trivial"]


def complexity_of(case: Case) -> ThinkingClass:
    """The declared class, else the estimated one."""
    return declared_class(case) or estimated_class(case)
