"""The card of a dataset: who labelled it, how, under which licence, in which version."""

from __future__ import annotations

from pathlib import Path

from harness.core.errors import DatasetError

MAX_BYTES = 1_000_000


def read_card(cases: Path) -> str:
    """The text of the card that belongs to a file of cases; empty when it has none.

    ``card.md`` beside ``cases.*``; beside any other file ``<its name>.card.md``, so that two files in one folder do not
    share a card by accident.

    :raises DatasetError: when it is not UTF-8 or larger than a megabyte.
    """
    card = cases.with_name("card.md" if cases.stem == "cases" else f"{cases.stem}.card.md")
    if not card.is_file():
        return ""
    data = card.read_bytes()
    if len(data) > MAX_BYTES:
        raise DatasetError(f"{card} has {len(data):,} bytes; a card is a page of text, at most {MAX_BYTES:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{card} is not UTF-8 (byte {error.start + 1}); save it as UTF-8") from error
