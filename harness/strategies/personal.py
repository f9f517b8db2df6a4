"""Texts with personal data at known places: made up, from reserved ranges, with check digits that hold."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

PEOPLE = ("Ada Example", "Jan Muster", "Maria Sample", "Li Test")
BEFORE = ("Please write to", "My details:", "Reach me at", "The customer gave", "Note:")
AFTER = ("before Friday.", "- thanks!", "and confirm.", "(as agreed)", "")


@dataclass(frozen=True, kw_only=True)
class PiiText:
    """A text and what in it is personal."""

    text: str
    spans: tuple[tuple[int, int, str], ...]
    """(start, end, category) of each item: ``email``, ``phone``, ``credit_card``, ``iban`` or ``ip_address``."""


def _luhn(digits: str) -> str:
    total = 0
    for index, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 if index % 2 == 0 else 1)
        total += number - 9 if number > 9 else number
    return digits + str(-total % 10)


@st.composite
def _item(draw: st.DrawFn) -> tuple[str, str]:
    category = draw(st.sampled_from(("email", "phone", "credit_card", "iban", "ip_address")))
    number = draw(st.integers(min_value=0, max_value=99))
    if category == "email":  # example.com and its sisters are reserved (RFC 2606)
        name = draw(st.sampled_from(PEOPLE)).lower().replace(" ", ".")
        return f"{name}{number}@example.{draw(st.sampled_from(('com', 'org', 'net')))}", category
    if category == "phone":  # 555-0100 to 555-0199 are reserved for fiction
        return f"+1 202-555-01{number:02d}", category
    if category == "credit_card":
        card = _luhn("411111111111" + f"{number:03d}")
        return " ".join(card[i : i + 4] for i in range(0, 16, 4)), category
    if category == "iban":
        account = f"{number:018d}"
        check = 98 - int(account + "131400") % 97  # DE is 1314
        return f"DE{check:02d}{account}", category
    return f"192.0.2.{number}", category  # reserved for documentation (RFC 5737)


@st.composite
def pii_texts(draw: st.DrawFn, *, max_items: int = 3) -> PiiText:
    """A text with 0 to ``max_items`` items of personal data."""
    text = ""
    spans: list[tuple[int, int, str]] = []
    for item, category in draw(st.lists(_item(), max_size=max_items)):
        text += ("\n" if text else "") + draw(st.sampled_from(BEFORE)) + " "
        spans.append((len(text), len(text) + len(item), category))
        text += f"{item} {draw(st.sampled_from(AFTER))}"
    return PiiText(text=text or draw(st.sampled_from(BEFORE)), spans=tuple(spans))
