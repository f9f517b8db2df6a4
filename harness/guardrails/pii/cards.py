"""Payment cards: issuer prefix and length, check digit (Luhn, ISO/IEC 7812-1 annex B), grouping and context.

The words:

- *grouped*: in fours, as 4-6-5 or 4-6-4, as 8-8 or 6-10, or sign by sign; separators are spaces, dots, hyphens.
- A grouped number that an issuer could have given out and whose check digit is right is a card whatever stands
  around it. An ungrouped one is too, unless it is labelled or glued as something else, because two in a hundred random
  numbers of 16 digits would pass for a card.

Issuers and lengths are those of the public issuer identification ranges (Visa, Mastercard, American Express, Discover,
Diners Club, JCB, UnionPay, Maestro, Mir, RuPay, Troy, Verve, InstaPayment), old ranges of 12 to 15 digits included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.guardrails.pii.context import before, glued, labelled_otherwise
from harness.guardrails.spans import Span

NAME = "credit_card"

_S = r"[ .\-]{1,3}"
_FOURS = re.compile(
    rf"(?<![0-9])(?=([0-9]{{4}}){_S}([0-9]{{4}}){_S}([0-9]{{1,4}})(?![0-9])"
    rf"(?:{_S}([0-9]{{1,4}})(?![0-9]))?(?:{_S}([0-9]{{1,3}})(?![0-9]))?)"
)
_SIX = re.compile(rf"(?<![0-9])[0-9]{{4}}{_S}[0-9]{{6}}{_S}[0-9]{{4,5}}(?![0-9])")
_HALVES = re.compile(rf"(?<![0-9])(?=([0-9]{{6,8}}{_S}[0-9]{{6,13}})(?![0-9]))")
_SINGLE = re.compile(r"(?<![0-9])(?<![0-9\ue000][ .\-])[0-9](?:[ .\-][0-9]){11,18}(?![0-9])(?![ .\-][0-9\ue000])")
_PLAIN = re.compile(r"(?<![0-9])(?<![0-9\ue000]\.)[0-9]{12,19}(?![0-9])(?!\.[0-9\ue000])")
_NOT_DIGIT = re.compile(r"[^0-9]")
_SPEAKS = re.compile(
    r"card|credit|debit|visa|master|amex|american express|discover|diners|jcb|maestro|unionpay"
    r"|(?<![a-z])(?:cc|pan|cvv|cvc)(?![a-z])|kreditkarte|carte|tarjeta|carta di credito"
)
_DOUBLED = bytes.maketrans(bytes(range(48, 58)), bytes(48 + value for value in (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))


def find(text: str) -> Iterator[Span]:
    """Card numbers in a text (a view's text)."""
    for match in _FOURS.finditer(text):
        one, two, three, four, five = match.groups()
        # Greedy groups would hide a card that is followed by its date or code, so every length is tried.
        if is_card(one + two + three):
            yield _judged(text, match.start(), match.end(3), 0.9)
        if four is None or len(three) < 4:
            continue
        if is_card(one + two + three + four):
            yield _judged(text, match.start(), match.end(4), 0.9)
        if five is not None and len(four) == 4 and is_card(one + two + three + four + five):
            yield _judged(text, match.start(), match.end(5), 0.9)
    for shape, sure in ((_SIX, 0.9), (_SINGLE, 0.8)):
        for match in shape.finditer(text):
            if is_card(_NOT_DIGIT.sub("", match[0])):
                yield _judged(text, match.start(), match.end(), sure)
    for match in _HALVES.finditer(text):
        if is_card(_NOT_DIGIT.sub("", match[1])):
            yield _judged(text, match.start(1), match.end(1), 0.7, doubtful=True)
    for match in _PLAIN.finditer(text):
        if is_card(match[0]):
            yield _judged(text, match.start(), match.end(), 0.8, doubtful=True)


def _judged(text: str, start: int, end: int, sure: float, *, doubtful: bool = False) -> Span:
    words = before(text, start)
    if doubtful and issued(_NOT_DIGIT.sub("", text[start:end])) < 2:
        sure = 0.45
    if doubtful and (labelled_otherwise(words) or (glued(text, start) and not _SPEAKS.search(words[-10:]))):
        return Span(start, end, NAME, 0.3)
    return Span(start, end, NAME, 0.98 if _SPEAKS.search(words) else sure)


def is_card(digits: str) -> bool:
    """Whether digits alone (ASCII) are a number some issuer could have given out, check digit included."""
    # The cheaper question first: few prefixes are short, and many numbers of 16 digits have a fitting one.
    if len(digits) < 16:
        return issued(digits) > 0 and luhn(digits)
    return luhn(digits) and issued(digits) > 0


def luhn(digits: str) -> bool:
    """Whether the last digit is the right check digit for the others."""
    raw = digits.encode()[::-1]
    return (sum(raw[::2]) + sum(raw[1::2].translate(_DOUBLED)) - 48 * len(raw)) % 10 == 0


def issued(digits: str) -> int:
    """2: prefix and length of an issuer whose cards are common; 1: of a rare one; 0: of none."""
    length = len(digits)
    if not 12 <= length <= 19:
        return 0
    if digits.startswith(_COMMON[length]) or (length == 16 and "2221" <= digits[:4] <= "2720"):
        return 2
    return 1 if length >= 16 and digits.startswith(_RARE) else 0


_MAESTRO = ("5018", "5020", "5038", "5893", "6304", "6759", "6761", "6762", "6763", "6390", "0604", "56", "57", "58")
_MASTERCARD = ("51", "52", "53", "54", "55")
_DISCOVER = ("6011", "644", "645", "646", "647", "648", "649", "65")
_COMMON: dict[int, tuple[str, ...]] = {
    12: _MAESTRO,
    13: (*_MAESTRO, "4"),
    14: (*_MAESTRO, "300", "301", "302", "303", "304", "305", "36", "38", "39"),
    15: (*_MAESTRO, "34", "37", "1800", "2131"),
    16: ("4", "35", "62", *_MASTERCARD, *_DISCOVER),
    17: ("62", *_DISCOVER),
    18: ("62", *_DISCOVER),
    19: ("4", "62", *_DISCOVER),
}
# Maestro, Diners Club, JCB, Mir, RuPay, Verve, Troy, InstaPayment, UnionPay in their longer and rarer ranges.
_RARE: tuple[str, ...] = (
    *_MAESTRO,
    "50",
    "30",
    "36",
    "38",
    "39",
    "35",
    "60",
    "63",
    "67",
    "2014",
    "2149",
    "81",
    "82",
    "9792",
)
_RARE += ("2200", "2201", "2202", "2203", "2204", "4")
