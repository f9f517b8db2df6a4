"""``scorecard.html``: one self-contained page, everything escaped, no request to anywhere.

- The top (verdict, figures, rules, areas, every section) is markup and complete without JavaScript.
- The cases are data: an index, and trajectories in compressed chunks that the page decodes when a case is unfolded.
- The content security policy allows exactly this style sheet and this script, by their hashes, and nothing else; the
  script inserts text as text only.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from harness.core.blocks import Curve, Figures, Interval, Matrix, Prose, SectionPage, Table
from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.core.verdict import Answer, Verdict
from harness.reporting import drawing, numbers
from harness.reporting.case_index import case_index, left_out, script_json
from harness.reporting.case_order import SIGNS, TONES, WORDS
from harness.reporting.headline import ANSWER_WORDS, case_counts, case_counts_text, notices, rules_text, why
from harness.reporting.visible_text import visible
from harness.reporting.walk import Walk

PAGE = Path(__file__).parent / "page"


def html_parts(
    run: Run,
    scorecard: Scorecard,
    verdicts: Sequence[Verdict],
    answer: Answer,
    pages: Sequence[SectionPage],
    walk: Walk,
) -> Iterator[str]:
    """The page piece by piece; the trajectories are never held together.

    A section with the id ``summary`` becomes the headline figures, one with ``environment`` comes after the cases.
    """
    style, script = ((PAGE / name).read_text("utf-8") for name in ("style.css", "app.js"))
    index = case_index(scorecard, walk, run.manifest)
    missing = left_out(walk)
    told = notices(run, scorecard)
    if missing:
        told.append(
            f"The trajectories of {numbers.count(missing)} trials are left out to keep this page small, "
            "passing ones first; the journal has them all."
        )
    yield (
        _environment()
        .get_template("page.html")
        .render(
            style=_markup(style),
            script=_markup(script),
            index=_markup(script_json(index)),
            policy=policy(style, script),
            answer=answer,
            word=ANSWER_WORDS[answer],
            why=why(verdicts, answer),
            beneath=case_counts_text(scorecard) if answer == "pass" else rules_text(verdicts),
            manifest=run.manifest,
            notices=told,
            composition=_composition(scorecard),
            composition_text=case_counts_text(scorecard),
            case_count=len(scorecard.cases),
            summary=next((page for page in pages if page.id == "summary"), None),
            before=[page for page in pages if page.id not in ("summary", "environment")],
            after=[page for page in pages if page.id == "environment"],
        )
    )
    for name, text in walk.store.chunks():
        yield f'<script type="application/json" id="chunk-{name}">"{text}"</script>\n'
    yield "</body>\n</html>\n"


def prepare() -> None:
    """Compile the templates, which takes longer than filling them for a small run."""
    _environment().get_template("page.html")
    _environment().get_template("blocks.html")


def policy(style: str, script: str) -> str:
    """The content security policy: this style sheet and this script, nothing else."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _markup(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - our own files, and JSON without < > &


@cache
def _environment() -> Any:
    # Kept: compiling the template costs more than rendering a small page.
    import jinja2
    from markupsafe import Markup, escape

    def safe(value: object) -> object:
        """Every text that is not our own markup is made visible; autoescape then escapes it."""
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    def place(text: str) -> Markup:
        """A node id on two lines, name first; any long path may break after a slash."""
        folder, _, name = visible(text).rpartition("::")
        broken = escape(folder).replace("/", Markup("/<wbr>"))
        if not folder or any(char.isspace() for char in folder):
            return escape(visible(text)).replace("/", Markup("/<wbr>"))
        return Markup('<span class="name">{}</span><span class="path">{}</span>').format(escape(name), broken)

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=safe,
    )
    environment.filters |= {
        "drawn": drawing.drawn,
        "plot": drawing.plot,
        "shape": _shape,
        "place": place,
        "heat": _heat,
        "tidy": _tidy,
    }
    environment.filters |= {"scales": _scales, "plain": numbers.plain}
    environment.globals |= {"chart": drawing}
    return environment


def _shape(block: object) -> str:
    for shape in (Figures, Table, Curve, Matrix, Prose):
        if isinstance(block, shape):
            return shape.__name__
    return type(block).__name__


def _tidy(table: Table) -> Table:
    """Without columns in which no row says anything."""
    kept = [
        column
        for column in range(len(table.columns))
        if any(column < len(row) and (row[column].text or row[column].interval) for row in table.rows)
    ]
    if len(kept) == len(table.columns) or not kept:
        return table
    return replace(
        table,
        columns=tuple(table.columns[column] for column in kept),
        rows=tuple(tuple(row[column] for column in kept if column < len(row)) for row in table.rows),
        numeric=tuple(place for place, column in enumerate(kept) if column in table.numeric),
    )


def _scales(table: Table) -> list[tuple[str, str] | None]:
    """Per column the printed ends of its scale, where all its pictures share one."""
    found: list[tuple[str, str] | None] = []
    for column in range(len(table.columns)):
        pictures = [row[column].interval for row in table.rows if column < len(row)]
        ends = {(item.minimum, item.maximum) for item in pictures if isinstance(item, Interval)}
        if len(ends) == 1:
            ((low, high),) = ends
            found.append(
                (numbers.points(low), numbers.points(high)) if low < 0 else (_end(low, high), _end(high, high))
            )
        else:
            found.append(None)
    return found


def _end(value: float, high: float) -> str:
    return numbers.share(value, decimals=0) if high == 1 else f"{value:.2g}"


def _heat(value: float | None, block: Matrix) -> str:
    """Class of a matrix cell: ``heat-0`` to ``heat-4`` of the largest value, none for not measured."""
    if value is None:
        return ""
    largest = max((abs(v) for row in block.values for v in row if v is not None), default=0.0)
    return f"heat-{min(4, round(4 * abs(value) / largest))}" if largest > 0 else "heat-0"


def _composition(scorecard: Scorecard) -> list[dict[str, Any]]:
    """The bar of all cases by status: share, start and words of each part."""
    counts = case_counts(scorecard)
    total, start, parts = sum(counts.values()), 0.0, []
    for status, count in counts.items():
        width = 100 * count / total
        parts.append(
            {
                "status": status,
                "word": WORDS[status],
                "sign": SIGNS[status],
                "tone": TONES[status],
                "count": numbers.count(count),
                "x": f"{start:.3f}%",
                "width": f"{width:.3f}%",
            }
        )
        start += width
    return parts
