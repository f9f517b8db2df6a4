"""Telephone numbers: international (E.164), North American, and any other grouping where words speak for it.

Without a table of numbering plans a national number is known only by what is said around it, so this type is measured
by itself and stands behind the others. Never one: dates, times, years, amounts, numbers with a label of their own.
Extensions (``x123``, ``ext. 123``) belong to the number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.guardrails.pii.context import before, behind, glued, labelled_otherwise
from harness.guardrails.spans import Span
from harness.guardrails.spans.view import masked

NAME = "phone"

_S = r"[ .\-/()]{0,3}"
_EXT = rf"(?:[ ,]{{0,2}}(?:x|ext\.?|extension|#)[ ]?[0-9]{{1,6}}(?![0-9])(?!{_S}[0-9]))?"
_PLUS = re.compile(rf"(?<![0-9A-Za-z\ue000])\+[ ]?[1-9](?:{_S}[0-9]){{6,14}}(?![0-9]){_EXT}")
_AMERICA = re.compile(
    r"(?<![0-9])(?<![0-9\ue000][\-.])(?<![0-9][ ])(?:1[ .\-])?"
    r"(?:\([2-9][0-9]{2}\)[ ]?|[2-9][0-9]{2}[ .\-])[2-9][0-9]{2}[ .\-][0-9]{4}"
    rf"(?![0-9])(?![\-.][0-9\ue000]){_EXT}"
)
_RUN = re.compile(
    r"(?<![0-9A-Za-z+])(?<![0-9][ .\-/()])(?<![0-9][ .\-/()]{2})(?<![0-9][ .\-/()]{3})"
    rf"[(]?[0-9](?:{_S}[0-9]){{5,16}}(?![0-9])(?!{_S}[0-9]){_EXT}"
)
_CLOCK = re.compile(r"[0-9]:[0-9]")
_DATE = re.compile(
    r"(?:(?:19|20)[0-9]{2}[-/. ](?:0?[1-9]|1[0-2])[-/. ](?:0?[1-9]|[12][0-9]|3[01])"
    r"|(?:0?[1-9]|[12][0-9]|3[01])[-/. ](?:0?[1-9]|[12][0-9]|3[01])[-/. ](?:19|20)?[0-9]{2}"
    r"|(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:19|20)[0-9]{2}[ ]?[-/][ ]?(?:19|20)[0-9]{2})(?![0-9])(?![-/.][0-9])"
)
_SPEAKS = re.compile(
    r"phone|(?<![a-z])(?:tel|telefon|telefono|téléphone|mob|mobile|cell|cellular|call|calls|called|calling|answer|answers|answering|dial|ring"
    r"|fax|whatsapp|sms|text|texts|texted|contact|reach|hotline|landline|handy|desk|office|registered|messages?)(?![a-z])"
)
_SPEAKS_BEHIND = re.compile(r"^[ \-,(]{0,3}(?:office|fax|mobile|cell|home|work|desk|phone|tel)(?![a-z])")
_OTHER = re.compile(
    r"(?<![a-z])(?:account|customer|member|employee|patient|licen[cs]e|passport|zip|postcode|pin|otp|code|amount|total"
    r"|isbn|vat|room|page|line|year|date|dated|due|since|until|on|at line)(?: ?(?:number|no|nr|id|code|#))?\.?"
    r"(?: is| was)?[\"'\s:=#-]{0,5}\Z"
)
_NOT_DIGIT = re.compile(r"[^0-9]")


def find(text: str) -> Iterator[Span]:
    """Telephone numbers in a text (a view's text) in which everything else that was found is masked."""
    shaped = []
    if "+" in text:
        shaped += [Span(match.start(), match.end(), NAME, 0.85) for match in _PLUS.finditer(text)]
    for match in _AMERICA.finditer(text):
        words = before(text, match.start())
        other = labelled_otherwise(words) or glued(text, match.start())
        shaped.append(Span(match.start(), match.end(), NAME, 0.3 if other else 0.75))
    yield from shaped
    text = masked(text, shaped)
    for match in _RUN.finditer(text):
        span = _run(text, match)
        if span is not None:
            yield span


def _run(text: str, match: re.Match[str]) -> Span | None:
    start, end = match.span()
    found = match[0]
    digits = len(_NOT_DIGIT.sub("", found.split("x")[0].split("e")[0].split("#")[0]))
    if not 7 <= digits <= 15 + 2 * found.startswith("00") or _DATE.match(found):
        return None
    if _CLOCK.search(text, max(0, start - 2), start + 1) or _CLOCK.search(text, end - 1, end + 2):
        return None
    if found.count(".") == 3 and digits <= 12 and all(part.isdigit() and len(part) <= 3 for part in found.split(".")):
        return None  # an IPv4 address
    words = before(text, start)
    # "call on 4411 ..." and "due on 4411 ..." differ in the word before.
    other = _OTHER.search(words[-40:]) is not None and not re.search(
        r"(?:call|reach|contact)\b[^.]{0,16} on\s?\Z", words
    )
    if labelled_otherwise(words) or other or glued(text, start):
        return Span(start, end, NAME, 0.1)
    if _SPEAKS.search(words) or _SPEAKS_BEHIND.search(behind(text, end)):
        return Span(start, end, NAME, 0.7)
    if found.startswith("00") and found[2:3] != "0" and digits >= 10 and len(found) > digits:
        return Span(start, end, NAME, 0.6)
    return Span(start, end, NAME, 0.25)
