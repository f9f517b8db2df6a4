"""The series of ``harness watch``: one JSON line per call, and whether the newest one shows a fall."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import FormatError
from harness.stats.rates import wilson
from harness.stats.unpaired import newcombe_difference

LOOK_BACK = 20
"""How many earlier lines a new one is compared with, together."""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """What comparing the newest line with the earlier ones came to."""

    fell: bool
    text: str


def shares(
    log: Sequence[str], judged: Sequence[tuple[str, bool | None, float | None]], *, sampled: int
) -> dict[str, Any]:
    """The counts of one call.

    The pass rate is weighted by the strata's shares of the log; its interval is Wilson's over all that was judged,
    which is a little too wide for a stratified sample, never too narrow.

    :param log: the stratum of every conversation of the log.
    :param judged: per judged conversation its stratum, whether it passes (None: not measured), its value.
    """
    sizes = Counter(log)
    done = [(name, passes, value) for name, passes, value in judged if passes is not None and value is not None]
    made: dict[str, Any] = {
        "seen": len(log),
        "sampled": sampled,
        "judged": len(done),
        "not_measured": len(judged) - len(done),
        "passed": sum(passes for _, passes, _ in done),
        "strata": {},
    }
    for name in sorted(sizes):
        inside = [passes for stratum, passes, _ in done if stratum == name]
        made["strata"][name] = {"seen": sizes[name], "judged": len(inside), "passed": sum(map(bool, inside))}
    if done:
        covered = {name: part for name, part in made["strata"].items() if part["judged"]}
        weight = sum(part["seen"] for part in covered.values())
        rate = sum(part["seen"] * part["passed"] / part["judged"] for part in covered.values()) / weight
        low, high = wilson(rate * len(done), len(done))
        made.update(pass_rate=rate, low=low, high=high, mean=sum(value for _, _, value in done) / len(done))
    return made


def read_series(path: Path) -> list[Mapping[str, Any]]:
    """The lines so far; none where there is no file.

    :raises FormatError: a line other than a torn last one is not of this series.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    found: list[Mapping[str, Any]] = []
    for number, text in enumerate(lines, start=1):
        try:
            line = json.loads(text)
            if not isinstance(line, dict) or type(line["judged"]) is not int or "identity" not in line:
                raise ValueError("not a line of harness watch")
        except (ValueError, KeyError, RecursionError) as error:
            if number == len(lines) and isinstance(error, json.JSONDecodeError):
                break
            raise FormatError(f"{path}:{number}: {error}; move the file away, or name another with --series") from error
        found.append(line)
    return found


def fall(earlier: Sequence[Mapping[str, Any]], line: Mapping[str, Any], *, drop: float = 0.0) -> Alarm:
    """Whether the pass rate fell, by Newcombe's 95 % interval of the difference to the last calls with this judge.

    :param drop: how far it must have fallen, as a share.
    """
    same = [one for one in earlier if one["identity"] == line["identity"] and one["judged"]][-LOOK_BACK:]
    if not line["judged"]:
        return Alarm(fell=False, text="nothing was judged, so nothing can be compared")
    if not same:
        return Alarm(fell=False, text="no earlier line of this judge; the series begins here")
    before = sum(one["judged"] for one in same)
    made = newcombe_difference(
        sum(one["pass_rate"] * one["judged"] for one in same),
        before,
        line["pass_rate"] * line["judged"],
        line["judged"],
    )
    if made.value is None or made.low is None or made.high is None:
        return Alarm(fell=False, text=f"the difference cannot be measured: {made.note}")
    fell = made.high < -drop
    word = "ALARM: the pass rate fell" if fell else "no alarm: the pass rate moved"
    where = f"against {before:,} judged in the last {len(same)} calls"
    points = f"{100 * made.value:+.1f} points [{100 * made.low:+.1f}, {100 * made.high:+.1f}]"
    return Alarm(fell=fell, text=f"{word} by {points} {where}")
