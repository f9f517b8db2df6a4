"""Row: one line of the table, and the few shapes that the simulations share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True)
class Row:
    what: str
    figure: str
    target: str
    naive: str
    met: bool
    how: str
    """Exact, or simulated with how many replications; and where the worst case lies."""


def ternary(random: np.random.Generator, shape: tuple[int, ...], won: float, lost: float) -> npt.NDArray[np.int8]:
    """Differences of one trial against one: 1, -1 or 0."""
    chance = random.random(shape)
    out = np.zeros(shape, dtype=np.int8)
    out[chance < won] = 1
    out[chance >= 1 - lost] = -1
    return out


def first_crossing(crossed: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Per row: position of the first True from 1 (the length where there is none), and whether there is one."""
    any_crossed = crossed.any(axis=1)
    return np.where(any_crossed, crossed.argmax(axis=1) + 1, crossed.shape[1]), any_crossed


def percent(share: float, digits: int = 2) -> str:
    return f"{100 * share:.{digits}f} %"
