"""IP addresses: version 4 in dotted decimals, version 6 in every form of RFC 4291 (section 2.2), zones included.

Not one: four numbers behind the word "version" or glued to it; parts of a longer dotted number; ``face::add`` (two
names and a double colon, as code writes them), where no digit and no further group speaks for an address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.guardrails.pii.context import before
from harness.guardrails.spans import Span
from harness.guardrails.spans.view import HOLE

V4 = "ipv4"
V6 = "ipv6"

_FOUR = re.compile(
    r"(?<![0-9A-Za-z])(?<![0-9A-Za-z\ue000]\.)([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9A-Za-z])(?!\.[0-9\ue000])"
)
_SIX = re.compile(
    r"(?<![0-9A-Fa-f:.])(?=[0-9A-Fa-f]{0,4}:)([0-9A-Fa-f:]{2,45}(?:\.[0-9]{1,3}){0,3})(%[0-9A-Za-z._~]{1,20})?(?![0-9A-Fa-f:])"
)
_JOINED = re.compile(r"[0-9A-Za-z\ue000]")
_HEX = frozenset("0123456789abcdefABCDEF")
_VERSION = re.compile(r"(?:version|release|ver\.?|rev\.?|firmware|build)[\"']?[ :=]{0,3}v?\Z")
_SPEAKS = re.compile(r"(?<![a-z])ip|addr|host")


def find_v4(text: str) -> Iterator[Span]:
    """IPv4 addresses in a text (a view's text)."""
    for match in _FOUR.finditer(text):
        if all(int(part) <= 255 for part in match.groups()):
            version = _VERSION.search(before(text, match.start(), 16))
            yield Span(match.start(), match.end(), V4, 0.3 if version else 0.9)


def find_v6(text: str) -> Iterator[Span]:
    """IPv6 addresses in a text (a view's text)."""
    for match in _SIX.finditer(text) if ":" in text else ():
        span = _six(text, match)
        if span is not None:
            yield span


def is_v6(found: str) -> bool:
    """Whether signs alone are an address by RFC 4291, section 2.2; zones apart."""
    head, gap, tail = found.partition("::")
    if gap and "::" in tail:
        return False
    groups = [*head.split(":"), *tail.split(":")] if head and tail else (head or tail).split(":")
    if groups == [""]:
        return bool(gap)
    count = len(groups)
    if "." in groups[-1] and (not gap or tail):
        parts = groups.pop().split(".")
        if len(parts) != 4 or not all(part.isdigit() and len(part) <= 3 and int(part) <= 255 for part in parts):
            return False
        count += 1
    if not all(0 < len(group) <= 4 for group in groups) or any(sign not in _HEX for sign in "".join(groups)):
        return False
    return count <= 7 if gap else count == 8


def _six(text: str, match: re.Match[str]) -> Span | None:
    start, end = match.span(1)
    found = match[1]
    if found.count(":") < 2 or text[end : end + 1] == HOLE:
        return None
    # What is glued to a word is not part of it ("x12:2001:..."), nor is a colon in front or behind ("IP:2001:...: ").
    if _JOINED.match(text[start - 1 : start]):
        glue = found.index(":")
        found, start = found[glue:], start + glue
    if found[0] == ":" and not found.startswith("::"):
        found, start = found[1:], start + 1
    if found.endswith(":::") or (found[-1:] == ":" and not found.endswith("::")):
        found, end = found[:-1], end - 1
    if _JOINED.match(text[start - 1 : start]) or _JOINED.match(text[end : end + 1]):
        return None
    if not is_v6(found):
        return None
    if match[2] and end == match.end(1):
        end = match.end(2)
    if found == "::" or (found.count(":") == 2 and "::" in found and not any(sign.isdigit() for sign in found)):
        sure = 0.8 if found != "::" and _SPEAKS.search(before(text, start, 24)) else 0.2
        return Span(start, end, V6, sure)
    return Span(start, end, V6, 0.9)
