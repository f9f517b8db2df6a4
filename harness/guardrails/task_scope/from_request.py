"""The scope of a task, read from the user's own words and the tools' names: for where no scope was declared.

A *reading* tool is in scope when the request names at least half of what it reads. An *acting* tool is in scope when
the request also has its verb, or one of the same kind; where it acts on nothing named (``execute``), the verb alone
will do. Its addressees must be the user's own: a call to an address that the request does not have waits for a person.

This is a rule of thumb over words, made without any model, so that nothing an agent reads can change it. It does not
understand: "read the mail about how to delete a repository" has all the words of ``delete_repository``. Declare the
scope where you know the task.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.guardrails.task_scope.scope import Scope
from harness.guardrails.task_scope.tool_words import Asked, ToolCard, asked

LEAST_SHARE = 0.5
"""Share of a tool's object words that the request must name."""


def scope_from_request(request: Sequence[str], tools: Iterable[ToolCard]) -> Scope:
    """The tools that the request asks for. An empty request asks for none."""
    words = asked(request)
    needed = [card for card in tools if _needs(words, card)]
    return Scope(tools={card.name: None for card in needed}, grounded=frozenset(c.name for c in needed if c.acts))


def _needs(words: Asked, card: ToolCard) -> bool:
    named = sum(1 for thing in card.objects if words.names(thing))
    about = named >= LEAST_SHARE * len(card.objects) if card.objects else False
    if not card.acts:
        return about or (not card.objects and any(words.does(verb) for verb in card.verbs))
    does = any(words.does(verb) for verb in card.verbs)
    return does and (about or not card.objects)
