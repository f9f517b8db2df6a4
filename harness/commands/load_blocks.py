"""A load result as blocks: what decides, figures with intervals, pictures, the client's own error, the definitions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.core.blocks import Block, Cell, Curve, Figure, Figures, Prose, SectionPage, Series, Table, Tone
from harness.reporting import numbers
from harness.runs.load.definitions import DEFINITIONS

if TYPE_CHECKING:
    from harness.runs.load.measured import Measured
    from harness.runs.load.repeats import LoadResult
    from harness.runs.load.running import LoadRun
    from harness.runs.load.summary import Figure as LoadFigure
    from harness.runs.load.summary import Summary
    from harness.runs.load.sweep import Sweep

POINTS, MOST_DOTS = 80, 400
TONES: dict[str, Tone] = {"pass": "good", "fail": "bad", "inconclusive": "warn"}
SIGNS = {"pass": "✓ pass", "fail": "✗ fail", "inconclusive": "? inconclusive"}


def unit_text(value: float | None, metric: str) -> str:
    """A value as its metric is printed."""
    if value is not None and math.isinf(value):
        return "not reached"
    unit = DEFINITIONS[metric].unit
    if unit == "s":
        if value is not None and 0 < value < 1:
            return f"{value * 1e3:.{2 if value < 0.01 else 1 if value < 0.1 else 0}f} ms"
        return numbers.seconds(value)
    return numbers.share(value, decimals=2) if not unit else numbers.measured(value, unit)


def load_page(result: LoadResult) -> SectionPage:
    """The page of a load test."""
    last, run = result.last, result.runs[-1]
    blocks: list[Block] = [_headline(result), *_warnings(last)]
    if result.verdicts:
        blocks.append(verdict_table(result))
    blocks += [figure_table(last), *curves(run, last)]
    if len(result.summaries) > 1:
        blocks.append(_repeats(result))
    if last.failures:
        blocks.append(_failures(last, run))
    blocks += [client_table(last), *_notes(last), definition_table(last)]
    return SectionPage(id="load", title=f"Load: {run.plan.url}", blocks=tuple(blocks))


def _headline(result: LoadResult) -> Figures:
    last = result.last
    sign, _, word = SIGNS[result.answer].partition(" ")
    loop, _, load = last.offered.partition(", ")
    budgets = f"{len(result.verdicts)} budgets" if result.verdicts else "no budget was given"
    items = [
        Figure(label="Verdict", value=sign, note=f"{word}; {budgets}", tone=TONES[result.answer]),
        Figure(label=loop, value=load, note=f"measured {numbers.seconds(last.measured_s)}"),
        Figure(
            label="Good requests",
            value=numbers.n_of(last.good, last.due),
            note=f"{last.warm_up} left out as warm-up" if last.warm_up else "no warm-up left out",
        ),
    ]
    for name in ("ttft_p50_s", "ttft_p95_s", "gap_p50_s", "tokens_per_s"):
        found = last.figure(name)
        if found is not None:
            e = found.estimate
            items.append(
                Figure(label=_label(found), value=unit_text(e.value, found.metric), note=_interval(found))
            )  # fmt: skip
    return Figures(items=tuple(items))


def _warnings(last: Summary) -> list[Block]:
    made: list[Block] = []
    if last.audit.client_limited:
        text = "Client-limited: this machine was the bottleneck, so these numbers decide nothing. "
        made.append(Prose(text=text + "; ".join(last.audit.reasons) + ".", tone="bad"))
    if last.stopped:
        made.append(Prose(text="This run was cut off; it holds what had ended by then.", tone="warn"))
    if not last.steady.steady:
        change = last.steady.change or 0.0
        word = f"grew by {change:.0%}" if change > 0 else f"fell by {-change:.0%}"
        text = f"Not steady: the latency {word} from the first to the last third of the measured time (Mann-Kendall p "
        made.append(
            Prose(text=f"{text}= {last.steady.p_value:.2g}), so its figures depend on when one looks.", tone="warn")
        )
    return made


def verdict_table(result: LoadResult) -> Table:
    """One row a budget."""
    rows = [
        (
            Cell(text=verdict.rule),
            Cell(text=SIGNS[verdict.answer], tone=TONES[verdict.answer]),
            Cell(text=verdict.reason),
            Cell(text=verdict.needs, tone="muted"),
        )
        for verdict in result.verdicts
    ]
    return Table(columns=("Budget", "Answer", "Why", "What would settle it"), rows=tuple(rows), caption="Budgets")


def figure_table(last: Summary) -> Table:
    """One row a figure."""
    rows = []
    for one in last.figures:
        e = one.estimate
        rows.append(
            (
                Cell(text=_label(one)),
                Cell(text=unit_text(e.value, one.metric), sort=e.value),
                Cell(text=_interval(one), tone="muted" if e.note else ""),
                Cell(text="" if one.adjusted is None else unit_text(one.adjusted, one.metric)),
                Cell(text=numbers.count(e.n), sort=e.n),
                Cell(text=f"{e.effective:,.0f}", sort=e.effective),
                Cell(text=e.note, tone="muted"),
            )
        )
    return Table(
        columns=("Figure", "Value", f"Interval at {last.level:.3g}", "Error-adjusted", "Values", "Worth", "Note"),
        rows=tuple(rows),
        caption="Figures of the measured time; Worth: how many independent values would say as much",
        numeric=(1, 3, 4, 5),
    )


def curves(run: LoadRun, last: Summary) -> list[Block]:
    """The times of the run, the distributions, and the percentiles."""
    well = [one for one in run.requests if one.ok]
    made: list[Block] = []
    for metric in ("ttft_s", "e2e_s"):
        if block := over_time(well, metric, last.warm_up_s if last.warm_up else 0.0):
            made.append(block)
            break
    kept = [one for one in well if one.due_s >= last.warm_up_s]
    if block := distributions({"run": kept}, ("ttft_s", "e2e_s", "worst_gap_s")):
        made.append(block)
    if block := _percentiles(kept):
        made.append(block)
    return made


def over_time(well: Sequence[Measured], metric: str, warm_up_s: float) -> Curve | None:
    """A metric over due times: median and worst of equal parts; the warm-up as an area behind."""
    points = [(one.due_s, value) for one in well if (value := getattr(one, metric)) is not None]
    if len(points) < 5:
        return None
    points.sort()
    size = max(1, len(points) // POINTS)
    parts = [points[at : at + size] for at in range(0, len(points), size)]
    middle, worst = [], []
    for part in parts:
        values = sorted(value for _, value in part)
        at = part[len(part) // 2][0]
        middle.append((at, values[len(values) // 2]))
        worst.append((at, values[-1]))
    series = []
    label = DEFINITIONS[metric].label
    if size > 1:
        series.append(Series(name=f"worst of {size}", points=tuple(worst)))
    series.append(Series(name="median" if size > 1 else label, points=tuple(middle)))
    if warm_up_s > 0:
        top = max(value for _, value in (worst if size > 1 else middle))
        ends = ((points[0][0], top), (warm_up_s, top))
        series.append(Series(name="warm-up, left out", points=ends, low=(0.0, 0.0), high=(top, top)))
    return Curve(
        series=tuple(series), x_label="due, seconds from the start", y_label="seconds", caption=f"{label} over the run"
    )


def distributions(runs: dict[str, Sequence[Measured]], metrics: Sequence[str]) -> Curve | None:
    """Distribution functions of metrics, or of one metric in several runs."""
    series = []
    for name, requests in runs.items():
        for metric in metrics:
            values = sorted(value for one in requests if (value := getattr(one, metric)) is not None)
            if len(values) < 5:
                continue
            shares = [(index + 1) / POINTS for index in range(POINTS)]
            points = [(values[0], 0.0), *((values[math.ceil(share * len(values)) - 1], share) for share in shares)]
            label = DEFINITIONS[metric].label
            series.append(Series(name=label if len(runs) == 1 else f"{name}: {label}", points=tuple(points)))
    if not series:
        return None
    return Curve(
        series=tuple(series), x_label="seconds", y_label="share of requests", caption="Share of requests within a time"
    )


def _percentiles(kept: Sequence[Measured]) -> Curve | None:
    series = []
    for metric in ("ttft_s", "e2e_s", "worst_gap_s"):
        values = sorted(value for one in kept if (value := getattr(one, metric)) is not None)
        if len(values) < 20:
            continue
        marks = [q for q in (1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9) if len(values) * (1 - q / 100) >= 1]
        points = tuple((q, values[max(0, math.ceil(q / 100 * len(values)) - 1)]) for q in marks)
        series.append(Series(name=DEFINITIONS[metric].label, points=points))
    if not series:
        return None
    return Curve(series=tuple(series), x_label="percentile", y_label="seconds", caption="Percentiles")


def client_table(last: Summary) -> Table:
    """What the client says about itself."""
    audit = last.audit

    def ms(value: float | None) -> str:
        return "not measured" if value is None else f"{value * 1e3:.3f} ms"

    def share(value: float | None) -> str:
        return "not measured" if value is None else numbers.share(value, decimals=2)

    pairs = [
        ("sent after due, p50 and p99", f"{ms(audit.late_p50_s)}, {ms(audit.late_p99_s)}", "in every latency from due"),
        ("read after arrival, p50 and p99", f"{ms(audit.lag_p50_s)}, {ms(audit.lag_p99_s)}",
         "in no latency: times are the kernel's" if (audit.unstamped or 0) < 0.01 else "in the latencies"),
        ("reads without a kernel stamp", share(audit.unstamped), "their time is the loop's own"),
        ("token events read together", share(audit.coalesced), "their own times are not known"),
        ("processor of the busiest worker", share(audit.cpu_share), f"{audit.processes} processes"),
        ("waiting for a processor", share(audit.waited_share), ""),
        ("connections closed by the server and opened again", str(audit.reopened), ""),
        ("what the client may be wrong by", ms(audit.limit_s), "a millisecond, or 2 % of the ttft p95"),
    ]  # fmt: skip
    rows = tuple((Cell(text=a), Cell(text=b), Cell(text=c, tone="muted")) for a, b, c in pairs)
    return Table(columns=("The client itself", "", "Meaning"), rows=rows, caption="How exact this run is", numeric=(1,))


def definition_table(last: Summary) -> Table:
    """Meaning and source of every figure of the page."""
    names = dict.fromkeys(one.metric for one in last.figures)
    rows = tuple(
        (Cell(text=d.label), Cell(text=d.meaning), Cell(text=d.source, tone="muted"))
        for d in (DEFINITIONS[name] for name in names)
    )  # fmt: skip
    return Table(columns=("Figure", "Meaning", "Source"), rows=rows, caption="Definitions")


def _repeats(result: LoadResult) -> Table:
    names = [v.rule for v in result.verdicts if result.last.figure(v.rule)] or ["ttft_p95_s", "tokens_per_s"]
    rows = []
    for index, summary in enumerate(result.summaries, 1):
        cells = [Cell(text=str(index)), Cell(text=numbers.n_of(summary.good, summary.due))]
        for name in names:
            found = summary.figure(name)
            cells.append(Cell(text="" if found is None else unit_text(found.estimate.value, found.metric)))
        rows.append(tuple(cells))
    return Table(columns=("Run", "Good", *names), rows=tuple(rows), caption="Repeats of the whole run")


def _failures(last: Summary, run: LoadRun) -> Table:
    said: dict[str, str] = {}
    for one in run.requests:
        if one.failure and one.failure not in said:
            said[one.failure] = one.note
    rows = tuple(
        (Cell(text=word), Cell(text=numbers.n_of(count, last.due)), Cell(text=said.get(word, "")[:300]))
        for word, count in last.failures.items()
    )
    return Table(columns=("Failure", "Requests", "The first one said"), rows=rows, caption="What failed", numeric=(1,))


def _notes(last: Summary) -> list[Block]:
    made: list[Block] = []
    if last.token_source:
        made.append(Prose(text=f"Tokens: {last.token_source}.", tone="muted"))
    return [*made, *(Prose(text=note, tone="muted") for note in last.notes)]


def _label(one: LoadFigure) -> str:
    label = DEFINITIONS[one.metric].label
    return f"{label} {one.stat}" if one.stat.startswith("p") or one.stat == "mean" else label


def _interval(one: LoadFigure) -> str:
    e = one.estimate
    if e.low is None or e.high is None:
        return e.note
    return f"[{unit_text(e.low, one.metric)}, {unit_text(e.high, one.metric)}]"


def sweep_page(made: Sweep) -> SectionPage:
    """Latency and throughput against the offered rate, with the knee."""
    knee = made.knee
    levels = [level for level in made.levels if level.summary.good]
    value = f"{knee:g} requests/s" if knee is not None else "none kept up with"
    note = "" if made.found else "no rate was too high; the knee lies above"
    blocks: list[Block] = [Figures(items=(Figure(label="Knee", value=value, note=note),))]
    for names, unit, caption in (
        (("ttft_p50_s", "ttft_p95_s", "ttft_p99_s"), "seconds", "Time to first token against the offered rate"),
        (("gap_p50_s", "gap_p99_s"), "seconds", "Gap between token events against the offered rate"),
        (("tokens_per_s",), "tokens/s", "Throughput against the offered rate"),
    ):
        series, top = [], 0.0
        for name in names:
            found = [(level.rate, one.estimate) for level in levels if (one := level.summary.figure(name))]
            points = tuple((rate, e.value) for rate, e in found if e.value is not None)
            if not points:
                continue
            top = max(top, *(value for _, value in points))
            banded = len(names) == 1 and all(e.low is not None and e.high is not None for _, e in found)
            series.append(
                Series(
                    name=name, points=points, low=tuple(e.low or 0.0 for _, e in found) if banded else (),
                    high=tuple(e.high or 0.0 for _, e in found) if banded else (),
                )
            )  # fmt: skip
        if series and knee is not None:
            series.append(Series(name=f"knee, {knee:g}/s", points=((knee, 0.0), (knee, top))))
        if series:
            curve = Curve(series=tuple(series), x_label="offered requests per second", y_label=unit, caption=caption)
            blocks.append(curve)
    blocks.append(sweep_table(made))
    return SectionPage(id="sweep", title="Load at rising rates", blocks=tuple(blocks))


def sweep_table(made: Sweep) -> Table:
    """One row a rate."""
    rows = []
    for level in made.levels:
        s = level.summary
        kept: dict[bool | None, tuple[str, Tone]]
        kept = {True: ("✓ yes", "good"), False: ("✗ no", "bad"), None: ("? not known", "warn")}
        word, tone = kept[level.kept_up]
        names = ("ttft_p50_s", "ttft_p95_s", "gap_p99_s", "tokens_per_s", "requests_per_s")
        cells = [
            Cell(text="" if (one := s.figure(name)) is None else unit_text(one.estimate.value, one.metric))
            for name in names
        ]
        rows.append(
            (
                Cell(text=f"{level.rate:g}", sort=level.rate), Cell(text=numbers.n_of(s.good, s.due)), *cells,
                Cell(text=word, tone=tone), Cell(text=level.why, tone="muted"),
            )
        )  # fmt: skip
    columns = ("Rate", "Good", "ttft p50", "ttft p95", "gap p99", "tokens/s", "requests/s", "Kept up", "Why not")
    return Table(columns=columns, rows=tuple(rows), caption="Rates", numeric=(0, 1, 2, 3, 4, 5, 6))
