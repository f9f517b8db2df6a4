"""Blocks: what a report is made of. Sections build them, renderers know only these shapes.

All text in a block is plain text and hostile: renderers escape it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Tone = Literal["", "good", "bad", "warn", "muted"]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A number with its interval on a scale, drawn as a picture."""

    estimate: float | None
    low: float | None = None
    high: float | None = None
    minimum: float = 0.0
    """Left end of the scale."""
    maximum: float = 1.0
    """Right end of the scale."""
    limit: float | None = None
    """A line to draw: what the gate asks for."""
    text: str = ""
    """The printed form, with n of N."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a table."""

    text: str
    tone: Tone = ""
    interval: Interval | None = None
    """Drawn beside the text where the renderer can draw."""
    href: str = ""
    """Fragment inside the page (``#case-...``); never an outside address."""
    sort: float | str | None = None
    """What to sort by when the text does not sort."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A row of headline numbers."""

    items: tuple[Figure, ...]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One headline number."""

    label: str
    value: str
    note: str = ""
    tone: Tone = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under named columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""
    numeric: tuple[int, ...] = ()
    """Columns set right-aligned."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One line of a curve: points (x, y) with optional bands."""

    name: str
    points: tuple[tuple[float, float], ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Lines over a common axis."""

    series: tuple[Series, ...]
    x_label: str
    y_label: str
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Counts or shares by row and column."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Prose:
    """A paragraph."""

    text: str
    tone: Tone = ""


Block: TypeAlias = Figures | Table | Curve | Matrix | Prose


@dataclass(frozen=True, kw_only=True)
class SectionPage:
    """A section as built: a title and its blocks."""

    id: str
    title: str
    blocks: tuple[Block, ...]
