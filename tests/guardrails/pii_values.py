"""Made-up personal data of every shape, and numbers that are none; seeded, so every run sees the same."""

from __future__ import annotations

import ipaddress
import random
import string
from collections.abc import Callable

from harness.guardrails.pii.iban import LENGTHS

TEMPLATES = (
    "{}",
    "My number is {}, thanks.",
    "{} is what I have on file.",
    "Please look at ({}) today",
    "value={}; next",
    '{{"field": "{}"}}',
    "first line\n{}\nlast line",
    "«{}»",
    "地址{}是",
    "- {}\n- and more",
    "It is <{}>!",
    "Tab\t{}\tend.",
)
"""Neutral: no word that says what the value is."""


def luhn_digit(digits: str) -> str:
    """The check digit for a number without one."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if index % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def card(chance: random.Random) -> str:
    """A number of a common issuer, plain or grouped as people write it."""
    kinds = [("4", 16), ("4", 13), ("4", 19), ("5018", 12), ("6304", 12), ("34", 15), ("37", 15), ("6011", 16)]
    kinds += [("65", 16), (str(chance.randint(51, 55)), 16), (str(chance.randint(2221, 2720)), 16), ("62", 16)]
    kinds += [(str(chance.randint(3528, 3589)), 16), (str(chance.randint(300, 305)), 14), ("36", 14), ("38", 14)]
    kinds += [("1800", 15), ("2131", 15)]
    prefix, length = chance.choice(kinds)
    body = prefix + "".join(chance.choices(string.digits, k=length - len(prefix) - 1))
    number = body + luhn_digit(body)
    gap = chance.choice([" ", "-", ""])
    if length in (12, 16, 13, 19):
        return gap.join(number[at : at + 4] for at in range(0, length, 4))
    return gap.join((number[:4], number[4:10], number[10:]))


def ssn(chance: random.Random) -> str:
    """A number that could have been given out."""
    area = chance.choice([number for number in range(1, 900) if number != 666])
    gap = chance.choice(["-", "-", " ", "."])
    return f"{area:03}{gap}{chance.randint(1, 99):02}{gap}{chance.randint(1, 9999):04}"


def email(chance: random.Random) -> str:
    """An address with a dotted domain."""
    letters = string.ascii_letters + string.digits
    word = lambda low, high, extra="": "".join(chance.choices(letters + extra, k=chance.randint(low, high)))  # noqa: E731
    local = word(1, 1) + word(0, 20, "..__--++'") + word(1, 1)
    while ".." in local:
        local = local.replace("..", ".")
    labels = [word(1, 1) + word(0, 12, "-") + word(1, 1) for _ in range(chance.randint(1, 3))]
    top = chance.choice(["com", "org", "net", "de", "co.uk", "museum", "io", "info", "xn--p1ai", "xn--jxalpdlp"])
    return f"{local}@{'.'.join(labels).lower()}.{top}"


def ipv4(chance: random.Random) -> str:
    """Any address but one that begins with 0."""
    return str(ipaddress.IPv4Address(chance.randint(2**24, 2**32 - 1)))


def ipv6(chance: random.Random) -> str:
    """Any address, written in full, shortened, in capitals, or with an IPv4 tail."""
    value = chance.getrandbits(128)
    for _ in range(chance.randint(0, 5)):  # holes, so that some can be shortened
        at = chance.randrange(8) * 16
        value &= ~(0xFFFF << at)
    address = ipaddress.IPv6Address(value | 1 << 125)
    text = chance.choice([str(address), address.exploded, str(address).upper()])
    if chance.random() < 0.1:
        text = f"::ffff:{ipv4(chance)}"
    return text


def iban(chance: random.Random) -> str:
    """An account of any country of the registry, plain or in fours."""
    country = chance.choice(sorted(LENGTHS))
    body = "".join(chance.choices(string.digits * 3 + string.ascii_uppercase, k=LENGTHS[country] - 4))
    check = 98 - int("".join(str(int(sign, 36)) for sign in body + country + "00")) % 97
    text = f"{country}{check:02}{body}"
    if chance.random() < 0.5:
        text = chance.choice(" -").join(text[at : at + 4] for at in range(0, len(text), 4))
    return text if chance.random() < 0.8 else text.lower()


def phone(chance: random.Random) -> str:
    """International and North American forms."""
    digits = lambda count: "".join(chance.choices(string.digits, k=count))  # noqa: E731
    area, exchange = chance.randint(200, 999), chance.randint(200, 999)
    return chance.choice(
        [
            f"+1 {area} {exchange} {digits(4)}",
            f"({area}) {exchange}-{digits(4)}",
            f"{area}-{exchange}-{digits(4)}",
            f"{area}.{exchange}.{digits(4)}",
            f"+44 {chance.randint(20, 79)} {digits(4)} {digits(4)}",
            f"+49 {chance.randint(30, 899)} {digits(7)}",
            f"+33{chance.randint(1, 9)}{digits(8)}",
            f"{area}-{exchange}-{digits(4)} x{digits(3)}",
        ]
    )


VALUES: dict[str, Callable[[random.Random], str]] = {
    "ssn": ssn,
    "credit_card": card,
    "email": email,
    "ipv4": ipv4,
    "ipv6": ipv6,
    "iban": iban,
    "phone": phone,
}


def order_number(chance: random.Random) -> str:
    """A sentence with an order number of one of the usual kinds."""
    digits = lambda count: str(chance.randint(10 ** (count - 1), 10**count - 1))  # noqa: E731
    number = chance.choice(
        [
            digits(chance.randint(4, 12)),
            digits(chance.randint(13, 16)),
            f"ORD-{digits(chance.randint(5, 16))}",
            f"{chance.randint(2015, 2026)}-{digits(6)}",
            f"{digits(3)}-{digits(7)}-{digits(7)}",
            f"A{digits(8)}",
            f"{digits(4)}/{chance.randint(15, 26)}",
            f"PO{digits(7)}",
        ]
    )
    said = (
        "Order {} has shipped.",
        "Where is my order {}?",
        "order number: {}",
        "Invoice no. {}",
        '{{"order_id": "{}"}}',
    )
    said += ("Your tracking number is {}.", "Ticket #{} is closed", "ref {} / booking", "I call about order {} again")
    return chance.choice(said).format(number)


def bare_order_number(chance: random.Random) -> str:
    """A number of 6 to 11 digits that nothing says anything about."""
    return chance.choice(TEMPLATES).format(chance.randint(10**5, 10**11 - 1))


def date(chance: random.Random) -> str:
    """A sentence with a date, a time or both."""
    year, month, day = chance.randint(1930, 2035), chance.randint(1, 12), chance.randint(1, 28)
    hour, minute, second = chance.randint(0, 23), chance.randint(0, 59), chance.randint(0, 59)
    text = chance.choice(
        [
            f"{year}-{month:02}-{day:02}",
            f"{month}/{day}/{year}",
            f"{day:02}.{month:02}.{year}",
            f"{day:02}-{month:02}-{year % 100:02}",
            f"{year}{month:02}{day:02}",
            f"{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}",
            f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{chance.randint(0, 999999):06}Z",
            f"{day:02}/{month:02}/{year} {hour:02}:{minute:02}",
            f"{year}/{month:02}/{day:02}",
            f"{year}-{year + 5}",
            f"{hour:02}:{minute:02}:{second:02}",
        ]
    )
    said = (
        "Due on {}.",
        "{}",
        "It was {} when we met",
        '{{"created": "{}"}}',
        "call me on {}",
        "from {} onwards",
        "({})",
    )
    return chance.choice(said).format(text)
