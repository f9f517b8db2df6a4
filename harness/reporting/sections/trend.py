"""History: pass rate, cost and latency over the comparable runs, as curves with the numbers beneath.

With the charts of failures, the levels between shifts, and the drift from the run before as pictures of their own.

What is drawn is given (:class:`TrendLine`); which runs are comparable and where a line alarms is decided by who reads
the runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.core.blocks import Block, Cell, Curve, Interval, Prose, SectionPage, Series, Table
from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.reporting import numbers
from harness.reporting.row_text import share_scale
from harness.reporting.sections.history_pictures import DriftRow, charts_curve, drift_blocks, levels_series

FEWEST = 3
MOST_SERIES = 5
MOST_RUNS = 15
MOST_LINES = 40
EXPLAINED = (
    "The chart (CUSUM) sums up, run after run, the failures beyond what is usual for the suite, and alarms at a limit "
    "computed for its size and rate; a suite that does not change alarms falsely at most as often as said here."
)


@dataclass(frozen=True, kw_only=True)
class TrendPoint:
    """One suite in one run; without figures it was not there or not measured."""

    run_id: str
    created_at: str = ""
    commit: str = ""
    dirty: bool = False
    rate: float | None = None
    """Mean pass share over cases."""
    low: float | None = None
    high: float | None = None
    n: int = 0
    of: int = 0
    """Trials measured and planned."""
    cost_usd: float | None = None
    """Mean per trial."""
    latency_s: float | None = None
    """Median over trials."""


@dataclass(frozen=True, kw_only=True)
class TrendLine:
    """One suite over the runs, oldest first; every line has a point for every run."""

    name: str
    points: tuple[TrendPoint, ...]
    observe: bool = False
    chart: str = ""
    """Where its chart of failures stands, or why there is none."""
    alarm: str = ""
    """In which runs the chart alarmed; empty: in none."""
    fresh: bool = False
    """Whether the newest run alarmed."""
    chart_value: float = 0.0
    """Sum of failures of the chart after the newest run, and where it alarms; both 0 without a chart."""
    chart_limit: float = 0.0
    false_alarm_runs: float = 0.0
    """Runs between false alarms, on average."""
    chart_path: tuple[tuple[int, float], ...] = ()
    """Number of the run, from 1, and the chart's sum of failures after it; empty without a chart."""
    levels: tuple[tuple[int, int, float], ...] = ()
    """First and last run, from 1, and mean pass rate of each stretch between shifts; empty where there was none."""
    notes: tuple[str, ...] = ()
    """Shifts of its level, former names, changed cases."""

    @property
    def newest(self) -> TrendPoint:
        """The newest run's point."""
        return self.points[-1]


class Trend:
    """The last comparable runs."""

    id = "trend"

    def __init__(self, lines: Sequence[TrendLine], *, drift: Sequence[DriftRow] = (), before: str = "") -> None:
        """``drift`` is that from run ``before``."""
        self._lines = list(lines)
        self._drift = drift_blocks(drift, before)

    def build(self, run: Run, comparison: Comparison | None) -> SectionPage | None:
        """The drift alone with fewer than 3 runs, and None without one."""
        if not self._lines or len(self._lines[0].points) < FEWEST:
            blocks_of_two = tuple(self._drift)
            return SectionPage(id=self.id, title="History", blocks=blocks_of_two) if blocks_of_two else None
        points = self._lines[0].points
        blocks: list[Block] = [Prose(text=_span(points))]
        blocks += [Prose(text=f"{line.name}: {line.alarm}.", tone="bad" if line.fresh else "warn")
                   for line in self._lines if line.alarm]  # fmt: skip
        blocks += self._curves()
        blocks += self._drift
        blocks.append(_runs(self._lines[0]))
        if len(self._lines) > 1 or self._lines[0].chart:
            blocks.append(_suites(self._lines))
        if any(line.chart_limit > 0 for line in self._lines):
            blocks.append(Prose(text=EXPLAINED, tone="muted"))
        notes = [f"{line.name}: {line.chart}." for line in self._lines if line.chart and not line.chart_limit]
        notes += [f"{line.name}: {note}." for line in self._lines for note in line.notes]
        blocks += [Prose(text=note, tone="muted") for note in notes[:MOST_LINES]]
        return SectionPage(id=self.id, title="History", blocks=tuple(blocks))

    def _curves(self) -> list[Block]:
        shown = _most_telling(self._lines)
        amount = "The first line and those that moved most" if len(self._lines) > len(shown) else ""
        rates = [_series(line, lambda point: point.rate, band=True) for line in shown]
        rates += [levels_series(line.name, line.levels) for line in shown if line.levels]
        charts = [(line.name, line.chart_path, line.chart_limit) for line in self._lines]
        made = [
            _curve(
                rates, "share of trials passed", f"Pass rate with 95% intervals, oldest run first. {amount}".rstrip()
            ),
            charts_curve(charts, len(self._lines[0].points)),
            _curve(
                [_series(shown[0], lambda point: None if point.cost_usd is None else 1000 * point.cost_usd)],
                "dollars",
                "Mean cost of 1,000 trials, US dollars",
            ),
            _curve([_series(shown[0], lambda point: point.latency_s)], "seconds", "Median latency of a trial, seconds"),
        ]
        return [curve for curve in made if curve is not None]


def _curve(series: Sequence[Series], label: str, caption: str) -> Curve | None:
    kept = tuple(one for one in series if len(one.points) >= FEWEST)
    return Curve(series=kept, x_label="run", y_label=label, caption=caption) if kept else None


def _series(line: TrendLine, of: Callable[[TrendPoint], float | None], *, band: bool = False) -> Series:
    found = [(at, value, point) for at, point in enumerate(line.points, 1) if (value := of(point)) is not None]
    known = band and all(point.low is not None and point.high is not None for _, _, point in found)
    return Series(
        name=line.name,
        points=tuple((float(at), value) for at, value, _ in found),
        low=tuple(point.low or 0.0 for _, _, point in found) if known else (),
        high=tuple(point.high or 0.0 for _, _, point in found) if known else (),
    )


def _most_telling(lines: Sequence[TrendLine]) -> list[TrendLine]:
    """The first line, then those with an alarm, then those whose rate moved most; as many as can be told apart."""

    def moved(line: TrendLine) -> float:
        rates = [point.rate for point in line.points if point.rate is not None]
        return max(rates) - min(rates) if rates else 0.0

    rest = sorted(lines[1:], key=lambda line: (bool(line.alarm), moved(line)), reverse=True)
    kept = [line for line in rest if line.alarm or moved(line) > 0][: MOST_SERIES - 1]
    return [lines[0], *kept]


def _span(points: Sequence[TrendPoint]) -> str:
    first, last = points[0].created_at[:10], points[-1].created_at[:10]
    days = f" of {first}" if first == last else f" from {first} to {last}"
    return f"The last {len(points)} comparable runs{days if first and last else ''}: same agent, same mode, whole."


def _runs(line: TrendLine) -> Table:
    shown = list(enumerate(line.points, 1))[: -MOST_RUNS - 1 : -1]
    scale = share_scale([value for _, point in shown for value in (point.rate, point.low, point.high)])
    return Table(
        columns=("", "Run", "Started", "Commit", "Pass rate", "95% interval", "", "n of N", "Cost a trial", "Latency"),
        rows=tuple(_run(at, point, scale) for at, point in shown),
        caption=f"{line.name}, run by run, newest first",
        numeric=(0, 4, 7, 8, 9),
    )


def _run(at: int, point: TrendPoint, scale: tuple[float, float]) -> tuple[Cell, ...]:
    picture = None
    bounds = ""
    if point.rate is not None:
        bounds = f"[{_bound(point.low)}, {_bound(point.high)}]"
        picture = Interval(
            estimate=point.rate, low=point.low, high=point.high, minimum=scale[0], maximum=scale[1],
            text=f"{numbers.share(point.rate)} {bounds}",
        )  # fmt: skip
    return (
        Cell(text=str(at), sort=at, tone="muted"),
        Cell(text=point.run_id),
        Cell(text=point.created_at[:16].replace("T", " "), sort=point.created_at),
        Cell(text=point.commit[:8] + ("+" if point.dirty else "")),
        Cell(text=numbers.share(point.rate), sort=point.rate),
        Cell(text="", interval=picture),
        Cell(text=bounds, tone="muted"),
        Cell(text=numbers.n_of(point.n, point.of), sort=point.n),
        Cell(text="unknown" if point.cost_usd is None else numbers.usd(point.cost_usd), sort=point.cost_usd),
        Cell(text=numbers.seconds(point.latency_s), sort=point.latency_s),
    )


def _bound(value: float | None) -> str:
    return "?" if value is None else numbers.share(value)


def _suites(lines: Sequence[TrendLine]) -> Table:
    return Table(
        columns=("Suite", "First", "Newest", "Change", "Lowest", "Failures charted", "Alarm at", "False alarm every"),
        rows=tuple(_suite(line) for line in lines[:MOST_LINES]),
        caption="Suite by suite. The change is not paired by case; what is stands under Changes",
        numeric=tuple(range(1, 8)),
    )


def _suite(line: TrendLine) -> tuple[Cell, ...]:
    rates = [point.rate for point in line.points if point.rate is not None]
    first, newest = (rates[0] if rates else None), line.newest.rate
    change = None if first is None or newest is None else newest - first
    drawn = line.chart_limit > 0
    return (
        Cell(text=f"{line.name} (observed)" if line.observe else line.name),
        Cell(text=numbers.share(first), sort=first),
        Cell(text=numbers.share(newest), sort=newest),
        Cell(text="" if change is None else numbers.points(change), sort=change),
        Cell(text=numbers.share(min(rates, default=None)), sort=min(rates, default=None)),
        Cell(
            text=numbers.plain(line.chart_value) if drawn else "no chart" if line.chart else "",
            tone="bad" if line.fresh else "" if drawn else "muted",
            sort=line.chart_value if drawn else None,
        ),
        Cell(text=numbers.plain(line.chart_limit) if drawn else "", tone="muted"),
        Cell(text=f"{numbers.count(round(min(line.false_alarm_runs, 1e6)))} runs" if drawn else "", tone="muted"),
    )
