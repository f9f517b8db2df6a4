"""The page in a real browser: opens without complaint or request, runs nothing of an agent's, can be used."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.core.trajectory import Trajectory
from harness.core.verdict import Verdict
from harness.reporting import write_reports
from tests.reporting.builders import (
    DESK,
    Streamed,
    make_run,
    make_scorecard,
    record,
    sample_comparison,
    sample_records,
    sample_verdicts,
    trajectory,
)

EVIL = "<script>window.owned=1</script><img src=x onerror='window.owned=1'>\x1b[31m\u202e hidden \x00 </script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not on the path")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    with api.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium, args=arguments)
        yield opened
        opened.close()


class Tab:
    """A page with everything it complained about and asked for."""

    def __init__(self, browser: Any, file: Path, fragment: str = "", **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri() + fragment)

    def ids(self) -> list[str]:
        found: list[str] = self.page.locator(".case .id").all_inner_texts()
        return found


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    tabs: list[Tab] = []

    def opened(file: Path, fragment: str = "", **options: Any) -> Tab:
        tabs.append(Tab(browser, file, fragment, **options))
        return tabs[-1]

    yield opened
    for one in tabs:
        one.context.close()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = make_run(sample_records())
    return write(tmp_path_factory.mktemp("sample"), run, make_scorecard(run), sample_verdicts(), sample_comparison())


def has_cases(page: Any, count: int) -> None:
    """Wait until the list shows so many cases (a function would be stopped by the page's policy)."""
    from playwright.sync_api import expect

    expect(page.locator(".case")).to_have_count(count)


def says(page: Any, text: str) -> None:
    """Wait until the line above the list says it."""
    from playwright.sync_api import expect

    expect(page.locator("#count")).to_have_text(text)


def write(
    folder: Path,
    run: Run,
    scorecard: Scorecard,
    verdicts: tuple[Verdict, ...] = (),
    comparison: Comparison | None = None,
) -> Path:
    reports = write_reports(
        folder, run=run, scorecard=scorecard, verdicts=verdicts, answer="fail", comparison=comparison
    )
    return reports.html


def test_it_opens_without_a_complaint_and_asks_for_nothing_but_itself(tab: Any, sample: Path) -> None:
    one = tab(sample)
    one.page.wait_for_selector(".case")
    assert one.complaints == []
    assert [url for url in one.requests if url != sample.as_uri() and not url.startswith("data:")] == []


def test_unfolding_a_case_shows_messages_tool_calls_and_times(tab: Any, sample: Path) -> None:
    one = tab(sample)
    one.page.locator(".case > summary").first.click()
    body = one.page.locator(".case .body").first
    body.locator(".bubble").first.wait_for()
    text = body.inner_text()
    for expected in ("Where is my refund for order tool-021?", "lookup_order", "delivered", "412 ms", "2 attempts"):
        assert expected in text
    assert "'$12.40' is missing from the answer" in text
    assert "pytest 'suites/support_desk/test_tools.py::test_right_tool[tool-021]'" in text
    assert one.complaints == []


def test_a_case_with_several_trials_opens_with_its_worst(tab: Any, sample: Path) -> None:
    one = tab(sample)
    one.page.fill("#query", "refund-009")
    has_cases(one.page, 1)
    one.page.locator(".case > summary").click()
    pressed = one.page.locator(".tabs button[aria-pressed=true]")
    assert "trial 1 failed" in pressed.inner_text()
    one.page.locator(".tabs button").first.click()
    one.page.locator(".case .box.bad").wait_for(state="detached")


def test_search_status_suite_and_tag_narrow_the_list(tab: Any, sample: Path) -> None:
    one = tab(sample)
    page = one.page
    page.click("#statuses button[data-status=failed]")
    assert one.ids() == ["tool-021", "refund-004", "refund-017"]
    page.select_option("#suite", label=DESK)
    assert one.ids() == ["refund-004", "refund-017"]
    page.fill("#query", "017")
    has_cases(page, 1)
    assert "status=failed" in page.url
    page.click("button[type=reset]")
    has_cases(page, 50)
    page.select_option("#tag", label="smoke")
    assert page.locator("#count").inner_text() == "9 of 90 cases"


def test_the_search_reaches_into_the_transcripts_when_asked(tab: Any, tmp_path: Path) -> None:
    records = [
        record(f"c{n}", trajectory=trajectory(reply="the needle, \u00fc" if n == 37 else "hay")) for n in range(60)
    ]
    run = make_run(records)
    one = tab(write(tmp_path, run, make_scorecard(run)))
    one.page.fill("#query", "needle, \u00dc")
    says(one.page, "0 of 60 cases")
    one.page.check("#deep")
    says(one.page, "1 of 60 cases")
    assert one.ids() == ["c37"]


def test_a_link_to_a_case_unfolds_it_even_far_down_the_list(tab: Any, sample: Path) -> None:
    one = tab(sample)
    one.page.click("#changes a:text('refund-002')")
    one.page.locator(".case[open] .bubble").first.wait_for()
    assert one.page.locator(".case[open] .id").inner_text() == "refund-002"
    anchor = one.page.url.split("#")[1]
    again = tab(sample, f"#{anchor}")
    again.page.locator(f"#{anchor}[open] .bubble").first.wait_for()


def test_nothing_an_agent_wrote_runs_and_what_it_hid_is_seen(tab: Any, tmp_path: Path) -> None:
    evil = record(EVIL, outcome="failed", failure=EVIL, tags=(EVIL,), trajectory=trajectory(EVIL, reply=EVIL))
    run = make_run([evil], agent=EVIL)
    one = tab(write(tmp_path, run, make_scorecard(run), (Verdict(rule=EVIL, answer="fail", reason=EVIL),)))
    one.page.locator(".case > summary").first.click()
    one.page.locator(".bubble").last.wait_for()
    assert one.page.evaluate("window.owned") is None
    assert one.complaints == []
    assert one.page.locator("img").count() == 0
    last = one.page.locator(".message.assistant .bubble").last
    assert last.inner_text().startswith("<script>window.owned=1</script>")
    assert last.locator(".odd").all_inner_texts() == ["\\x1b", "\\u202e", "\\x00"]


def test_tables_sort_and_leave_the_unmeasured_last_both_ways(tab: Any, sample: Path) -> None:
    page = tab(sample).page
    head = page.locator("#failures th button", has_text="Trials passed")
    read = "[...document.querySelectorAll('#failures tbody tr')].map(row => row.cells[3].dataset.sort)"
    head.click()
    up = page.evaluate(read)
    head.click()
    down = page.evaluate(read)
    assert [float(value) for value in up] == sorted(float(value) for value in up)
    assert [float(value) for value in down] == sorted((float(value) for value in down), reverse=True)
    assert page.locator("#failures th[aria-sort=descending]").count() == 1


def test_the_theme_follows_the_system_until_it_is_chosen(tab: Any, sample: Path) -> None:
    page = tab(sample, color_scheme="dark").page
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(13, 16, 21)"
    page.click("#theme")
    assert page.locator("#theme").inner_text() == "Theme: light"
    assert page.evaluate(ground) == "rgb(244, 245, 247)"


def test_a_phone_needs_no_sideways_scrolling(tab: Any, sample: Path) -> None:
    page = tab(sample, viewport={"width": 390, "height": 844}).page
    page.locator(".case > summary").first.click()
    page.locator(".bubble").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_print_shows_the_verdict_and_leaves_the_controls_out(tab: Any, sample: Path) -> None:
    page = tab(sample).page
    page.emulate_media(media="print")
    assert page.locator("h1").is_visible()
    assert page.locator("#areas table").is_visible()
    assert not page.locator(".filters").is_visible()
    assert not page.locator(".bar").is_visible()


def test_without_javascript_the_top_is_complete(tab: Any, sample: Path) -> None:
    page = tab(sample, java_script_enabled=False).page
    assert page.locator("h1").inner_text() == "FAIL"
    assert page.locator("#rules tbody tr").count() == 4
    assert page.locator("#areas tbody tr").count() == 4
    assert page.locator("noscript").is_visible()
    assert not page.locator("#browser").is_visible()


def test_the_keyboard_reaches_search_cases_and_unfolds_them(tab: Any, sample: Path) -> None:
    page = tab(sample).page
    page.wait_for_selector(".case")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "query"
    page.locator(".case > summary").first.focus()
    page.keyboard.press("Enter")
    page.locator(".case[open] .bubble").first.wait_for()


def test_of_thousands_of_cases_only_the_first_are_drawn_and_all_are_searched(tab: Any, tmp_path: Path) -> None:
    short = Trajectory.from_answer("yes", user="well?")
    run = make_run(Streamed(3_000, lambda n: record(f"c{n:05d}", trajectory=short, scores=())))
    page = tab(write(tmp_path, run, make_scorecard(run))).page
    assert page.locator("#count").inner_text() == "3,000 cases"
    assert page.locator(".case").count() == 50
    page.click("#more")
    assert page.locator(".case").count() == 100
    page.fill("#query", "c02999")
    has_cases(page, 1)
    page.locator(".case > summary").click()
    page.locator(".bubble", has_text="yes").wait_for()
