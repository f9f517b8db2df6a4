"""Bank accounts (IBAN, ISO 13616): a country, its length, and the check digits (ISO 7064, mod 97-10).

Any case, in one piece or with single spaces, hyphens or dots wherever somebody put them. Lengths are those of the SWIFT
registry. The check digits leave one in ninety-seven wrong ones through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.guardrails.pii.context import before
from harness.guardrails.spans import Span

NAME = "iban"

LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    "YE": 30, "AO": 25, "BF": 28, "BJ": 28, "CF": 27, "CG": 27, "CI": 28, "CM": 27, "CV": 25, "DZ": 26, "GA": 27,
    "GQ": 27, "GW": 25, "IR": 26, "KM": 27, "MA": 28, "MG": 27, "ML": 28, "MZ": 25, "NE": 28, "SN": 28, "TD": 27,
    "TG": 28,
}  # fmt: skip
_START = re.compile(r"(?<![0-9A-Za-z\ue000])(?=([A-Za-z][ ]?[A-Za-z])[ .\-]?[0-9][ .\-]?[0-9][ .\-]?[0-9A-Za-z])")
_REST = {
    size: re.compile(rf"[A-Za-z](?:[ .\-]?[0-9A-Za-z]){{{size - 1}}}(?![0-9A-Za-z])") for size in set(LENGTHS.values())
}
_SEPARATORS = str.maketrans("", "", " .-")
_SPEAKS = re.compile(r"iban|account|konto|compte|cuenta")


def find(text: str) -> Iterator[Span]:
    """IBANs in a text (a view's text)."""
    for match in _START.finditer(text):
        length = LENGTHS.get(match[1].replace(" ", "").upper())
        if length is None:
            continue
        whole = _REST[length].match(text, match.start())
        if whole is None:
            continue
        if is_iban(whole[0].translate(_SEPARATORS)):
            yield Span(*whole.span(), NAME, 0.95)
        elif _SPEAKS.search(before(text, match.start())):
            yield Span(*whole.span(), NAME, 0.4)


def is_iban(signs: str) -> bool:
    """Whether letters and digits alone (ASCII) are an IBAN: country, length, check digits."""
    signs = signs.upper()
    if LENGTHS.get(signs[:2]) != len(signs) or not signs.isascii() or not signs.isalnum() or not signs[2:4].isdigit():
        return False
    return int("".join(str(int(sign, 36)) for sign in signs[4:] + signs[:4])) % 97 == 1
