"""``scorecard.html``: one self-contained page, everything escaped, no request to anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.core.verdict import Answer, Verdict
from harness.reporting.headline import ANSWER_WORDS, case_counts_text, decisive_first, why
from harness.reporting.row_text import full_text, row_name
from harness.reporting.visible_text import visible
from harness.reporting.walk import Walk


def html_parts(
    run: Run,
    scorecard: Scorecard,
    verdicts: Sequence[Verdict],
    answer: Answer,
    comparison: Comparison | None,
    walk: Walk,
) -> Iterator[str]:
    """The page piece by piece."""

    def safe(text: str) -> str:
        return escape(visible(text))

    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'">'
    yield f"<title>{ANSWER_WORDS[answer]}</title></head><body><h1>{ANSWER_WORDS[answer]}</h1>"
    yield f"<p>{safe(why(verdicts, answer))}</p><p>{safe(case_counts_text(scorecard))}</p><table>"
    for verdict in decisive_first(verdicts):
        yield f"<tr><td>{safe(verdict.answer)}<td>{safe(verdict.rule)}<td>{safe(verdict.reason)}"
    yield "</table><table>"
    for row in scorecard.rows:
        yield f"<tr><td>{safe(row.area)}<td>{safe(row.suite)}<td>{safe(row_name(row))}<td>{safe(full_text(row))}"
    yield "</table></body></html>\n"
