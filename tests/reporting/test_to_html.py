"""scorecard.html as text: what is in it, what is not, and that nothing in it can be anything but text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.blocks import Cell, Curve, Figure, Figures, Matrix, Prose, SectionPage, Series, Table
from harness.core.comparison import Comparison
from harness.core.errors import Failure
from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.core.verdict import Verdict
from harness.reporting import write_reports
from harness.reporting.to_html import PAGE, html_parts
from harness.reporting.walk import Walk
from tests.reporting.builders import make_run, make_scorecard, record, trajectory

VOID = {"meta", "link", "input", "wbr", "br", "img"}


class Page(HTMLParser):
    """Elements with their attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[str, str]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.raw.append((tag, ""))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("script", "style"):
            self.raw[-1] = (self._open[-1], self.raw[-1][1] + data)
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


def page_text(run: Run, scorecard: Scorecard, *pages: SectionPage, verdicts: tuple[Verdict, ...] = ()) -> str:
    with Walk(run, scorecard) as walk:
        return "".join(html_parts(run, scorecard, verdicts, "fail", pages, walk))


@pytest.fixture
def written(
    tmp_path: Path, run: Run, scorecard: Scorecard, verdicts: tuple[Verdict, ...], comparison: Comparison
) -> str:
    reports = write_reports(
        tmp_path, run=run, scorecard=scorecard, verdicts=verdicts, answer="fail", comparison=comparison
    )
    return reports.html.read_text("utf-8")


def test_without_a_script_the_verdict_its_reasons_the_rules_and_the_areas_are_complete(written: str) -> None:
    words = " ".join(Page(written).text.split())
    for expected in (
        "FAIL",
        "behaviour: pass rate 92.2% (83 of 90), upper bound 89.1% is below 95.0%",
        "144 of 150 trials measured; 148 asked for. Needs 4 more measured trials.",
        "test_right_tool",
        "28 of 30",
        "refund-004",
        "worker gw1: a torn last line was dropped",
        "JavaScript is off here",
    ):
        assert expected in words


def test_the_policy_names_exactly_the_style_and_the_script_of_the_page(written: str) -> None:
    page = Page(written)
    policy = next(a["content"] for tag, a in page.elements if tag == "meta" and a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    hashes = set(re.findall(r"'sha256-([^']+)'", policy))
    code = [text for tag, text in page.raw if tag == "style"] + [
        text
        for (tag, text), attributes in zip(
            page.raw, [a for t, a in page.elements if t in ("script", "style")], strict=True
        )
        if tag == "script" and "type" not in attributes
    ]
    assert hashes == {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in code}


def test_no_element_points_outside_the_file_and_no_style_or_handler_stands_in_the_markup(written: str) -> None:
    for tag, attributes in Page(written).elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), tag
            assert name != "style", tag
            if name in ("href", "src", "action", "srcset", "xlink:href"):
                assert (value or "").startswith(("#", "data:,")), (tag, value)


def test_our_script_never_inserts_markup() -> None:
    script = (PAGE / "app.js").read_text("utf-8")
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "fetch(", "http"):
        if forbidden == "http":
            assert re.findall(r"https?://[^\"]+", script) == ["http://www.w3.org/2000/svg"]
        else:
            assert forbidden not in script


EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'><style>*{display:none}</style>{{7*7}}"


def evil_run() -> tuple[Run, Scorecard, tuple[Verdict, ...]]:
    run = make_run(
        [
            record(
                EVIL,
                suite=f"suites/{EVIL}::t",
                outcome="failed",
                area=EVIL,
                failure=EVIL,
                tags=(EVIL,),
                arm=EVIL,
                nodeid=EVIL,
                trajectory=trajectory(EVIL, reply=EVIL),
            ),
            record("e", outcome="errored", error=Failure(kind="agent", message=EVIL, reason=EVIL, detail=EVIL)),
        ],
        agent=EVIL,
        commit=EVIL,
        notices=(EVIL,),
        versions={EVIL: EVIL},
    )
    return run, make_scorecard(run), (Verdict(rule=EVIL, answer="fail", reason=EVIL, suite=EVIL, needs=EVIL),)


def test_markup_of_an_agent_arrives_as_text_everywhere(tmp_path: Path) -> None:
    run, scorecard, verdicts = evil_run()
    reports = write_reports(tmp_path, run=run, scorecard=scorecard, verdicts=verdicts, answer="fail")
    page = Page(reports.html.read_text("utf-8"))
    scripts = [attributes for tag, attributes in page.elements if tag == "script"]
    assert [a.get("id") for a in scripts if a.get("type")] == ["index", "chunk-f0"]
    assert len(scripts) == 3
    assert not [tag for tag, _ in page.elements if tag == "img"]
    assert EVIL in page.text
    assert "49" not in page.text.split(EVIL)[0][-5:]


@given(st.text(st.characters(codec=None), max_size=40))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_text_leaves_the_page_with_the_same_elements(text: str) -> None:
    def shape(value: str) -> list[str]:
        block = Table(columns=(value,), rows=((Cell(text=value),),), caption=value)
        figures = Figures(items=(Figure(label=value, value=value, note=value),))
        curve = Curve(series=(Series(name=value, points=((1, 1), (2, 2))),), x_label=value, y_label="y", caption=value)
        section = SectionPage(id="mine", title=value, blocks=(block, figures, curve, Prose(text=value)))
        run = make_run([record(value)], agent="a" + value)
        out = page_text(run, make_scorecard(run), section, verdicts=(Verdict(rule=value, answer="fail", reason=value),))
        out.encode("utf-8")
        return [
            tag for tag, _ in Page(out).elements if tag not in ("wbr", "span", "figcaption", "caption", "dd", "div")
        ]

    assert shape(text) == shape("plain text")


def test_every_block_shape_has_its_markup() -> None:
    matrix = Matrix(rows=("block",), columns=("yes", "no"), values=((3.0, None),), caption="Confusion")
    section = SectionPage(id="mine", title="Mine", blocks=(matrix, Prose(text="said", tone="warn")))
    run = make_run([record()])
    words = " ".join(Page(page_text(run, make_scorecard(run), section)).text.split())
    assert "Confusion yes no block 3 said" in words


def test_columns_that_say_nothing_are_left_out() -> None:
    table = Table(columns=("A", "Empty", "N"), rows=((Cell(text="a"), Cell(text=""), Cell(text="1")),), numeric=(2,))
    run = make_run([record()])
    page = Page(page_text(run, make_scorecard(run), SectionPage(id="mine", title="Mine", blocks=(table,))))
    heads = [attributes for tag, attributes in page.elements if tag == "th"]
    assert [head.get("class") for head in heads] == [None, "number"]


def test_the_index_has_every_case_worst_first(run: Run, scorecard: Scorecard) -> None:
    page = Page(page_text(run, scorecard))
    index = json.loads(next(text for tag, text in page.raw if tag == "script" and text.startswith("{")))
    fields = {name: place for place, name in enumerate(index["caseFields"])}
    statuses = [index["statuses"][row[fields["status"]]][0] for row in index["cases"]]
    assert statuses == ["failed"] * 3 + ["errored"] * 2 + ["unreliable"] + ["not_run"] * 2 + ["passed"] * 82
    assert index["cases"][0][fields["id"]] == "tool-021"


def test_a_page_that_would_be_too_large_says_what_it_left_out(run: Run, scorecard: Scorecard) -> None:
    with Walk(run, scorecard, page_bytes=2_000) as walk:
        page = Page("".join(html_parts(run, scorecard, (), "fail", (), walk)))
    assert "trials are left out to keep this page small" in page.text


def test_a_run_that_was_cut_off_says_so_before_its_numbers(scorecard: Scorecard) -> None:
    run = make_run([record()], exit_reason="budget", finished_at="", partial=True, dirty=True)
    text = Page(page_text(run, replace(scorecard, cases=()))).text
    assert "The run ended early: budget." in text
    assert "A selection left cases out; this run cannot become a baseline." in text


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_colour_has_the_contrast_of_wcag_aa(theme: str) -> None:
    style = (PAGE / "style.css").read_text("utf-8")
    blocks = {"light": style.split("}")[0], "dark": style.split(':root[data-theme="dark"]')[1].split("}")[0]}
    colours: dict[str, Any] = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[theme]))
    pairs = [(ink, ground) for ink in ("ink", "soft", "accent") for ground in ("surface", "ground", "raised")]
    pairs += [(tone, ground) for tone in ("good", "bad", "warn") for ground in ("surface", "raised", f"{tone}-wash")]
    pairs += [("accent", "accent-wash"), ("ink", "accent-wash"), ("soft", "bad-wash"), ("soft", "warn-wash")]
    pairs += [("soft", "good-wash")]
    for ink, ground in pairs:
        light, dark = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)


def test_both_ways_to_the_dark_theme_have_the_same_colours() -> None:
    style = (PAGE / "style.css").read_text("utf-8")
    found = re.findall(r':root(?:\[data-theme="dark"\]|:not\(\[data-theme="light"\]\)) \{([^}]*)\}', style)
    assert len({re.sub(r"\s+", " ", block) for block in found[:2]}) == 1
