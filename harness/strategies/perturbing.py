"""Changes of a case that leave its meaning alone: typos, case, unicode, spaces, paraphrase, irrelevant words, fields.

Metamorphic testing (Chen, Cheung and Yiu 1998; for language models Ribeiro et al. 2020, "CheckList"): nobody needs to
know the right answer to ask that it stays the same. A change is a list of small edits, made from a seed, so that it can
be made again, and taken apart edit by edit when it breaks something (``harness.strategies.shrinking``).

Words with a digit, an ``@`` or an underscore, and quoted text, are never touched: an order number with a typo is
another order number.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.core.case import Case, content_hash
from harness.core.errors import UsageError

_WORD = re.compile(r"(\"[^\"]*\"|`[^`]*`|\S+)")
_PLAIN = re.compile(r"[A-Za-z][a-z']+[.,!?;:]?")
GREETINGS = (
    "Hello, {}", "Hi there! {}", "Good morning. {}", "{} Thank you.", "{} Thanks in advance!", "Hello. {} Best regards",
    "I have a request. {}", "{} That is all.",
)  # fmt: skip
ASIDES = (
    "It is raining here today.", "Sorry for writing so early.", "I am typing this on the train.",
    "My neighbour recommended your shop.", "I like your new website.", "It has been a long week.",
)  # fmt: skip
_FULL_WIDTH = {"'": "\u2019", "-": "\u2011", "...": "\u2026"}


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One small change of a text: the characters from ``start`` to ``end`` become ``text``."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Perturbed:
    """A case whose meaning is that of another, and how it was made."""

    case: Case
    """Id ``<original>~<kind>-<hash of the edits>``; in the cluster of the original."""
    original: Case
    kind: str
    edits: tuple[Edit, ...]
    """Of the first user text, in its order; empty where the kind found nothing to change, or changes no text."""


def _words(text: str) -> list[re.Match[str]]:
    """Plain words, which may be changed; identifiers, addresses, numbers and quotations are left out."""
    return [found for found in _WORD.finditer(text) if _PLAIN.fullmatch(found[0])]


def _typos(text: str, chance: random.Random) -> list[Edit]:
    edits = []
    for word in _words(text):
        letters = word[0].rstrip(".,!?;:")
        if len(letters) < 5 or chance.random() < 0.7:
            continue
        at = chance.randrange(1, len(letters) - 2)
        pair = letters[at : at + 2]
        made = chance.choice((pair[::-1], pair[0], pair[0] + pair))  # swapped, dropped, doubled
        edits.append(Edit(start=word.start() + at, end=word.start() + at + 2, text=made))
    return [edit for edit in edits if text[edit.start : edit.end] != edit.text]


def _case(text: str, chance: random.Random) -> list[Edit]:
    made: Callable[[str], str] = chance.choice((str.upper, str.lower, str.title, str.swapcase))
    words = [(word.start(), word.end(), word[0]) for word in _words(text)]
    return [Edit(start=a, end=b, text=made(word)) for a, b, word in words if made(word) != word]


def _unicode(text: str, chance: random.Random) -> list[Edit]:
    edits = []
    for word in _words(text):
        for place, sign in enumerate(word[0]):
            if sign in _FULL_WIDTH:
                at = word.start() + place
                edits.append(Edit(start=at, end=at + 1, text=_FULL_WIDTH[sign]))
    for space in re.finditer(r"(?<=[a-z,]) (?=[a-z])", text):
        if chance.random() < 0.3:
            edits.append(Edit(start=space.start(), end=space.end(), text=chance.choice("\u00a0\u2009\u202f")))
    return _outside_quotes(text, sorted(edits, key=lambda edit: edit.start))


def _spaces(text: str, chance: random.Random) -> list[Edit]:
    gaps = [gap for gap in re.finditer(r"(?<=\S) (?=\S)", text) if chance.random() < 0.3]
    made = [Edit(start=gap.start(), end=gap.end(), text=chance.choice(("  ", " \n", "\t"))) for gap in gaps]
    return _outside_quotes(text, made)


def _outside_quotes(text: str, edits: list[Edit]) -> list[Edit]:
    quoted = [range(found.start(), found.end()) for found in re.finditer(r"\"[^\"]*\"|`[^`]*`", text)]
    return [edit for edit in edits if not any(edit.start in span for span in quoted)]


def _paraphrase(text: str, chance: random.Random) -> list[Edit]:
    before, after = chance.choice(GREETINGS).split("{}")
    edits = [Edit(start=0, end=0, text=before), Edit(start=len(text), end=len(text), text=after)]
    return [edit for edit in edits if edit.text]


def _irrelevant(text: str, chance: random.Random) -> list[Edit]:
    first, last = chance.sample(ASIDES, 2)
    return [Edit(start=0, end=0, text=f"{first} "), Edit(start=len(text), end=len(text), text=f" {last}")]


TEXT_KINDS: Mapping[str, Callable[[str, random.Random], list[Edit]]] = {
    "typos": _typos, "case": _case, "unicode": _unicode, "spaces": _spaces, "paraphrase": _paraphrase,
    "irrelevant": _irrelevant,
}  # fmt: skip
"""What a kind does to a text: edits that do not overlap, in their order."""
KINDS = (*TEXT_KINDS, "field_order")
"""Every kind of :func:`perturb`."""


def apply_edits(text: str, edits: tuple[Edit, ...]) -> str:
    """The text with the edits made, whose places are those of the unchanged text."""
    parts, at = [], 0
    for edit in edits:
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join(parts) + text[at:]


def perturb(case: Case, kind: str, seed: int = 0) -> Perturbed:
    """A case that means the same.

    :param kind: one of :data:`KINDS`. ``field_order`` turns round the keys of every mapping of the input and the tools.
    :param seed: the same seed makes the same change.
    :raises UsageError: there is no such kind.
    """
    if kind not in KINDS:
        raise UsageError(f"unknown kind of perturbation {kind!r}; kinds are {', '.join(KINDS)}")
    chance = random.Random(f"{kind}|{case.id}|{seed}")
    if kind == "field_order":
        made = replace(case, input=_turned(case.input), tools=tuple(_turned(tool) for tool in case.tools))
        return Perturbed(case=_named(made, case, kind, ()), original=case, kind=kind, edits=())
    return with_edits(case, kind, tuple(TEXT_KINDS[kind](case.text, chance)))


def with_edits(case: Case, kind: str, edits: tuple[Edit, ...]) -> Perturbed:
    """The case with these edits of its first user text; a case without a text is left as it is."""
    text = apply_edits(case.text, edits)
    given: Any = case.input
    if isinstance(given, str):
        given = text
    elif isinstance(given, (list, tuple)):
        last = max((n for n, m in enumerate(given) if isinstance(m, Mapping) and m.get("role") == "user"), default=-1)
        given = [{**m, "content": text} if n == last else m for n, m in enumerate(given)]
        edits = edits if last >= 0 else ()
    else:
        edits = ()
    made = replace(case, input=given)
    return Perturbed(case=_named(made, case, kind, edits), original=case, kind=kind, edits=edits)


def _named(made: Case, case: Case, kind: str, edits: tuple[Edit, ...]) -> Case:
    told = {"perturbed_from": case.id, "perturbation": kind, "edits": [vars(edit) for edit in edits]}
    name = f"{case.id}~{kind}-{content_hash([vars(edit) for edit in edits])[:8]}"
    return replace(made, id=name, cluster=case.cluster or case.id, metadata={**case.metadata, **told})


def _turned(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _turned(part) for key, part in reversed(list(value.items()))}
    return [_turned(part) for part in value] if isinstance(value, (list, tuple)) else value
