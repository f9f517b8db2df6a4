"""The trend as lines for the terminal: a sparkline per suite, then what alarms, shifts, was renamed or edited."""

from __future__ import annotations

from collections.abc import Sequence

from harness.reporting import numbers
from harness.reporting.sections.trend import TrendLine
from harness.reporting.visible_text import one_line

TICKS, PLAIN_TICKS = "▁▂▃▄▅▆▇█", "_.,-~=+#"
GAP = "·"
MOST_LINES, MOST_NOTES = 40, 30


def spark(values: Sequence[float | None], *, low: float, high: float, ascii_only: bool = False) -> str:
    """One sign a value, from the lowest tick at ``low`` to the highest at ``high``; a gap where there is none."""
    ticks = PLAIN_TICKS if ascii_only else TICKS
    signs = []
    for value in values:
        if value is None:
            signs.append("?" if ascii_only else GAP)
        elif high <= low:
            signs.append(ticks[-1])
        else:
            part = min(1.0, max(0.0, (value - low) / (high - low)))
            signs.append(ticks[min(len(ticks) - 1, int(part * len(ticks)))])
    return "".join(signs)


def trend_text(lines: Sequence[TrendLine], *, ascii_only: bool = False) -> list[str]:
    """The trend; the ends of the pass rate's scale are printed, one scale for all suites."""
    points = lines[0].points
    arrow = "->" if ascii_only else "→"
    rates = [point.rate for line in lines for point in line.points if point.rate is not None]
    low, high = min(rates, default=0.0), max(rates, default=1.0)
    scale = f"{numbers.share(low)} to {numbers.share(high)}" if low < high else f"all {numbers.share(high)}"
    out = [
        f"trend of {len(points)} comparable runs, {points[0].run_id} to {points[-1].run_id}",
        "",
    ]
    rows = [("suite", f"pass rate ({scale})", "cost a trial", "latency")]
    for line in lines[:MOST_LINES]:
        rows.append(
            (
                _name(line),
                f"{spark([p.rate for p in line.points], low=low, high=high, ascii_only=ascii_only)}  "
                f"{_change(line, arrow)}",
                _amounts(line, "cost_usd", arrow, ascii_only=ascii_only),
                _amounts(line, "latency_s", arrow, ascii_only=ascii_only),
            )
        )
    sizes = [max(len(row[n]) for row in rows) for n in range(4)]
    out += ["  " + "  ".join(text.ljust(sizes[n]) for n, text in enumerate(row)).rstrip() for row in rows]
    if len(lines) > MOST_LINES:
        out.append(f"  and {len(lines) - MOST_LINES} more suites: --json")
    alarms = [f"  ! {_name(line)}: {line.alarm}" for line in lines if line.alarm]
    notes = [f"  {_name(line)}: {one_line(note, 300)}" for line in lines for note in line.notes]
    charts = [f"  {_name(line)}: {line.chart}" for line in lines if line.chart and line.alarm]
    quiet = sum(1 for line in lines if line.chart and not line.alarm)
    more = [f"  and {len(notes) - MOST_NOTES} more notes: --json"] if len(notes) > MOST_NOTES else []
    for block in (alarms, charts, notes[:MOST_NOTES] + more):
        if block:
            out += ["", *block]
    if quiet:
        out += ["", f"  {quiet} chart{'' if quiet == 1 else 's'} of failures without an alarm; their limits: --json"]
    return out


def _name(line: TrendLine) -> str:
    name = one_line(line.name.rpartition("::")[2] or line.name, 60)
    return f"{name} *" if line.observe else name


def _change(line: TrendLine, arrow: str) -> str:
    rates = [point.rate for point in line.points if point.rate is not None]
    if not rates:
        return "not measured"
    newest = line.newest
    if newest.rate is None:
        return f"{numbers.share(rates[0])} {arrow} not measured"
    low, high = ("?" if bound is None else numbers.share(bound) for bound in (newest.low, newest.high))
    return f"{numbers.share(rates[0])} {arrow} {numbers.share(newest.rate)} [{low}, {high}]"


def _amounts(line: TrendLine, name: str, arrow: str, *, ascii_only: bool) -> str:
    values: list[float | None] = [getattr(point, name) for point in line.points]
    known = [value for value in values if value is not None]
    if not known:
        return "unknown"
    drawn = spark(values, low=min(known), high=max(known), ascii_only=ascii_only)
    say = numbers.usd if name == "cost_usd" else numbers.seconds
    first, last = say(known[0]), say(known[-1])
    return f"{drawn}  {first}" if first == last else f"{drawn}  {first} {arrow} {last}"
