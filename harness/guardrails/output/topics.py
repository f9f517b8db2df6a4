"""Topics and tone: what a sentence is about by its words, and whether it insults, swears or shouts."""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.guardrails.output.passages import Passage

TOPICS: Mapping[str, tuple[str, ...]] = {
    "politics": (
        "election", "elections", "senator", "president of the united states", "democrats", "republicans", "left-wing",
        "right-wing", "parliament", "prime minister", "vote left", "vote right", "political party", "congressman",
        "politician", "politicians", "conservatives", "socialists", "liberals", "government policy", "campaign rally",
        "immigration policy",
    ),
    "religion": (
        "jesus", "christ", "allah", "muhammad", "the bible", "the quran", "hinduism", "buddhism", "christianity",
        "islam", "judaism", "atheism", "atheists", "holy scripture", "the pope", "church teaching", "prayer",
        "reincarnation",
    ),
    "gambling": (
        "casino", "casinos", "sports betting", "roulette", "blackjack", "slot machine", "slot machines", "place a bet",
        "betting odds", "poker for money", "bookmaker", "gambling", "parlay",
    ),
    "adult": ("porn", "pornography", "nude photos", "sex toys", "erotic", "strip club", "escort service", "onlyfans"),
    "weapons": (
        "assault rifle", "handgun", "handguns", "ammunition", "silencer", "build a bomb", "pipe bomb", "explosives",
        "ghost gun", "detonator", "firearm", "firearms", "hollow-point",
    ),
    "legal": (
        "you should sue", "file a lawsuit", "plead guilty", "plead not guilty", "you have a strong case", "sue them",
        "your legal rights are", "press charges",
    ),
}  # fmt: skip
"""Known topics by name: words and phrases, any one of which makes a sentence belong to the topic."""

_INSULT_WORDS = (
    "idiots?|morons?|stupid|dumb|imbeciles?|losers?|pathetic|clowns?|fools?|foolish|worthless|useless|ignorant|"
    "incompetent|lazy|"
    "ridiculous|clueless|disgusting|ugly|brainless|dimwit|jerk|liar|liars|crybaby"
)
_INSULT = re.compile(
    rf"\b(?:you(?:'re| are| must be| sound like| look like)(?: \w+){{0,3}}? (?:{_INSULT_WORDS})|"
    rf"you (?:\w+ )?(?:{_INSULT_WORDS})\b(?! \w+ed)|"
    rf"your (?:{_INSULT_WORDS}) \w+|shut up|get lost|go to hell|screw you|nobody (?:likes|cares about) you|"
    rf"people like you (?:always|never|just|only)|stop whining|stop wasting (?:my|our) time|"
    rf"are you (?:blind|deaf|stupid|dumb)|"
    rf"what is wrong with you|"
    rf"i (?:don't|do not) care about your|not my problem|deal with it|can't you read)\b"
)
_NOT_INSULT = re.compile(
    r"\b(?:not|never|n't|aren't|isn't) (?:\w+ ){0,2}(?:" + _INSULT_WORDS + r")\b|no such thing as a"
)
_SWEAR = re.compile(
    r"\b(?:fuck\w*|shit(?:ty|s)?|bullshit|bitch(?:es)?|bastards?|assholes?|crap(?:py)?|damn(?:ed)? (?:you|it|"
    r"idiot\w*)|dickheads?|cunts?|wankers?|piss off|goddamn)\b"
)
_SHOUT_LETTERS = 20


def tone(passage: Passage) -> str:
    """``insult``, ``profanity``, ``shouting`` or the empty string."""
    if _SWEAR.search(passage.lower):
        return "profanity"
    if _INSULT.search(passage.lower) and not _NOT_INSULT.search(passage.lower):
        return "insult"
    letters = [character for character in passage.text if character.isalpha() and character.isascii()]
    if len(letters) >= _SHOUT_LETTERS and sum(map(str.isupper, letters)) > 0.8 * len(letters):
        return "shouting"
    return ""


def phrase_pattern(phrases: tuple[str, ...], *, cased: bool = False) -> re.Pattern[str]:
    """One pattern for whole words and phrases; spaces, hyphens and dots between words count as the same."""
    made = (r"[\s.\-]+".join(map(re.escape, re.split(r"[\s.\-]+", phrase.strip()))) for phrase in phrases)
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(made)})(?:['\u2019]s)?(?![^\W_])", 0 if cased else re.IGNORECASE)
