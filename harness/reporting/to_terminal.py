"""The summary at the end of the session.

Verdict and reasons first, then suites with their intervals drawn in text, then the first cases that did not pass, then
where the reports lie.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from os import PathLike

from harness.core.blocks import Interval
from harness.core.scorecard import Row, Scorecard
from harness.core.verdict import Answer, Verdict
from harness.reporting import numbers
from harness.reporting.case_order import SIGNS, case_name, not_passed
from harness.reporting.headline import (
    ANSWER_SIGNS,
    ANSWER_WORDS,
    arithmetic,
    case_counts_text,
    cost_text,
    decisive_first,
    errors_text,
    rules_text,
    saved_text,
)
from harness.reporting.row_text import estimate_text, interval_text, row_picture, share_scale
from harness.reporting.sections.arms import difference_text
from harness.reporting.visible_text import one_line, visible

MOST_CASES = 10
MOST_ROWS = 30
BAR_WIDTH = 21
_COLOURS = {"pass": "32", "fail": "31", "inconclusive": "33", "dim": "2", "bold": "1"}
_STATUS_COLOURS = {"failed": "31", "errored": "33", "unreliable": "33", "not_run": "2", "decided": "2"}
_ASCII = str.maketrans({"✓": "+", "✗": "x", "●": "o", "├": "|", "┤": "|", "─": "-", "┊": ":", "·": " ", "…": "."})


def terminal_lines(
    scorecard: Scorecard,
    verdicts: Sequence[Verdict],
    answer: Answer,
    width: int = 80,
    colour: bool = False,
    *,
    paths: Sequence[str | PathLike[str]] = (),
    ascii_only: bool = False,
) -> list[str]:
    """The summary, one string a line, none wider than ``width`` (at least 40), colours not counted.

    :param paths: shown at the end, one a line and never cut, so that they can be clicked.
    :param ascii_only: for terminals that cannot show the signs.
    """
    width = max(40, width)
    paint = _Paint(colour)
    lines = [paint("bold", paint(answer, f"{ANSWER_SIGNS[answer]} {ANSWER_WORDS[answer]}"))]
    lines += [f"  {text}" for text in _wrapped(rules_text(verdicts), width - 2)]
    lines += ["", *_rules(verdicts, width, paint)]
    lines += _rows(scorecard, width, paint)
    lines += _arms(scorecard, width)
    lines += _facts(scorecard, width)
    lines += _cases(scorecard, width, paint)
    lines += [visible(f"{path}") for path in paths]
    return [line.translate(_ASCII) for line in lines] if ascii_only else lines


def interval_bar(picture: Interval, cells: int = BAR_WIDTH) -> str:
    """The interval as text: ``·······├──●─┤···``, the gate's limit as ``┊``; blanks when nothing was measured."""
    if picture.estimate is None:
        return " " * cells

    span = picture.maximum - picture.minimum

    def cell(value: float) -> int:
        share = (value - picture.minimum) / span if span > 0 else 0.0
        return min(cells - 1, max(0, round(share * (cells - 1))))

    drawn = ["·"] * cells
    if picture.low is not None and picture.high is not None:
        low, high = cell(picture.low), cell(picture.high)
        drawn[low : high + 1] = ["─"] * (high + 1 - low)
        drawn[low], drawn[high] = "├", "┤"
    if picture.limit is not None:
        drawn[cell(picture.limit)] = "┊"
    drawn[cell(picture.estimate)] = "●"
    return "".join(drawn)


class _Paint:
    def __init__(self, on: bool) -> None:
        self._on = on

    def __call__(self, name: str, text: str) -> str:
        code = _COLOURS.get(name) or _STATUS_COLOURS.get(name)
        return f"\x1b[{code}m{text}\x1b[0m" if self._on and code else text


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(one_line(text, 600), width) or [""]


def _rules(verdicts: Sequence[Verdict], width: int, paint: _Paint) -> list[str]:
    if not verdicts:
        return []
    lines = []
    for verdict in decisive_first(verdicts)[:MOST_ROWS]:
        word = ANSWER_WORDS[verdict.answer].lower()
        sign = paint(verdict.answer, f"{ANSWER_SIGNS[verdict.answer]} {word:<12}")
        about = f" {verdict.suite.rpartition('::')[2]}" if "::" in verdict.suite else ""
        advisory = " (advisory)" if verdict.advisory else ""
        said = f"{verdict.rule}{about}{advisory}: {arithmetic(verdict)}"
        # What holds needs one line; what does not is told in full.
        text = [one_line(said, width - 17)] if verdict.answer == "pass" else _wrapped(said, width - 17)
        lines.append(f"  {sign} {text[0]}")
        lines += [f"{'':17}{more}" for more in text[1:6]]
    if len(verdicts) > MOST_ROWS:
        lines.append(f"  and {len(verdicts) - MOST_ROWS} more rules on the scorecard")
    return [*lines, ""]


def _rows(scorecard: Scorecard, width: int, paint: _Paint) -> list[str]:
    rates = [row for row in scorecard.rows if row.metric == "pass_rate"]
    suites = [row for row in rates if row.suite]
    wholes = [row for row in rates if not row.suite and not row.area]
    shown = suites[:MOST_ROWS] + (wholes if len(suites) != 1 else [])
    if not shown:
        return []
    observed = {(line.suite, line.arm) for line in scorecard.suites if line.observe}
    names = _names(shown, observed)
    scale = share_scale([value for row in shown for value in (row.estimate, row.low, row.high)])
    level = numbers.share(shown[0].level, decimals=0)
    columns = [
        ["pass rate", *(estimate_text(row) for row in shown)],
        [f"{level} interval", *(interval_text(row) or "-" for row in shown)],
        ["measured", *(numbers.n_of(row.n, row.of) for row in shown)],
    ]
    sizes = [max(len(text) for text in column) for column in columns]
    bar = BAR_WIDTH if width >= 92 else BAR_WIDTH - 6 if width >= 76 else 0
    ends = f"{numbers.share(scale[0], decimals=0):<{bar - 4}}100%" if bar else ""
    drawn = [ends, *(interval_bar(row_picture(row, scale), bar) if bar else "" for row in shown)]
    room = max(8, width - 2 - (bar + 2 if bar else 0) - sum(sizes) - 6)
    wide = min(room, max(len(name) for name in ("suite", *names)))
    lines = []
    for number, name in enumerate(("suite", *names)):
        short = name if len(name) <= wide else "…" + name[-(wide - 1) :]
        cells = [column[number] for column in columns]
        picture = f"{drawn[number]}  " if bar else ""
        text = f"  {short:<{wide}}  {picture}{cells[0]:>{sizes[0]}}  {cells[1]:<{sizes[1]}}  {cells[2]:>{sizes[2]}}"
        lines.append(text.rstrip()[:width] if number else paint("dim", text.rstrip()[:width]))
    if len(suites) > MOST_ROWS:
        lines.append(f"  and {len(suites) - MOST_ROWS} more suites on the scorecard")
    if observed:
        lines.append(paint("dim", "  * only observed: shown, never gating"))
    return [*lines, ""]


def _names(rows: Sequence[Row], observed: Collection[tuple[str, str]]) -> list[str]:
    """The test function of each suite, with its file where two have the same name; observed ones with a star."""
    short = [one_line(row.suite.rpartition("::")[2] or row.suite, 200) if row.suite else "all suites" for row in rows]
    names = []
    for row, name in zip(rows, short, strict=True):
        twins = {other.suite for other, same in zip(rows, short, strict=True) if same == name}
        full = one_line(row.suite, 200) if len(twins) > 1 else name
        star = " *" if (row.suite, row.arm) in observed else ""
        names.append(full + (f"[{one_line(row.arm, 60)}]" if row.arm else "") + star)
    return names


def _facts(scorecard: Scorecard, width: int) -> list[str]:
    facts = [case_counts_text(scorecard), f"{numbers.n_of(scorecard.measured, scorecard.planned)} trials measured"]
    facts += [text for text in (saved_text(scorecard),) if text]
    facts.append(cost_text(scorecard))
    if scorecard.duration_s is not None:
        facts.append(numbers.seconds(scorecard.duration_s))
    facts += [text for text in (errors_text(scorecard),) if text]
    lines = [""]
    for fact in facts:
        joined = f"{lines[-1]}; {fact}" if lines[-1] else fact
        if len(joined) > width - 2 and lines[-1]:
            lines[-1] += ";"
            joined = fact
            lines.append("")
        lines[-1] = joined
    return [*(f"  {line}"[:width] for line in lines), ""]


def _arms(scorecard: Scorecard, width: int) -> list[str]:
    lines = []
    for arm in scorecard.arms:
        name = f"{arm.axis}={arm.arm}" + (f" ({arm.within})" if arm.within else "")
        p = "" if arm.p_holm is None else f", p {arm.p_holm:.3g} (Holm)"
        said = f"{arm.answer} than" if arm.answer != "not shown" else "no difference shown from"
        text = f"{name} {said} {arm.first}: {difference_text(arm)}, {arm.won} won, {arm.lost} lost of {arm.pairs}{p}"
        lines.append(f"  {one_line(text, width - 2)}")
    return [*lines, ""] if lines else []


def _cases(scorecard: Scorecard, width: int, paint: _Paint) -> list[str]:
    bad = not_passed(scorecard.cases)
    lines = []
    for line in bad[:MOST_CASES]:
        sign = paint(line.status, SIGNS[line.status])
        text = one_line(f"{case_name(line)}  {line.reason}" if line.reason else case_name(line), width - 4)
        lines.append(f"  {sign} {text}")
    if len(bad) > MOST_CASES:
        lines.append(f"  and {numbers.count(len(bad) - MOST_CASES)} more cases that did not pass")
    return [*lines, ""] if lines else []
