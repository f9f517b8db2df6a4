"""The lines at the end of a session."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from harness.core.blocks import Interval
from harness.core.scorecard import CaseLine, Scorecard
from harness.core.verdict import Verdict
from harness.reporting import terminal_lines
from harness.reporting.to_terminal import MOST_CASES, interval_bar

COLOUR = re.compile(r"\x1b\[\d+m")


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("colour", [False, True])
def test_no_line_is_wider_than_the_terminal(
    scorecard: Scorecard, verdicts: tuple[Verdict, ...], width: int, colour: bool
) -> None:
    lines = terminal_lines(scorecard, verdicts, "fail", width, colour)
    assert [line for line in lines if len(COLOUR.sub("", line)) > width] == []


def test_the_verdict_is_first_and_its_reasons_follow(scorecard: Scorecard, verdicts: tuple[Verdict, ...]) -> None:
    lines = terminal_lines(scorecard, verdicts, "fail", 100)
    assert lines[0] == "✗ FAIL"
    assert lines[1] == "  3 gate rules: 1 failed, 1 inconclusive, 1 passed"
    assert "behaviour test_refunds: pass rate 92.2%" in lines[3]


def test_colour_is_off_unless_asked_for(scorecard: Scorecard, verdicts: tuple[Verdict, ...]) -> None:
    assert "\x1b" not in "\n".join(terminal_lines(scorecard, verdicts, "fail"))
    assert "\x1b[31m" in "\n".join(terminal_lines(scorecard, verdicts, "fail", colour=True))


def test_an_agent_cannot_drive_the_terminal(scorecard: Scorecard, verdicts: tuple[Verdict, ...]) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07\r\nfake line"
    cases = (CaseLine(suite=evil, case_id=evil, status="failed", reason=evil),)
    rules = (replace(verdicts[0], rule=evil, reason=evil),)
    lines = terminal_lines(replace(scorecard, cases=cases), rules, "fail", paths=[evil])
    assert not [line for line in lines[:-1] if re.search("[\x00-\x1f\x7f]", line)]
    assert "\x1b" not in lines[-1]


def test_at_most_ten_cases_are_named_and_the_rest_counted(verdicts: tuple[Verdict, ...]) -> None:
    cases = tuple(CaseLine(suite="s", case_id=f"c{n}", status="failed") for n in range(40))
    lines = terminal_lines(Scorecard(run_id="r", rows=(), cases=cases), verdicts, "fail")
    assert sum(line.startswith("  ✗ c") for line in lines) == MOST_CASES
    assert "  and 30 more cases that did not pass" in lines


def test_without_rules_it_says_that_nothing_was_decided(scorecard: Scorecard) -> None:
    assert terminal_lines(scorecard, (), "inconclusive")[1] == "  No gate rule was judged, so nothing was decided."


def test_a_terminal_without_signs_gets_plain_letters(scorecard: Scorecard, verdicts: tuple[Verdict, ...]) -> None:
    lines = terminal_lines(scorecard, verdicts, "fail", 120, ascii_only=True)
    "\n".join(lines).encode("ascii")


def test_an_interval_is_drawn_with_its_bounds_and_its_limit() -> None:
    picture = Interval(estimate=0.9, low=0.8, high=1.0, minimum=0.5, maximum=1.0, limit=0.7)
    assert interval_bar(picture, 11) == "····┊·├─●─┤"
    assert interval_bar(Interval(estimate=None), 5) == "     "
