"""E-mail addresses in running text: found at the ``@``, read to the left and to the right.

The words:

- *local part*: letters and digits of any script and the signs RFC 5322 calls atext, at most 128 (64 are allowed; longer
  ones are covered all the same), or a quoted text without spaces. What belongs to the sentence around it is left out:
  quotation marks, Markdown, ``email=``, the path of a link, ideographs in front of a Latin address.
- *domain*: labels with a dot between them, the last one no number; an IPv4 address; or a literal in brackets. One label
  alone (``root@localhost``) is an address only where the words before say so.
- *veiled*: ``jane (at) example (dot) com``, with brackets of any kind, is an address too.

Dots at wrong places (``jane..doe@``) are accepted: some providers gave such addresses out. The whole grammar, with its
comments and folded lines, is :mod:`harness.guardrails.pii.address`; it judges whole values, not running text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.guardrails.pii.context import before
from harness.guardrails.spans import Span

NAME = "email"
MAX_LOCAL = 128
ONE_LABEL = 0.4

_RIGHT = re.compile(r"@(?:([\w.-]{1,255})|(\[[^\[\]\\\s\"]{1,120}\]))")
_VEILED = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}[ ]?[\[({<][ ]?(?:at|AT|At|@)[ ]?[\])}>][ ]?[\w-]{1,63}"
    r"(?:(?:[ ]?[\[({<][ ]?(?:dot|DOT|Dot|\.)[ ]?[\])}>][ ]?|\.)[\w-]{2,63}){1,4}"
)
VEILED_AT = re.compile(r"[\[({<][ ]?(?:at|AT|At|@)[ ]?[\])}>]")
_ATEXT = frozenset(".!#$%&'*+/=?^_`{|}~-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_SPEAKS = re.compile(r"e-?mail|mailto|(?<![a-z])mail|contact|address")
_CUT = re.compile(r"[/=?&]")
_WRAPPERS = "'`*{|~#$!^%"
# "jane@example.com" with the next word of a script without spaces glued on.
_LATIN = re.compile(r"[A-Za-z0-9-]+(?=[\u2e80-\U0010ffff\u0e00-\u0e7f])")
# "jane@example.comHello"
_GLUED = re.compile(r"[a-z]{2,}(?=[A-Z][a-z])")
_FILES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")


def find(text: str) -> Iterator[Span]:
    """E-mail addresses in a text (a view's text)."""
    # Only to save time: most texts full of @ are no talk about addresses.
    spoken = "@" in text and _SPEAKS.search(text.lower()) is not None
    for match in _RIGHT.finditer(text):
        at = match.start()
        if match[2]:
            end, sure = match.end(), 0.9
        else:
            end, sure = _domain(text, at + 1, match[1])
        if not sure or (sure == ONE_LABEL and not spoken):
            continue
        start = _local(text, at)
        if start == at:
            continue
        if sure == ONE_LABEL and _SPEAKS.search(before(text, start, 24)):
            sure = 0.8
        yield Span(start, end, NAME, sure)
    if VEILED_AT.search(text):
        for match in _VEILED.finditer(text):
            yield Span(match.start(), match.end(), NAME, 0.8)


def _domain(text: str, start: int, run: str) -> tuple[int, float]:
    if run.isalpha():
        return start + len(run), ONE_LABEL
    labels: list[str] = []
    for label in run.split("."):
        if not label or label[0] == "-":
            break
        labels.append(label)
    if labels:
        labels[-1] = labels[-1].rstrip("-_")
        if not labels[-1].isascii() and (latin := _LATIN.match(labels[-1])):
            labels[-1] = latin[0]
        if len(labels) > 1 and (glued := _GLUED.match(labels[-1])):
            labels[-1] = glued[0]
    if len(labels) == 4 and all(label.isdigit() and int(label) <= 255 for label in labels):
        return start + len(".".join(labels)), 0.9
    while len(labels) > 1 and (not labels[-1] or labels[-1][0].isdigit()):
        labels.pop()
    # "mail jane@example.com.Thank you": the next sentence, glued on.
    if len(labels) > 2 and labels[-1][:1].isupper() and labels[-1][1:].islower() and labels[-2].islower():
        labels.pop()
    if not labels or not labels[0]:
        return start, 0.0
    name = ".".join(labels)
    end = start + len(name)
    if len(labels) == 1:
        return end, 0.0 if name.isdigit() else ONE_LABEL
    if labels[0][0].isdigit() and labels[0][1:] == "x" and name.lower().endswith(_FILES):  # icon@2x.png
        return end, 0.2
    return end, 0.95


def _local(text: str, at: int) -> int:
    floor = max(0, at - MAX_LOCAL)
    if at and text[at - 1] == '"':
        start = text.rfind('"', floor, at - 1)
        return at if start < 0 or any(sign.isspace() for sign in text[start:at]) else start
    start = at
    while start > floor and ((sign := text[start - 1]) in _ATEXT or sign.isalnum()):
        start -= 1
    local = text[start:at]
    if local.isalnum() and local.isascii():
        return start
    if not any(sign.isalnum() for sign in local):
        return start
    if not local.isascii() and (script := _after_ideographs(local)):
        start, local = start + script, local[script:]
    for cut in _CUT.finditer(local):
        if cut.end() < len(local) and local[cut.end()].isalnum():
            start = at - len(local) + cut.end()
    while start < at - 1 and text[start] in _WRAPPERS + "./?&=":
        start += 1
    return start


def _after_ideographs(local: str) -> int:
    """Where the Latin part behind signs of a script without spaces begins; 0 when there is none."""
    for index in range(len(local) - 1, -1, -1):
        code = ord(local[index])
        if code >= 0x2E80 or 0x0E00 <= code <= 0x0E7F:
            return 0 if index == len(local) - 1 else index + 1
    return 0
