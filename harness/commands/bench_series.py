"""A series of nightly times: one JSON line a night, and the nights on which a level changed."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from harness.core.errors import FormatError
from harness.runs.bench.machine import KEYS
from harness.runs.bench.stored_times import StoredTimes


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change of the level."""

    at: str
    """When the first night after it was."""
    commit: str
    after_over_before: float
    """Above 1: slower since."""
    p: float


@dataclass(frozen=True, kw_only=True)
class NightlySeries:
    """One function on one machine."""

    name: str
    machine: str
    nights: int
    changes: tuple[Change, ...]

    @property
    def latest(self) -> Change | None:
        """The last change, or None."""
        return self.changes[-1] if self.changes else None

    def lines(self) -> list[str]:
        """The series in words."""
        found = [f"{self.name}: {self.nights} nights on {self.machine}"]
        for item in self.changes:
            word = "slower" if item.after_over_before > 1 else "faster"
            commit = f", commit {item.commit[:10]}" if item.commit else ""
            found.append(f"  {item.at}: {item.after_over_before:.3f} × ({word} since; p = {item.p:.3g}{commit})")
        if not self.changes:
            few = " (ten are needed before a change can show)" if self.nights < 10 else ""
            found.append(f"  no change of the level shown{few}")
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain mapping."""
        return {**vars(self), "changes": [vars(item) for item in self.changes]}


def add_to_series(path: Path, stored: StoredTimes) -> None:
    """Append one line per function: the level of that night, and where it was measured."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        for item in stored.timed:
            line = {
                "name": item.name, "median_s": median(item.times), "rounds": len(item.times), "at": stored.at,
                "commit": stored.commit, "machine": dict(stored.machine),
            }  # fmt: skip
            file.write(json.dumps(line) + "\n")


def read_series(path: Path) -> list[NightlySeries]:
    """The series of a file, a function and a machine apart from the other ones; change points of the logarithms.

    :raises FormatError: a line is not what :func:`add_to_series` writes, or there is none.
    """
    from harness.stats.change_points import change_points

    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            night = json.loads(line)
            if not (math.isfinite(night["median_s"]) and night["median_s"] > 0):
                raise FormatError(f"{path}:{number}: median_s must be above 0, got {night['median_s']!r}")
            key = (str(night["name"]), *(str(night["machine"].get(part, "")) for part in KEYS))
            groups.setdefault(key, []).append(night)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{path}: not a series of harness bench --append ({type(error).__name__}: {error})") from None
    if not groups:
        raise FormatError(f"{path}: holds no night; add one with harness bench FUNCTION --append {path}")
    found = []
    for key, nights in groups.items():
        changes = change_points([math.log(night["median_s"]) for night in nights])
        found.append(
            NightlySeries(
                name=key[0],
                machine=", ".join(part for part in (key[3], f"{key[4]} CPUs", f"Python {key[5]}") if part),
                nights=len(nights),
                changes=tuple(
                    Change(
                        at=str(nights[item.at].get("at", "")),
                        commit=str(nights[item.at].get("commit", "")),
                        after_over_before=math.exp(item.after - item.before),
                        p=item.p,
                    )
                    for item in changes
                ),
            )
        )
    return found
