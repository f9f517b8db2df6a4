"""Finding: every kind of personal data that has a shape, in one text.

The finders promise what a stream needs: what stands at a place depends on at most 640 signs before and 640 behind it.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence

from harness.guardrails.pii import cards, email, iban, ip, phone, ssn
from harness.guardrails.pii.address import is_address, may_be_address
from harness.guardrails.spans import Span
from harness.guardrails.spans.json_text import may_be_json
from harness.guardrails.spans.view import masked

CATEGORIES = (ssn.NAME, cards.NAME, email.NAME, ip.V4, ip.V6, iban.NAME, phone.NAME)
_STRING = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"')
_DIGIT = re.compile(r"[0-9]")


def find(text: str, categories: Collection[str] = CATEGORIES) -> list[Span]:
    """All that looks like personal data in the text of a view, however unsure; places are those of the view.

    The finders come one after the other, each on what the ones before left, from those that care least about what
    stands beside a value to those that care most. So what a finder sees now is what it would see after a redaction,
    and redacting twice is redacting once. All are asked, also for categories that are not wanted: otherwise wanting
    one more could make another one disappear.
    """
    found: list[Span] = list(email.find(text)) if "@" in text or email.VEILED_AT.search(text) else []
    if ":" not in text and not _DIGIT.search(text):
        return [span for span in found if span.category in categories]
    left = masked(text, found)
    for finder in (ssn.find, cards.find, ip.find_v6, ip.find_v4, iban.find, phone.find):
        more = list(finder(left))
        if more:
            left = masked(left, more)
            found += more
    return [span for span in found if span.category in categories]


def whole_values(text: str, as_json: bool, plain: Sequence[Span]) -> Iterator[Span]:
    """Addresses that only the grammar knows: the whole text, or a whole string of a JSON text.

    :param plain: the addresses found already, in order; a value that holds one of them is not looked at again.
    """
    if not as_json:
        if "[redacted:" in text or "[vault:" in text:  # a placeholder would pass for a domain in brackets
            return
        if not plain and is_address(text):
            yield Span(len(text) - len(text.lstrip()), len(text.rstrip()), email.NAME, 0.9)
        return
    if "@" not in text and "u0040" not in text:
        return
    known = sorted(span.start for span in plain)
    for match in _STRING.finditer(text):
        start, end = match.span(1)
        if (
            end - start > 2000
            or "[redacted:" in match[0]
            or "[vault:" in match[0]
            or ("@" not in match[0] and "u0040" not in match[0])
        ):
            continue
        if bisect_left(known, start) == bisect_left(known, end) and is_address(json.loads(match[0], strict=False)):
            yield Span(start, end, email.NAME, 0.9)


def judged_whole(start: str, categories: Collection[str]) -> bool:
    """Whether a text that begins like this may have to be judged as a whole."""
    return may_be_json(start) or (email.NAME in categories and may_be_address(start))
