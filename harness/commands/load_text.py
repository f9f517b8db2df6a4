"""A load result, a sweep and a calibration as lines for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.commands.load_blocks import SIGNS, sweep_table, unit_text
from harness.core.blocks import Table
from harness.reporting.visible_text import one_line
from harness.runs.load.definitions import DEFINITIONS

if TYPE_CHECKING:
    from harness.runs.load.calibrate import Calibration
    from harness.runs.load.repeats import LoadResult
    from harness.runs.load.sweep import Sweep

COLOURS = {"pass": "\x1b[32m", "fail": "\x1b[31m", "inconclusive": "\x1b[33m"}
ASCII = str.maketrans({"✓": "+", "✗": "x", "·": "-", "…": "."})


def result_lines(result: LoadResult, *, colour: bool, ascii_only: bool, width: int) -> list[str]:
    """What was sent, the figures, the client's error, the budgets, the answer."""
    last, run = result.last, result.runs[-1]
    lines = [
        one_line(f"{run.plan.url}: {last.offered}, {last.good} of {last.due} requests good", 200),
        f"measured {last.measured_s:.1f} s"
        + (f" after a warm-up of {last.warm_up} requests ({last.warm_up_s:.1f} s)" if last.warm_up else "")
        + (f"; run {len(result.runs)} of {len(result.runs)}" if len(result.runs) > 1 else ""),
        "",
    ]
    lines += _figures(result)
    if last.failures:
        lines += ["", "failed: " + ", ".join(f"{count} {word}" for word, count in last.failures.items())]
    lines += ["", _client(result)]
    lines += [f"note: {note}" for note in last.notes]
    if not last.steady.steady:
        lines.append(f"not steady: the latency changed by {last.steady.change or 0:+.0%} during the measured time")
    if result.verdicts:
        lines.append("")
    for verdict in result.verdicts:
        word = SIGNS[verdict.answer]
        shown = f"{COLOURS[verdict.answer]}{word}\x1b[0m" if colour else word
        text = one_line(verdict.reason + (f"; needs {verdict.needs}" if verdict.needs else ""), 600)
        first, *more = textwrap.wrap(f"{verdict.rule}: {text}", max(50, width - len(word) - 2)) or [""]
        lines += [f"{shown}  {first}", *(" " * (len(word) + 2) + line for line in more)]
    return [line.translate(ASCII) for line in lines] if ascii_only else lines


def _figures(result: LoadResult) -> list[str]:
    last = result.last
    metrics = [name for name in dict.fromkeys(one.metric for one in last.figures) if DEFINITIONS[name].of == "request"]
    stats = [one.stat for one in last.figures if one.metric == metrics[0]] if metrics else []
    body = [["", *stats, f"{stats[-2]} interval at {last.level:.3g}" if len(stats) > 1 else ""]] if metrics else []
    for metric in metrics:
        row = [DEFINITIONS[metric].label]
        for stat in stats:
            found = next((one for one in last.figures if (one.metric, one.stat) == (metric, stat)), None)
            row.append("" if found is None else unit_text(found.estimate.value, metric))
        high = next((one for one in last.figures if (one.metric, one.stat) == (metric, stats[-2])), None)
        e = None if high is None else high.estimate
        if e is None or e.low is None or e.high is None:
            row.append("" if e is None else e.note)
        else:
            text = f"{unit_text(e.low, metric)} to {unit_text(e.high, metric)}, {e.n:,} worth {e.effective:,.0f}"
            row.append(text + (f" ({e.note})" if e.note else ""))
        body.append(row)
    widths = [max((len(row[i]) for row in body), default=0) for i in range(len(stats) + 2)]
    lines = [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(w) for cell, w in zip(row[1:-1], widths[1:-1], strict=True)),
                row[-1],
            ]
        ).rstrip()
        for row in body
    ]
    lines.append("")
    for one in last.figures:
        if DEFINITIONS[one.metric].of == "run":
            e = one.estimate
            bounds = ""
            if e.low is not None and e.high is not None:
                bounds = f"  [{unit_text(e.low, one.metric)}, {unit_text(e.high, one.metric)}]"
            lines.append(f"{DEFINITIONS[one.metric].label}: {unit_text(e.value, one.metric)}{bounds}")
    if last.token_source:
        lines.append(f"token source: {last.token_source}")
    return lines


def _client(result: LoadResult) -> str:
    audit = result.last.audit
    if audit.client_limited:
        return "CLIENT-LIMITED, so nothing is decided: " + "; ".join(audit.reasons)
    late = "not measured" if audit.late_p99_s is None else f"{audit.late_p99_s * 1e3:.2f} ms"
    stamps = "the kernel's" if (audit.unstamped or 0) < 0.01 else "the loop's own"
    return (
        f"client: sent at most {late} late (p99), stamps are {stamps}, {audit.coalesced or 0:.1%} of token events read "
        f"together, {audit.cpu_share:.0%} of a processor"
    )


def table_lines(table: Table) -> list[str]:
    """A table of blocks as aligned text."""
    body = [list(table.columns), *([one_line(cell.text, 120) for cell in row] for row in table.rows)]
    widths = [max(len(row[i]) for row in body) for i in range(len(table.columns))]
    return [
        "  ".join(
            cell.rjust(widths[i]) if i in table.numeric else cell.ljust(widths[i]) for i, cell in enumerate(row)
        ).rstrip()
        for row in body
    ]


def sweep_lines(made: Sweep) -> list[str]:
    """A row a rate, and the knee."""
    knee = made.knee
    text = f"knee: {knee:g} requests/s" if knee is not None else "knee: no rate was kept up with"
    more = "" if made.found else " (no rate was too high: the knee lies above)"
    return [*table_lines(sweep_table(made)), "", text + more]


def calibration_lines(found: Sequence[Calibration]) -> list[str]:
    """A row a number of streams."""
    head = [
        "streams",
        "tokens/s",
        "ttft error p50",
        "p99",
        "gap error p50",
        "p99",
        "cpu s/1000 tokens",
        "mock late p99",
        "",
    ]
    body = [head]
    for one in found:
        times = (one.ttft_p50_s, one.ttft_p99_s, one.gap_p50_s, one.gap_p99_s)
        body.append(
            [
                str(one.streams), f"{one.tokens_per_s:,.0f}", *(f"{value * 1e3:.3f} ms" for value in times),
                f"{one.cpu_per_1000_s:.3f}", f"{one.mock_late_s * 1e3:.2f} ms",
                "client-limited: " + "; ".join(one.audit.reasons) if one.audit.client_limited else "",
            ]
        )  # fmt: skip
    widths = [max(len(row[i]) for row in body) for i in range(len(head))]
    lines = ["  ".join(cell.rjust(widths[i]) for i, cell in enumerate(row[:-1])) + "  " + row[-1] for row in body]
    return [line.rstrip() for line in lines]
