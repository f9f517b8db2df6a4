"""What ``harness bench`` says: typical times, the ratio with its interval, and the answer in a sentence."""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.commands.project import Say
from harness.core.errors import FormatError
from harness.core.verdict import Answer
from harness.runs.bench.in_turn import Compared
from harness.runs.bench.machine import differences
from harness.runs.bench.stored_times import StoredTimes, read_times
from harness.stats.estimate import Estimate
from harness.stats.ratio import unpaired_ratio


def answer_of(ratio: Estimate, at_most: float | None) -> Answer:
    """Pass, fail or inconclusive. Without a limit only a shown slowdown fails, and a missing interval is no pass."""
    if ratio.low is None or ratio.high is None:
        same = ratio.value is not None and ratio.n > 1 and not ratio.note.startswith("one ")
        if same and ratio.value is not None:  # every pair says the same: the point is the interval
            return "pass" if ratio.value <= (at_most or 1.0) else "fail"
        return "inconclusive"
    if at_most is None:
        return "fail" if ratio.low > 1.0 else "pass"
    if ratio.high <= at_most:
        return "pass"
    return "fail" if ratio.low > at_most else "inconclusive"


def told(found: Compared, answer: Answer, args: argparse.Namespace) -> Iterator[str]:
    """The comparison in lines."""
    a, b = found.typical
    samples = len(found.rounds[0].first)
    yield f"A  {seconds(a):>10}  {found.first}"
    yield f"B  {seconds(b):>10}  {found.second}"
    each = f"{samples} samples of {found.units:,}" if samples > 1 or found.units > 1 else "one run"
    yield f"in turn: {len(found.rounds)} rounds, {each} per side, seed {args.seed}"
    yield verdict_line(found.shift.ratio, answer, args.at_most)


def verdict_line(ratio: Estimate, answer: Answer, at_most: float | None) -> str:
    """The ratio, its interval and what follows."""
    if ratio.value is None:
        return "inconclusive: nothing measured"
    interval = "no interval" if ratio.low is None or ratio.high is None else f"{ratio.low:.3f} to {ratio.high:.3f}"
    start = f"B takes {ratio.value:.3f} × A ({interval} at {ratio.level:g}; {ratio.method}, n = {ratio.n:g})"
    if at_most is not None:
        words = {"pass": "within", "fail": "over", "inconclusive": "inconclusive against"}
        more = "; more --rounds would decide" if answer == "inconclusive" else ""
        return f"{start}: {words[answer]} {at_most:g}{more}"
    if answer == "inconclusive":
        return f"{start}: inconclusive; more --rounds would decide"
    if answer == "fail":
        return f"{start}: slower"
    if ratio.high is not None and ratio.high < 1:
        return f"{start}: faster"
    unseen = "" if ratio.high is None else f"; a slowdown of more than {100 * (ratio.high - 1):.1f} % is excluded"
    return f"{start}: no difference shown{unseen}"


def as_json(found: Compared, answer: Answer, args: argparse.Namespace) -> dict[str, Any]:
    """Everything, with the single samples."""
    return {
        "first": found.first,
        "second": found.second,
        "seconds": list(found.typical),
        "ratio": ratio_json(found.shift.ratio),
        "shift": found.shift.answer,
        "at_most": args.at_most,
        "answer": answer,
        "units": found.units,
        "rounds": [{"first": list(item.first), "second": list(item.second)} for item in found.rounds],
    }


def ratio_json(ratio: Estimate) -> dict[str, Any]:
    """An estimate as a plain mapping."""
    keys = ("value", "low", "high", "level", "method", "n", "note")
    return {key: getattr(ratio, key) for key in keys}


def told_files(first: Path, second: Path | StoredTimes, args: argparse.Namespace, say: Say) -> int:
    """Compare stored times: name by name, only on the same machine."""
    before = read_times(first)
    after = read_times(second) if isinstance(second, Path) else second
    other = differences(before.machine, after.machine)
    mine, theirs = ({item.name: item for item in stored.timed} for stored in (before, after))
    common = [name for name in mine if name in theirs]
    if not common:
        raise FormatError(f"{first}: no benchmark in common; it holds {', '.join(list(mine)[:5])}")
    rows = []
    for name in common:
        ratio = unpaired_ratio(_rounds(mine[name].times), _rounds(theirs[name].times), level=args.level)
        rows.append((name, ratio, "inconclusive" if other else answer_of(ratio, args.at_most)))
    if args.json:
        told_rows = [{"name": name, "ratio": ratio_json(ratio), "answer": answer} for name, ratio, answer in rows]
        say(json.dumps({"machine_differs": other, "benchmarks": told_rows}, indent=2))
    else:
        for name, ratio, answer in rows:
            say(f"{name}: {'not comparable' if other else verdict_line(ratio, answer, args.at_most)}")
        if other:
            say(f"inconclusive: measured on another machine ({'; '.join(other)}); measure both in turn instead")
    if other:
        return 13
    answers = [answer for _, _, answer in rows]
    return 10 if "fail" in answers else 11 if "inconclusive" in answers else 0


def _rounds(times: tuple[float, ...]) -> list[float]:
    """At most 30 medians of successive rounds: rounds that follow each other are no independent evidence."""
    from statistics import median

    count = min(30, len(times))
    edges = [index * len(times) // count for index in range(count + 1)]
    return [max(median(times[a:b]), 1e-12) for a, b in itertools.pairwise(edges)]


def seconds(value: float | None) -> str:
    """A time in the unit that suits it."""
    if value is None:
        return "?"
    for limit, scale, unit in ((1e-6, 1e9, "ns"), (1e-3, 1e6, "µs"), (1.0, 1e3, "ms")):
        if value < limit:
            return f"{value * scale:.3g} {unit}"
    return f"{value:.4g} s"
