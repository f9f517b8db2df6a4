"""Rules: phrases that only an attack has a use for, each bound to a rare word so that most texts are not even searched.

Every rule looks at most a few words around one occurrence of its needle, so hostile repetition costs linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A pattern that is tried where one of its needles occurs."""

    category: str
    needles: tuple[str, ...]
    """Substrings, one of which stands inside every match."""
    pattern: re.Pattern[str]
    before: int
    """Characters before the needle in which a match may begin."""


def _rule(category: str, needles: str, pattern: str, before: int = 0) -> Rule:
    """Needles stand apart by " / "."""
    return Rule(category, tuple(needles.split(" / ")), re.compile(pattern), before)


_REACH = 300
"""Characters behind a needle in which a match must end."""
_W = r"(?:[\W_]{1,6}\w{1,20}){0,%d}?[\W_]{1,6}"
_RULES = (
    _rule(
        "override",
        "ignor / disregard / forget / overrid / neglect / bypass",
        r"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget|overrid(?:e|ing)|neglect|bypass)"
        + _W % 3
        + r"(?:previous|prior|preceding|earlier|foregoing|initial|original|above)"
        + _W % 3
        + r"(?:instructions?|prompts?|directives?|guidelines|directions|commands|programming|system messages?)\b",
    ),
    _rule(
        "override",
        "ignor / disregard / forget / overrid / bypass",
        r"\b(?:ignore|disregard|forget|override|bypass)"
        + _W % 1
        + r"(?:your|all of your|all your|openais|the system|all the)"
        + _W % 2
        + r"(?:instructions|guidelines|programming|training|content polic(?:y|ies)|system prompt|"
        r"safety (?:rules|filters?|guidelines)|restrictions)\b",
    ),
    _rule(
        "persona",
        "anything now",
        r"\b(?:do|can|will|must)[\W_]{1,4}anything now\b(?:[\W_]{1,6}\w{1,20}){0,30}",
        20,
    ),
    _rule(
        "unrestricted",
        "guidelines / restrictions / limitations / morals / ethic / filter / censor",
        r"\b(?:without(?: any)?|free (?:of|from)(?: all| any)?|not bound by(?: any| the)?|has no|have no|"
        r"no longer bound by(?: any)?|unconstrained by)"
        r"(?: \w{1,15}){0,2} (?:ethical|moral|content|safety|legal)(?: (?:or|and) \w{1,12})? (?:guidelines|"
        r"restrictions|limitations|filters?|boundaries|constraints|censorship|considerations)\b",
        60,
    ),
    _rule(
        "leak",
        "system prompt / initial prompt / hidden prompt / initial instructions / original instructions / "
        "hidden instructions / secret instructions / system message",
        r"\b(?:reveal|print|output|show(?: me)?|repeat|display|leak|dump|tell me|give me|recite|write out|"
        r"what(?:s| is| are| was| were))"
        r"(?: \w{1,12}){0,3} your (?:\w{1,12} ){0,2}(?:system prompt|initial prompt|hidden prompt|"
        r"initial instructions|original instructions|hidden instructions|secret instructions|system message)\b",
        70,
    ),
    _rule(
        "chat_markup",
        "<|im_|<|system|<<sys>>|[inst]",
        r"<\|im_(?:start|sep)\|> ?(?:system|user)|<\|system\|>|<<sys>>|\[inst\] ?<<",
        0,
    ),
)


def rule_matches(text: str) -> Iterator[tuple[str, int, int]]:
    """(category, start, end) of the first match of each rule in a canonical text."""
    for rule in _RULES:
        found = _first(rule, text)
        if found is not None:
            yield rule.category, found.start(), found.end()


def _first(rule: Rule, text: str) -> re.Match[str] | None:
    for needle in rule.needles:
        tried = -1
        at = text.find(needle)
        while at >= 0:
            # Every beginning is tried once, so that a needle said a million times costs a million steps.
            for start in range(max(tried + 1, at - rule.before), at + 1):
                if start and text[start - 1].isalnum():
                    continue
                match = rule.pattern.match(text, start, at + _REACH)
                if match and match.end() >= at:
                    return match
            tried = at
            at = text.find(needle, at + len(needle))
    return None
