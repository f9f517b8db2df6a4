"""The comparison of two runs as blocks: what is shown, in which order; how it looks is the renderers' business."""

from __future__ import annotations

from collections.abc import Sequence

from harness.commands.change_sides import Sides, step_text
from harness.commands.changes import Change, Changes
from harness.commands.ratios import Ratio
from harness.core.blocks import Block, Cell, Figure, Figures, Interval, Prose, SectionPage, Table, Tone
from harness.core.comparison import Baseline
from harness.core.record import Run
from harness.reporting import numbers
from harness.reporting.flips import Flip, flips

MOST_CASES = 200
MOST_NAMES = 50
MOST_PARTINGS = 10


def change_page(
    changes: Changes,
    old: Run | Baseline,
    new: Run,
    *,
    age: str = "",
    sides: Sequence[Sides] = (),
    cell: int = 0,
    adjusted: Table | None = None,
) -> SectionPage:
    """The page: the two runs, the lines over everything, areas and suites, the flipped cases, what has no pair.

    :param age: how much older the old run is, as a sentence's end.
    :param sides: flipped cases with their trajectories; where the two part is shown in ``cell`` characters a step.
    :param cell: 0: not at all, for pages that show the trajectories themselves.
    :param adjusted: the differences with an earlier run taken out, where one was named.
    """
    comparison = changes.comparison
    worse, better = flips(comparison)
    total = sum(len(item.pairs) for item in changes.suites)
    same = total - len(worse) - len(better)
    blocks: list[Block] = [_who(old, new)]
    if not cell:
        blocks.insert(0, _figures(changes, len(worse), len(better), same))
    words = f"{numbers.count(len(worse))} cases worse, {numbers.count(len(better))} better, "
    blocks.append(Prose(text=f"{words}{numbers.count(same)} the same; {_headline(changes.all)}"))
    blocks.append(_verdict(changes))
    if age:
        blocks.append(Prose(text=f"The old run is {age}.", tone="muted"))
    blocks += [Prose(text=note, tone="warn") for note in comparison.notes]
    for run in (old, new):
        if isinstance(run, Run):
            blocks += [Prose(text=f"{run.manifest.run_id}: {note}", tone="warn") for note in _doubts(run)]
    lines = [changes.all, *changes.areas, *changes.suites]
    blocks += [_table(lines, changes.margin), _ratios(lines)]
    if adjusted is not None:
        blocks.append(adjusted)
    if sides and cell:
        blocks.append(_partings(sides, cell))
    if not cell:
        # The page unfolds these cases beneath; naming them twice would only make it longer.
        shown = {(item.suite, item.case_id) for item in sides}
        worse, better = ([f for f in found if (f.suite, f.pair.case_id) not in shown] for found in (worse, better))
    if worse:
        blocks.append(_flipped("Worse", worse, "bad"))
    if better:
        blocks.append(_flipped("Better", better, "good"))
    kinds = (
        ("changed", "Left out, because the case itself changed"),
        ("only_base", "Only in the old run"),
        ("only_new", "Only in the new run"),
    )
    for name, title in kinds:
        found = [case_id for suite in comparison.suites for case_id in getattr(suite, name)]
        if found:
            more = f" and {numbers.count(len(found) - MOST_NAMES)} more" if len(found) > MOST_NAMES else ""
            text = f"{title} ({numbers.count(len(found))}): {', '.join(found[:MOST_NAMES])}{more}."
            blocks.append(Prose(text=text, tone="muted"))
    return SectionPage(id="changes", title=f"{comparison.new} against {comparison.base}", blocks=tuple(blocks))


def _headline(change: Change) -> str:
    if change.difference is None:
        return "no case could be paired."
    bounds = numbers.points_interval(change.low, change.high)
    return f"{numbers.points(change.difference)} {bounds} over {numbers.count(len(change.pairs))} gating cases."


def _figures(changes: Changes, worse: int, better: int, same: int) -> Figures:
    tones: dict[str, Tone] = {"pass": "good", "fail": "bad", "inconclusive": "warn"}
    words = {"pass": "not worse", "fail": "worse", "inconclusive": "inconclusive"}
    made, line = changes.all.decision.answer, changes.all
    bounds = "" if line.difference is None else numbers.points_interval(line.low, line.high)
    margin = numbers.points(changes.margin).removeprefix("+")
    return Figures(
        items=(
            Figure(label="Verdict", value=words[made], note=f"at a margin of {margin}", tone=tones[made]),
            Figure(label="Pass rate", value=numbers.points(line.difference), note=bounds),
            Figure(label="Cases", value=f"{worse} worse", note=f"{better} better, {numbers.count(same)} the same"),
            _ratio_figure("Cost, new over old", line.cost),
            _ratio_figure("Latency, new over old", line.latency),
        )
    )


def _ratio_figure(label: str, ratio: Ratio) -> Figure:
    if ratio.value is None:
        return Figure(label=label, value="not measured", note=ratio.note)
    value, _, note = ratio_text(ratio).partition(" ")
    return Figure(label=label, value=value.rstrip(","), note=note or ratio.note)


def _verdict(changes: Changes) -> Prose:
    tones: dict[str, Tone] = {"pass": "good", "fail": "bad", "inconclusive": "warn"}
    margin = numbers.points(changes.margin).removeprefix("+")
    made = changes.all.decision
    words = {
        "pass": f"Not worse: a drop of {margin} or more is ruled out.",
        "fail": "Worse: a drop is shown.",
        "inconclusive": f"Inconclusive: neither a drop of {margin} is ruled out nor any drop shown"
        + (f"; about {numbers.count(made.more)} more cases like these would tell." if made.more else "."),
    }
    return Prose(text=words[made.answer], tone=tones[made.answer])


def _answer(line: Change) -> Cell:
    tones: dict[str, Tone] = {"pass": "good", "fail": "bad", "inconclusive": "warn"}
    made = line.decision
    words = {"pass": "not worse", "fail": "worse", "inconclusive": "inconclusive"}
    return Cell(text=words[made.answer], tone=tones[made.answer])


def _partings(sides: Sequence[Sides], cell: int) -> Table:
    rows = []
    for item in sides[:MOST_PARTINGS]:
        old, new = item.rows()[0] if item.rows() else (None, None)
        texts = (item.case_id, "worse" if item.worse else "better", numbers.count(item.same))
        ends = tuple(
            "-" if side is None else "same to the end" if not item.rows() else step_text(step, cell)
            for side, step in ((item.old, old), (item.new, new))
        )
        rows.append(tuple(Cell(text=text) for text in (*texts, *ends)))
    return Table(
        columns=("Case", "", "Steps alike", "Then old", "Then new"),
        rows=tuple(rows),
        caption="Where the trajectories part",
        numeric=(2,),
    )


def _who(old: Run | Baseline, new: Run) -> Table:
    rows = []
    for word, run in (("old", old), ("new", new)):
        of = run.manifest if isinstance(run, Run) else run
        texts = (word, of.run_id, of.created_at, of.agent, of.mode, of.commit[:12])
        rows.append(tuple(Cell(text=text) for text in texts))
    return Table(columns=("", "Run", "Started", "Agent", "Mode", "Commit"), rows=tuple(rows))


def _doubts(run: Run) -> list[str]:
    manifest = run.manifest
    found = []
    if manifest.exit_reason or not manifest.finished_at:
        found.append(f"did not finish ({manifest.exit_reason or 'cut off'})")
    if manifest.partial:
        found.append("a selection left cases out")
    return [*found, *run.notices]


def _table(lines: Sequence[Change], margin: float) -> Table:
    bounds = [abs(v) for line in lines for v in (line.difference, line.low, line.high) if v is not None]
    reach = next((end for end in (0.05, 0.1, 0.25, 0.5) if end >= max(bounds, default=0.0)), 1.0)
    shown = numbers.points(margin).removeprefix("+")
    return Table(
        columns=("What", "Verdict", "Pass rate", "95% interval", "", "Cases", "Worse", "Better"),
        rows=tuple(_line(line, max(reach, 0.1 if margin < 0.1 else 1.0), margin) for line in lines),
        caption=f"Differences of the pass share over the paired cases; dashed line: the margin of {shown}",
        numeric=(2, 5, 6, 7),
    )


def _ratios(lines: Sequence[Change]) -> Table:
    return Table(
        columns=("What", "Cost", "Latency"),
        rows=tuple(
            (
                Cell(text=_name(line)),
                Cell(text=ratio_text(line.cost), sort=line.cost.value),
                Cell(text=ratio_text(line.latency), sort=line.latency.value),
            )
            for line in lines
        ),
        caption="Cost per trial (totals) and latency (typical case) as new over old, with 95% intervals",
        numeric=(1, 2),
    )


def _name(line: Change) -> str:
    return f"area {line.name}" if line.kind == "area" else line.name


def _line(line: Change, reach: float, margin: float) -> tuple[Cell, ...]:
    difference = numbers.points(line.difference)
    bounds = numbers.points_interval(line.low, line.high) if line.difference is not None else ""
    of = len(line.pairs) + line.unpaired
    tone: Tone = ""
    if line.high is not None and line.high < 0:
        tone = "bad"
    elif line.low is not None and line.low > 0:
        tone = "good"
    picture = Interval(
        estimate=line.difference, low=line.low, high=line.high, minimum=-reach, maximum=reach, limit=-margin,
        text=f"{difference} {bounds}".rstrip(),
    )  # fmt: skip
    return (
        Cell(text=_name(line)),
        _answer(line),
        Cell(text=difference, tone=tone, sort=line.difference),
        Cell(text=bounds, tone="muted"),
        Cell(text="", interval=picture),
        Cell(text=numbers.n_of(len(line.pairs), of), sort=len(line.pairs)),
        Cell(text=numbers.count(line.worse), tone="bad" if line.worse else "", sort=line.worse),
        Cell(text=numbers.count(line.better), tone="good" if line.better else "", sort=line.better),
    )


def ratio_text(ratio: Ratio) -> str:
    """``x1.04 [0.98, 1.10]``, and how many of the paired cases it is about where that is not all."""
    if ratio.value is None:
        return f"not measured ({ratio.note})" if ratio.n else "not measured"
    text = f"x{numbers.plain(ratio.value)}"
    if ratio.low is not None and ratio.high is not None:
        text += f" [{numbers.plain(ratio.low)}, {numbers.plain(ratio.high)}]"
    return text if ratio.n == ratio.of else f"{text}, {numbers.n_of(ratio.n, ratio.of)}"


def _flipped(title: str, found: Sequence[Flip], tone: Tone) -> Table:
    if len(found) > MOST_CASES:
        title = f"{title}: the first {MOST_CASES} of {numbers.count(len(found))}"
    rows = tuple(
        (
            Cell(text=flip.pair.case_id),
            Cell(text=flip.text),
            Cell(text=numbers.points(flip.pair.difference), tone=tone, sort=flip.pair.difference),
            Cell(text=flip.suite),
        )
        for flip in found[:MOST_CASES]
    )
    return Table(columns=("Case", "Trials passed", "Difference", "Suite"), rows=rows, caption=title, numeric=(2,))
