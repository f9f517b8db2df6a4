"""How many tokens a request may take, told from its text: for reserving money and for limits per minute.

A token of a byte-level vocabulary is never less than a byte, English text has about four characters to a token, dense
JSON and most other scripts two to three bytes. So *likely* is a quarter of the characters and *at most* half of the
bytes. An image given inline (``data:`` address) counts as a fixed number, for its length says nothing about its tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.exchange import Exchange

PER_IMAGE = 2000
OUTPUT_UNKNOWN = 8192
"""Reserved for an answer whose limit neither the request nor the price table states."""
_PER_ITEM = 4
"""Overhead of a message or a field, in bytes."""


def text_bytes(value: Any) -> tuple[int, int]:
    """Bytes of UTF-8 in the texts of a JSON value, names of fields included; and the number of inline images."""
    size = images = 0
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            if item.startswith("data:"):
                images += 1
            else:
                size += len(item) if item.isascii() else len(item.encode("utf-8", "surrogatepass"))
        elif isinstance(item, Mapping):
            size += _PER_ITEM * len(item)
            stack.extend(item)
            stack.extend(item.values())
        elif isinstance(item, (list, tuple)):
            size += _PER_ITEM * len(item)
            stack.extend(item)
        elif item is not None:
            size += _PER_ITEM
    return size, images


def input_at_most(exchange: Exchange) -> int:
    """An upper estimate of the prompt's tokens: the exchange's own, or half the bytes of its body."""
    if exchange.input_tokens_at_most is not None:
        return max(0, exchange.input_tokens_at_most)
    size, images = text_bytes(exchange.body)
    return (size + 1) // 2 + images * PER_IMAGE


def likely_total(exchange: Exchange) -> int:
    """Tokens of prompt and answer to count against a limit per minute until the reply tells the true number."""
    size, images = text_bytes(exchange.body)
    return size // 4 + images * PER_IMAGE + min(exchange.output_tokens_at_most or 500, 500)
