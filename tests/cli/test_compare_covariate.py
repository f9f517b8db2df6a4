from __future__ import annotations

import json
import random
from typing import Any

import pytest

CASES = [f"case-{n}" for n in range(60)]


def _latencies(seed: int, grown: float = 1.0) -> dict[str, float]:
    """Cases differ tenfold; a run adds a little of its own."""
    generator = random.Random(seed)
    return {name: grown * (1 + n / 6) + generator.gauss(0, 0.05) for n, name in enumerate(CASES)}


def _three(desk: Any) -> list[str]:
    passed = dict.fromkeys(CASES, "p")
    return [desk.store(passed, latency=_latencies(seed, grown)) for seed, grown in ((1, 1.0), (2, 1.0), (3, 1.1))]


def test_an_earlier_run_narrows_the_interval_of_latency_and_keeps_its_mean(desk: Any) -> None:
    earlier, old, new = _three(desk)
    code, out, _ = desk("compare", old, new, "--covariate", earlier, "--format", "json")
    assert code == 0
    made = json.loads(out)["covariate"]
    assert made["run_id"] == earlier
    (line,) = (item for item in made["lines"] if item["metric"] == "latency_s")
    assert (line["n"], line["of"], line["paired"]) == (60, 60, True)
    assert line["adjusted"]["value"] == pytest.approx(line["plain"]["value"])
    assert line["variance_left"] < 0.1  # 10 % slower: the slow cases are slower by more, as was to be foretold
    widths = [line[side]["high"] - line[side]["low"] for side in ("plain", "adjusted")]
    assert widths[1] < 0.4 * widths[0]


@pytest.mark.parametrize("format", ["terminal", "markdown", "html"])
def test_the_table_says_what_was_saved_in_every_format(desk: Any, format: str) -> None:
    earlier, old, new = _three(desk)
    code, out, _ = desk("compare", old, new, "--covariate", earlier, "--format", format)
    assert code == 0
    assert f"adjusted for what run {earlier} foretold (CUPED)" in out
    assert "Variance saved" in out
    assert "60 of 60" in out


def test_a_run_without_these_cases_is_refused_with_what_to_name_instead(desk: Any) -> None:
    desk.store({"other": "p"})
    passed = dict.fromkeys(CASES, "p")
    old, new = desk.store(passed), desk.store(passed)
    code, _, error = desk("compare", old, new, "--covariate", "latest~2")
    assert code != 0
    assert "has none of the 60 cases that are compared, with the same content" in error
    assert "harness history" in error


def test_edited_cases_are_no_covariate(desk: Any) -> None:
    passed = dict.fromkeys(CASES, "p")
    desk.store(passed, hashes=dict.fromkeys(CASES, "before the edit"))
    old, new = desk.store(passed), desk.store(passed)
    code, _, error = desk("compare", old, new, "--covariate", "latest~2")
    assert code != 0
    assert "with the same content" in error


@pytest.mark.parametrize("which", [1, 2])
def test_one_of_the_two_runs_is_no_covariate(desk: Any, which: int) -> None:
    runs = _three(desk)
    code, _, error = desk("compare", runs[1], runs[2], "--covariate", runs[which])
    assert code != 0
    assert "one of the two runs that are compared" in error


def test_a_later_run_is_no_covariate(desk: Any) -> None:
    runs = _three(desk)
    code, _, error = desk("compare", runs[0], runs[1], "--covariate", runs[2])
    assert code != 0
    assert "was made after the runs that are compared" in error


def test_few_cases_are_not_adjusted_and_that_is_said(desk: Any) -> None:
    few = dict.fromkeys(CASES[:10], "p")
    runs = [desk.store(few, latency=_latencies(seed)) for seed in (1, 2, 3)]
    data = json.loads(desk("compare", *runs[1:], "--covariate", runs[0], "--format", "json")[1])
    (line,) = (item for item in data["covariate"]["lines"] if item["metric"] == "latency_s")
    assert line["note"] == "fewer than 20 cases: not adjusted"
    assert line["adjusted"] == line["plain"]


def test_runs_of_different_cases_are_set_on_the_same_footing(desk: Any) -> None:
    """The new run drew the slow half of the cases; what the earlier run knows of them takes that out."""
    latencies = _latencies(1)
    earlier = desk.store(dict.fromkeys(CASES, "p"), latency=latencies)
    order = random.Random(5).sample(CASES, 60)
    quick = sorted(order, key=lambda name: latencies[name] + random.Random(name).gauss(0, 3))
    old = desk.store(dict.fromkeys(quick[:30], "p"), latency=_latencies(2))
    new = desk.store(dict.fromkeys(quick[30:], "p"), latency=_latencies(3))
    data = json.loads(desk("compare", old, new, "--covariate", earlier, "--format", "json")[1])
    (line,) = (item for item in data["covariate"]["lines"] if item["metric"] == "latency_s")
    assert line["paired"] is False
    assert line["plain"]["value"] > 1
    assert line["adjusted"]["low"] < 0 < line["adjusted"]["high"]
    assert line["variance_left"] < 0.05
