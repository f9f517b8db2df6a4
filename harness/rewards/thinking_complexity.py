"""The class of a task: declared by the case, else read off the request by a few plain rules.

A case declares it with ``metadata["complexity"]`` or a tag ``complexity:NAME``. The rules are a default for cases that
do not: they count what the request asks for, they do not understand it. Whoever has a better judge passes it as
``classify``. Points, and what they add up to (0 or 1 trivial, 2 or 3 standard, 4 and more complex):

- words of the request: 1 above 25, 2 above 80, 3 above 200;
- things asked for (question marks, lines of a list, sentences that begin with a verb of doing): 1 above 1, 2 above 3;
- a verb that asks for work rather than a fact (prove, design, refactor, plan, ...): 2; one that asks for a little work
  (compare, explain, summarise, write, fix, ...): 1;
- calls the case expects: 1 from 2, 2 from 4; later turns of the user: 1 from 2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness.core.case import Case
from harness.rewards.thinking import CLASSES, ThinkingClass, thinking_class

_LONGEST = 20_000
_HARD = re.compile(
    r"\b(?:prove|proof|derive|design|refactor|architect\w*|optimi[sz]e|debug|plan|migrat\w+|implement|reconcile|"
    r"diagnos\w+|simulate|formali[sz]e|investigate|root cause|trade-?offs?|step by step|schedule|audit|negotiate)\b",
    re.IGNORECASE,
)
_SOME = re.compile(
    r"\b(?:compare|explain|summari[sz]e|write|fix|convert|calculate|compute|estimate|recommend|rewrite|draft|analy[sz]e|"
    r"classify|extract|sort|why|how (?:do|does|should|would|can)|find all|list all|refund|cancel|change|book|update|"
    r"check)\b",
    re.IGNORECASE,
)
_ASK = re.compile(r"\?|^\s*(?:[-*•]|\d+[.)])\s", re.MULTILINE)
_THEN = re.compile(r"\b(?:then|after that|and also|finally|second(?:ly)?|third(?:ly)?|next)\b", re.IGNORECASE)


def declared_class(case: Case, classes: Mapping[str, ThinkingClass] = CLASSES) -> ThinkingClass | None:
    """The class the case itself declares, or None.

    :raises UsageError: it declares a class that does not exist.
    """
    named: Any = case.metadata.get("complexity")
    if named is None:
        named = next((tag.partition(":")[2] for tag in case.tags if tag.startswith("complexity:")), None)
    return None if named is None else thinking_class(str(named), classes)


def estimated_class(case: Case) -> ThinkingClass:
    """The class by the rules at the top of this file: one of the three shipped."""
    text = case.text[:_LONGEST]
    count = len(text.split())
    points = sum(count > limit for limit in (25, 80, 200))
    asked = len(_ASK.findall(text)) + len(_THEN.findall(text))
    points += sum(asked > limit for limit in (1, 3))
    points += 2 if _HARD.search(text) else 1 if _SOME.search(text) else 0
    expected = len(case.expected.tool_calls or ())
    points += sum(expected >= limit for limit in (2, 4))
    points += len(case.turns) >= 2
    return CLASSES["trivial" if points <= 1 else "standard" if points <= 3 else "complex"]


def complexity_of(case: Case) -> ThinkingClass:
    """The declared class, else the estimated one."""
    return declared_class(case) or estimated_class(case)
