from __future__ import annotations

import html
import json
import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.commands.ratios import ratio_of_cases, ratio_of_totals

OLD = {"same": "ppp", "worse": "ppp", "better": "fpf", "gone": "ppp", "edited": "ppp"}
NEW = {"same": "ppp", "worse": "pff", "better": "ppp", "fresh": "ppp", "edited": "fff"}
POSITIVE = st.floats(1e-6, 1e6)


def stored(desk: Any) -> None:
    desk.store(OLD, cost="0.01", latency=2.0)
    desk.store(NEW, cost="0.02", latency=1.0, hashes={"edited": "another"})


def test_cases_are_paired_and_those_that_flipped_are_named(desk: Any) -> None:
    stored(desk)
    code, out, _ = desk("compare", "latest~1", "latest", "--format", "json")
    data = json.loads(out)
    suite = data["suites"][0]
    assert code == 0
    assert {item["case_id"]: round(item["difference"], 3) for item in suite["flipped"]} == {
        "worse": -0.667,
        "better": 0.667,
    }
    assert (suite["changed_cases"], suite["only_base"], suite["only_new"]) == (["edited"], ["gone"], ["fresh"])
    assert suite["difference"] == pytest.approx(0.0)
    assert suite["low"] < 0 < suite["high"]


def test_suites_areas_and_everything_have_a_line_each(desk: Any) -> None:
    desk.store({"a": "p"}, others={"hello": "p"})
    desk.store({"a": "p"}, others={"hello": "f"})
    data = json.loads(desk("compare", "latest~1", "latest", "--format", "json")[1])
    lines = {(line["kind"], line["name"]): line["difference"] for line in data["lines"]}
    assert lines == {
        ("suite", desk.suite): 0.0,
        ("suite", desk.other): -1.0,
        ("area", "desk"): 0.0,
        ("area", "talk"): -1.0,
        ("all", "all gating suites"): -0.5,
    }


def test_cost_and_latency_are_new_over_old_of_the_paired_cases(desk: Any) -> None:
    stored(desk)
    data = json.loads(desk("compare", "latest~1", "latest", "--format", "json")[1])
    cost, latency = data["lines"][-1]["cost_ratio"], data["lines"][-1]["latency_ratio"]
    assert (cost["value"], cost["n"], cost["of"]) == (pytest.approx(2.0), 3, 3)
    assert latency["value"] == pytest.approx(0.5)


def test_an_unknown_cost_is_not_measured_and_never_a_zero(desk: Any) -> None:
    desk.store({"a": "p", "b": "p"}, cost=None)
    desk.store({"a": "p", "b": "p"})
    _, out, _ = desk("compare", "latest~1", "latest")
    assert "not measured" in out
    data = json.loads(desk("compare", "latest~1", "latest", "--format", "json")[1])
    assert data["lines"][-1]["cost_ratio"]["value"] is None


def test_a_run_is_not_compared_with_itself(desk: Any) -> None:
    desk.store({"a": "p"})
    code, _, err = desk("compare", "latest", "latest")
    assert code == 4
    assert "same run" in err


def test_a_baseline_can_be_the_old_side_and_its_ratios_have_no_interval(desk: Any) -> None:
    desk.store({"a": "p", "b": "p", "c": "p"})
    desk("baseline", "accept", "latest")
    desk.store({"a": "p", "b": "p", "c": "f"}, cost="0.03")
    code, out, _ = desk("compare", "main", "latest", "--format", "json")
    line = json.loads(out)["lines"][0]
    assert code == 0
    assert line["cost_ratio"]["value"] == pytest.approx(3.0)
    assert line["cost_ratio"]["low"] is None


def test_the_ending_of_the_file_chooses_the_format(desk: Any) -> None:
    stored(desk)
    for name, start in (("c.html", "<!doctype html>"), ("c.md", "## "), ("c.json", "{"), ("c.txt", "2026")):
        assert desk("compare", "latest~1", "latest", "--out", name)[0] == 0
        assert (desk.root / name).read_text().lstrip().startswith(start), name


def test_the_page_has_no_script_and_shows_hostile_text_as_text(desk: Any) -> None:
    evil = "<script>alert(1)</script>"
    desk.store({evil: "p"})
    desk.store({evil: "f"})
    desk("compare", "latest~1", "latest", "--out", "c.html")
    page = (desk.root / "c.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "default-src 'none'" in html.unescape(page)


def test_markdown_escapes_what_would_format_or_call_somebody(desk: Any) -> None:
    desk.store({"a|b @team <img>": "p"})
    desk.store({"a|b @team <img>": "f"})
    _, out, _ = desk("compare", "latest~1", "latest", "--format", "markdown")
    assert "@team" not in out
    assert "<img>" not in out
    assert "a\\|b" in out


@given(st.lists(st.tuples(POSITIVE, POSITIVE), min_size=3, max_size=30))
def test_turning_the_runs_around_turns_the_ratio_around(pairs: list[tuple[float, float]]) -> None:
    for ratio in (ratio_of_totals, ratio_of_cases):
        there = ratio(pairs, of=len(pairs))
        back = ratio([(new, old) for old, new in pairs], of=len(pairs))
        assert there.value is not None
        assert back.value is not None
        assert math.isclose(there.value * back.value, 1.0, rel_tol=1e-6)


@given(st.lists(st.tuples(POSITIVE, POSITIVE), min_size=3, max_size=30))
def test_a_ratio_lies_in_its_interval(pairs: list[tuple[float, float]]) -> None:
    for ratio in (ratio_of_totals, ratio_of_cases):
        made = ratio(pairs, of=len(pairs))
        if made.low is not None and made.high is not None:
            assert made.value is not None
            assert made.low <= made.value * (1 + 1e-9)
            assert made.high >= made.value * (1 - 1e-9)


def test_the_interval_of_a_geometric_mean_is_that_of_a_t_test_on_logarithms() -> None:
    # By hand: logs -0.1, 0.0, 0.1, 0.4; mean 0.1, sd 0.216025, t(3, 97.5 %) = 3.182446.
    pairs = [(1.0, math.exp(value)) for value in (-0.1, 0.0, 0.1, 0.4)]
    made = ratio_of_cases(pairs, of=4)
    reach = 3.182446 * 0.216025 / 2
    assert made.value == pytest.approx(math.exp(0.1))
    assert made.low == pytest.approx(math.exp(0.1 - reach), rel=1e-5)
    assert made.high == pytest.approx(math.exp(0.1 + reach), rel=1e-5)


def test_a_ratio_of_totals_is_covered_also_when_few_cases_hold_most_of_the_cost() -> None:
    random_ = random.Random(1)
    covered = 0
    for _ in range(400):
        pairs = []
        for _ in range(10):
            size = random_.lognormvariate(0, 1.0)
            pairs.append((size * random_.lognormvariate(0, 0.3), 1.2 * size * random_.lognormvariate(0, 0.3)))
        made = ratio_of_totals(pairs, of=10)
        covered += made.low is not None and made.high is not None and made.low <= 1.2 <= made.high
    # The delta method covers .90 here.
    assert covered / 400 > 0.925


def test_one_case_that_holds_all_of_the_cost_gives_no_interval() -> None:
    made = ratio_of_totals([(0.0, 0.0)] * 5 + [(1.0, 2.0)], of=6)
    assert (made.value, made.low, made.high) == (2.0, None, None)


def test_nothing_spent_gives_no_ratio() -> None:
    assert ratio_of_totals([(0.0, 1.0)] * 5, of=5).value is None
    assert ratio_of_totals([(0.0, 0.0)] * 5, of=5).value is None
    assert ratio_of_totals([], of=5).value is None
