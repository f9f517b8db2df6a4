"""Values as short texts: whatever an agent wrote passes through here on its way into a reason."""

from __future__ import annotations


def shorten(value: object, limit: int = 120) -> str:
    """``value`` as a text of at most ``limit`` characters, its true size stated when it was cut.

    Everything an agent wrote passes through here on its way into a reason: it may be huge.
    """
    text = value if isinstance(value, str) else _bounded_repr(value, limit)
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text):,} characters)"


def quoted(text: str, limit: int = 120) -> str:
    """A text in quotes with control characters made visible, bounded."""
    if len(text) <= limit:
        return repr(text)
    return f"{text[:limit]!r}… ({len(text):,} characters)"


def _bounded_repr(value: object, limit: int) -> str:
    # reprlib walks only as deep and as far as its limits, so that a huge value costs nothing.
    import reprlib

    brief = reprlib.Repr()
    brief.maxdict = brief.maxlist = brief.maxtuple = 20
    brief.maxstring = brief.maxother = brief.maxlong = max(limit, 20)
    brief.maxlevel = 6
    return brief.repr(value)
