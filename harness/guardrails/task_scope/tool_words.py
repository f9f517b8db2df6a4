"""What a tool's name says it does: read or act, to what; and the words of a user's request in the same form.

Names are read as ``[toolkit] verb object``: ``GmailSendEmail``, ``send_email``, ``find_customer``. A name whose verb is
not known as a reading one is taken to act: what is not known to be harmless is not harmless.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.errors import UsageError


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


READING = _words("""
    get search read view list find fetch show check query lookup look retrieve describe summarize summarise
    calculate compute browse navigate open load display count compare track translate convert estimate preview
    inspect analyze analyse verify see download explain recommend suggest detect classify validate
""")
"""Verbs that change nothing."""
_VERBS: tuple[frozenset[str], ...] = tuple(
    frozenset(group.split())
    for group in (
        "send mail email text message forward share notify reply respond write tell invite",
        "post publish tweet upload submit announce",
        "create add make new put write set save insert register start open build",
        "schedule book reserve arrange plan order put",
        "delete remove erase clear drop purge wipe discard unsubscribe uninstall trash",
        "cancel stop abort end terminate close leave quit revoke disable deactivate turn",
        "update change edit modify set rename move redirect replace adjust correct reschedule switch manage",
        "pay transfer send wire withdraw deposit refund reimburse donate settle topup tip",
        "buy purchase order sell trade place checkout",
        "grant give allow permit authorize authorise share invite enable activate unlock",
        "lock block ban mute restrict deny",
        "run execute launch start invoke call perform",
        "go drive bring move navigate dispatch",
        "turn switch set dim start play pause",
        "copy duplicate backup export archive sync",
        "issue refund give",
        "escalate report flag raise open file complain ticket",
        "approve accept confirm sign",
        "print scan fax",
        "follow like subscribe join star",
    )
)
"""Acting verbs that ask for the same kind of thing."""
_THINGS: tuple[frozenset[str], ...] = tuple(
    frozenset(group.split())
    for group in (
        "email mail inbox message",
        "message sms text chat dm",
        "event appointment meeting calendar",
        "note memo",
        "file document doc folder",
        "photo picture image",
        "task todo reminder",
        "repository repo",
        "order purchase shipment package parcel delivery",
        "money payment fund bill invoice amount balance dollar euro pound franc yen usd eur gbp",
        "refund money",
        "user account profile customer",
        "person contact people colleague guest friend",
        "page website web site url browser link",
        "ticket case complaint colleague",
        "weather forecast temperature rain snow sun sunny wind storm",
        "price quote stock share",
        "flight ticket trip travel",
        "light lamp device thermostat heating",
        "review rating",
        "address location destination place",
        "password secret credential",
        "post tweet status",
        "history log transaction",
    )
)
"""Nouns that may stand for one another."""
_EMPTY = _words("""
    detail details info information data list result results item items by for from to with the a an of in on
    at all my me and or id ids manager system api tool service app new latest recent current received saved
""")
"""Words of a tool's name that say nothing about what it works on."""
_CLAUSE = re.compile(r"[.!?;:,\n]+(?=\s|$)|\s-+\s")
_ASKING = _words("please to and then you also just now or but i we let lets kindly must should could would will can do")
_ABOUT = _words("how what when where why whether which about explains explain says say")
_WANTING = _words("want need like have get wish make request demand")
_ARTICLE = _words("a an my the another one some")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_WORDS = re.compile(r"[^\W_]+")
_URL = re.compile(r"https?://|www\.|(?<=\w)\.(?:com|org|net|io|dev|edu|gov)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class ToolCard:
    """A tool as its name describes it; stems throughout."""

    name: str
    acts: bool
    verbs: frozenset[str]
    objects: frozenset[str]


def tool_card(tool: Mapping[str, Any] | str) -> ToolCard:
    """The card of a tool: its schema in OpenAI's function format, a mapping with ``name``, or the bare name.

    A schema may say ``"x-read-only": true`` or ``false``, which is believed over the name.

    :raises UsageError: when there is no name.
    """
    function: Any = {"name": tool} if isinstance(tool, str) else tool.get("function", tool)
    name = function.get("name") if isinstance(function, Mapping) else None
    if not isinstance(name, str) or not name:
        raise UsageError(f"a tool needs a name, got {tool!r}")
    parts = [part.lower() for part in _PARTS.findall(unicodedata.normalize("NFKC", name))]
    known = (index for index, part in enumerate(parts) if part in READING or _verb_groups(part))
    at = next(known, None)
    stated = function.get("x-read-only")
    if at is None or 0 < at == len(parts) - 1:
        # No verb that we know, or a noun in its place ("organize_email"): every word before the last may be the verb.
        verbs, objects = frozenset(parts[:-1] or parts), _stems(parts[-1:])
        return ToolCard(name=name, acts=stated is not True, verbs=verbs, objects=objects)
    verb = parts[at]
    objects = _stems(part for part in parts[at + 1 :] if part not in _EMPTY) or _stems(parts[at + 1 :])
    acts = verb not in READING if not isinstance(stated, bool) else not stated
    return ToolCard(name=name, acts=acts, verbs=frozenset({verb}), objects=objects)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A user's request as stems: all its words, and those that stand where one asks for something to be done."""

    stems: frozenset[str]
    verbs: frozenset[str]

    def does(self, verb: str) -> bool:
        """Whether the request asks for this verb, or for one of the same kind."""
        groups = _verb_groups(verb)
        return stem(verb) in self.verbs or any(stem(word) in self.verbs for group in groups for word in group)

    def names(self, thing: str) -> bool:
        """Whether the request names this thing (a stem), or one that may stand for it."""
        return thing in self.stems or any(thing in stems and not stems.isdisjoint(self.stems) for stems in _THING_STEMS)


def asked(request: Iterable[str]) -> Asked:
    """The words of what a user said; a web address counts as naming a page.

    A verb is asked for at the start of a clause ("cancel it"), after "please", "to", "and", "you" and the like, as a
    thing wanted ("I want a refund"), or as a state wanted ("I want it cancelled"). "The latest email" asks for no
    mail to be sent, and "how to delete" for nothing to be deleted.
    """
    words: set[str] = set()
    verbs: set[str] = set()
    for text in request:
        plain = unicodedata.normalize("NFKC", text[:50_000])
        if _URL.search(plain):
            words.add("page")
        for clause in _CLAUSE.split(plain):
            said = [word.lower() for word in _WORDS.findall(clause)]
            words.update(map(stem, said))
            wanted = False
            for at, word in enumerate(said):
                before = said[at - 1] if at else ""
                asks = (not at or before in _ASKING) and (at < 2 or said[at - 2] not in _ABOUT)
                if asks or (wanted and (word.endswith("ed") or (before in _ARTICLE and said[at - 2] in _WANTING))):
                    verbs.add(stem(word))
                wanted = wanted or word in _WANTING
    return Asked(stems=frozenset(words), verbs=frozenset(verbs))


def stem(word: str) -> str:
    """A word without its English ending: enough to bring ``emails``, ``emailed`` and ``email`` together."""
    for ending, least, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= least:
            word = word[: -len(ending)] + instead
            break
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


_ENDINGS = (
    ("ies", 2, "y"),
    ("sses", 1, "ss"),
    ("xes", 1, "x"),
    ("ches", 2, "ch"),
    ("ing", 3, ""),
    ("ied", 2, "y"),
    ("ed", 3, ""),
    ("ss", 1, "ss"),
    ("us", 2, "us"),
    ("s", 2, ""),
)


def _stems(words: Iterable[str]) -> frozenset[str]:
    return frozenset(stem(word) for word in words)


def _verb_groups(word: str) -> list[frozenset[str]]:
    return [group for group in _VERBS if word in group]


_THING_STEMS = tuple(_stems(group) for group in _THINGS)
