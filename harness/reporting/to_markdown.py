"""``summary.md``: short enough for a pull request; verdict, rules, areas, the first failing cases.

Text of the run is escaped so that it can neither format, link, mention a person, nor embed markup. The whole stays
below 60,000 characters, under the limits of a pull-request comment and of a job summary.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import Row, Scorecard
from harness.core.verdict import Answer, Verdict
from harness.reporting import numbers
from harness.reporting.case_order import WORDS, case_name, not_passed
from harness.reporting.flips import flips
from harness.reporting.headline import (
    ANSWER_WORDS,
    arithmetic,
    case_counts_text,
    cost_text,
    decisive_first,
    errors_text,
    notices,
    why,
)
from harness.reporting.row_text import estimate_text, interval_text
from harness.reporting.visible_text import one_line

MOST_CASES = 20
MOST_ROWS = 40
TEXT_LIMIT = 60_000
_ICONS: dict[Answer, str] = {"pass": "✅", "fail": "❌", "inconclusive": "⚠️"}
# Formatting signs anywhere, underscores at the edge of a word, signs that begin a list or heading, what becomes a link.
_SPECIAL = re.compile(r"[\\`*{}\[\]|~]|(?<!\w)_|_(?!\w)|^[#+=-]|(?<=^\d)[.)](?=\s)|(?<=www)\.|(?<=:)//")


def markdown(
    run: Run, scorecard: Scorecard, verdicts: Sequence[Verdict], answer: Answer, comparison: Comparison | None = None
) -> str:
    """The summary."""
    parts = [f"## {_ICONS[answer]} {ANSWER_WORDS[answer]}", "", escaped(why(verdicts, answer), 600), ""]
    parts += [f"> {escaped(notice, 300)}" for notice in notices(run, scorecard)[:5]]
    facts = [case_counts_text(scorecard), f"{numbers.n_of(scorecard.measured, scorecard.planned)} trials measured"]
    facts += [cost_text(scorecard)]
    if scorecard.duration_s is not None:
        facts.append(numbers.seconds(scorecard.duration_s))
    facts += [text for text in (errors_text(scorecard),) if text]
    parts += ["", " · ".join(escaped(fact) for fact in facts), ""]
    parts += _rules(verdicts) + _areas(scorecard) + _changes(comparison) + _cases(scorecard)
    manifest = run.manifest
    identity = [f"run {manifest.run_id}", manifest.agent, f"commit {manifest.commit[:12]}" if manifest.commit else ""]
    parts += ["", "<sub>" + escaped(", ".join(item for item in (*identity, manifest.mode) if item)) + "</sub>", ""]
    text = "\n".join(parts)
    if len(text) > TEXT_LIMIT:
        text = text[: text.rfind("\n", 0, TEXT_LIMIT)] + "\n\nCut here; the scorecard has the rest.\n"
    return text


def append_step_summary(text: str, environ: Mapping[str, str]) -> Path | None:
    """Append to the file that ``GITHUB_STEP_SUMMARY`` names; None where there is none.

    A summary that cannot be written (read-only file, full disk) is no reason to lose the run: None then too.
    """
    name = environ.get("GITHUB_STEP_SUMMARY", "")
    if not name:
        return None
    try:
        with open(name, "a", encoding="utf-8", errors="replace") as file:
            file.write(text if text.endswith("\n") else text + "\n")
    except OSError:
        return None
    return Path(name)


def escaped(text: str, limit: int = 300) -> str:
    """Text of the run as Markdown that shows exactly it, on one line."""
    plain = one_line(text, limit)
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # The empty comment keeps @name from calling a person, the entity keeps $...$ from becoming a formula.
    return _SPECIAL.sub(r"\\\g<0>", plain).replace("@", "&#64;<!-- -->").replace("$", "&#36;")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def _rules(verdicts: Sequence[Verdict]) -> list[str]:
    if not verdicts:
        return []
    rows = []
    for verdict in decisive_first(verdicts)[:MOST_ROWS]:
        word = ANSWER_WORDS[verdict.answer].lower() + (" (advisory)" if verdict.advisory else "")
        rows.append((f"{_ICONS[verdict.answer]} {word}", escaped(verdict.rule), escaped(arithmetic(verdict), 400)))
    return ["### Rules", "", *_table(("Answer", "Rule", "Arithmetic"), rows)]


def _areas(scorecard: Scorecard) -> list[str]:
    rates = [row for row in scorecard.rows if row.metric == "pass_rate"]
    shown = [row for row in rates if row.suite] or rates
    if not shown:
        return []
    rows = [_area_row(row) for row in shown[:MOST_ROWS]]
    left_out = len(shown) - len(rows)
    more = [f"and {left_out} more suites on the scorecard", ""] if left_out > 0 else []
    return ["### Suites", "", *_table(("Area", "Suite", "Pass rate", "95% interval", "n of N"), rows), *more]


def _area_row(row: Row) -> tuple[str, ...]:
    suite = f"{row.suite} [{row.arm}]" if row.arm else row.suite
    return (
        escaped(row.area),
        escaped(suite or "all"),
        escaped(estimate_text(row)),
        escaped(interval_text(row)) or "-",
        numbers.n_of(row.n, row.of),
    )


def _changes(comparison: Comparison | None) -> list[str]:
    if comparison is None:
        return []
    broken, fixed = flips(comparison)
    parts = [f"### Against the baseline ({escaped(comparison.base)})", ""]
    parts += [f"{numbers.count(len(broken))} cases worse, {numbers.count(len(fixed))} better.", ""]
    for word, found in (("worse", broken), ("better", fixed)):
        for flip in found[:MOST_CASES]:
            parts.append(f"- {word}: {escaped(flip.pair.case_id)} ({flip.text}), {escaped(flip.suite)}")
        if len(found) > MOST_CASES:
            parts.append(f"- and {len(found) - MOST_CASES} more {word}")
    return [*parts, ""]


def _cases(scorecard: Scorecard) -> list[str]:
    bad = not_passed(scorecard.cases)
    if not bad:
        return []
    rows = [
        (WORDS[line.status], escaped(case_name(line)), escaped(line.suite), escaped(line.reason, 200))
        for line in bad[:MOST_CASES]
    ]
    more = [f"and {len(bad) - MOST_CASES} more on the scorecard", ""] if len(bad) > MOST_CASES else []
    return ["### Cases that did not pass", "", *_table(("Status", "Case", "Suite", "Reason"), rows), *more]
