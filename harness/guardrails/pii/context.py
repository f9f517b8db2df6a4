"""Context: what the words before (and just behind) a number say that it is.

The words:

- *speaks for*: one of the kind's own words stands within 64 signs before the number ("my card is ...", a JSON key).
  For telephone numbers also within 16 signs behind it ("... office").
- *labelled as something else*: directly before the number stands what else it is ("order no. ", "ISBN: "). Only a
  label that touches the number counts: a card number in a sentence about an order is still a card number.
- *glued*: letters stand directly before it, or a short code and a hyphen ("ORD-4539...").

A window never reaches over a placeholder. So redacting takes words away and never brings new ones near, and what was
not found before is not found afterwards either.
"""

from __future__ import annotations

import re

from harness.guardrails.spans.view import HOLE

BEFORE = 64
BEHIND = 16

_LABEL = re.compile(
    r"(?<![\w.@-])(?:"
    r"order|orders|purchase|po|invoice|inv|bill|tracking|shipment|parcel|package|consignment|ticket|case|incident"
    r"|reference|ref|booking|reservation|confirmation|transaction|txn|trace|request|session|message|msg|event|job|run"
    r"|sku|isbn|issn|ean|upc|gtin|asin|imei|serial|part|product|item|article|batch|lot|model|version|build|commit"
    r"|policy|claim|receipt|quote|voucher|coupon|timestamp|epoch|barcode|waybill|awb|rma|bestellung|auftrag|rechnung"
    r"|commande|facture|pedido|factura"
    r")s?(?:[ _-]?(?:number|numbers|num|no|nr|nummer|id|ids|code|ref|key|#|numero|date))*"
    r"(?:[ \t]?(?:\.|is|was|are))?[\"'\s:=#(\[,-]{0,6}\Z"
)
_PRICE = re.compile(r"[$€£¥][ ]?\Z")
_CODE = re.compile(r"(?:[A-Za-z]|(?<![0-9A-Za-z.@])[A-Za-z]{1,6}[-_#])\Z")


def before(text: str, start: int, reach: int = BEFORE) -> str:
    """The words before a place, in lower case, back to the last placeholder."""
    window = text[max(0, start - reach) : start]
    return window[window.rfind(HOLE) + 1 :].lower()


def behind(text: str, end: int, reach: int = BEHIND) -> str:
    """The words behind a place, in lower case, up to the next placeholder."""
    return text[end : end + reach].split(HOLE, 1)[0].lower()


def labelled_otherwise(words: str) -> bool:
    """Whether the words (as of :func:`before`) end in a label of something that is no personal data."""
    return _LABEL.search(words[-40:]) is not None or _PRICE.search(words) is not None


def glued(text: str, start: int) -> bool:
    """Whether a code of letters stands directly before the place."""
    return _CODE.search(text[max(0, start - 8) : start]) is not None
