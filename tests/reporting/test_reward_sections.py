"""Sections about rewards: built from the evidence of scores, silent without it, and not fooled by other shapes."""

from __future__ import annotations

from typing import Any

from harness.core.blocks import Curve, Figures, SectionPage, Table
from harness.core.record import Record
from harness.core.score import Score
from harness.reporting.reward_notes import MOST_RUNS, RewardNotes
from harness.reporting.sections.adoption import Adoption
from harness.reporting.sections.edits import Edits
from harness.reporting.sections.thinking import Thinking
from harness.reporting.sections.turns import MOST_TURNS, Turns
from tests.reporting.builders import make_run, record

RUN = make_run([])


def notes(*records: Record) -> RewardNotes:
    made = RewardNotes()
    for one in records:
        made.take(one)
    return made


def thought(case: str, tokens: int, *, kind: str = "trivial", right: bool = True, **more: Any) -> Record:
    found = {"class": kind, "budget": 500, "ceiling": 1000, "tokens": tokens, "wasted": max(0, tokens - 500)}
    scores = [Score.of("thinking_tokens", tokens, "n", passed=tokens <= 500, evidence={"thinking": found})]
    scores.append(Score.passed_if("answer", right, "compared"))
    outcome = "passed" if right and tokens <= 500 else "failed"
    return record(case, **{"outcome": outcome, "failure": "", "scores": tuple(scores), **more})


def texts(page: SectionPage | None, table: int = 0) -> list[list[str]]:
    assert page is not None
    found = [block for block in page.blocks if isinstance(block, Table)][table]
    return [[cell.text for cell in row] for row in found.rows]


def test_being_over_budget_alone_does_not_make_an_answer_wrong() -> None:
    made = notes(thought("a", 100), thought("b", 900), thought("c", 50, right=False))
    page = Thinking(made.thinking).build(RUN, None)
    (row,) = texts(page)
    assert row[:3] == ["trivial", "500", "3"]
    assert (row[5], row[7], row[9]) == ("66.7%", "66.7%", "400")
    assert page is not None
    assert isinstance(page.blocks[0], Figures)
    assert [figure.value for figure in page.blocks[0].items] == ["1,050", "1 of 3", "400"]


def test_accuracy_is_drawn_against_thinking_for_classes_with_enough_trials() -> None:
    made = notes(*(thought(f"c{i}", 10 * i, right=i % 5 != 0) for i in range(30)), thought("x", 1, kind="complex"))
    page = Thinking(made.thinking).build(RUN, None)
    assert page is not None
    (curve,) = [block for block in page.blocks if isinstance(block, Curve)]
    (series,) = curve.series
    assert len(series.points) == 5
    assert [x for x, _ in series.points] == sorted(x for x, _ in series.points)
    assert all(low <= y <= high for (_, y), low, high in zip(series.points, series.low, series.high, strict=True))


def test_a_trial_recorded_twice_thinks_once_and_an_errored_one_is_not_judged() -> None:
    made = notes(thought("a", 100), thought("a", 300), thought("b", 10, outcome="errored"))
    (row,) = texts(Thinking(made.thinking).build(RUN, None))
    assert (row[2], row[4], row[7]) == ("2", "300", "100%")


def test_adoption_is_undefined_where_the_tool_never_fits() -> None:
    def used(case: str, **tools: Any) -> Record:
        score = Score.not_measured("tool_adoption", "no tool fits", expected_nothing=True, evidence={"tools": tools})
        return record(case, scores=(score,), agent="desk")

    full = {"calls": 2, "well_formed": 1, "came_back": 2, "worked": 2}
    none = {"calls": 0, "well_formed": 0, "came_back": 0, "worked": 0}
    made = notes(
        used("a", search={"fits": 1, **full}, other={"fits": 0, **full}),
        used("b", search={"fits": 1, **none}, other={"fits": 0, **none}),
    )
    rows = texts(Adoption(made.adoption).build(RUN, None))
    assert rows[0] == ["desk", "search", "2", "50.0%", "", "2", "100%", "50.0%", ""]
    assert rows[1] == ["desk", "other", "0", "undefined", "", "2", "100%", "50.0%", "1 of 2"]


def credited(case: str, reward: float, turns: int = 2) -> Record:
    rows = [{"index": i, "did": f"turn {i}", "total": 0.5, "credit": reward / turns - i} for i in range(turns)]
    evidence = {"turns": rows, "turn_count": turns}
    return record(case, scores=(Score.of("turn_credits", reward, "sum", evidence=evidence),))


def test_the_runs_with_the_lowest_reward_are_shown_and_the_lowest_credit_stands_out() -> None:
    made = notes(*(credited(f"c{i}", float(i)) for i in (5, 3, 9, 1, 7, 2, 8)))
    assert [note.reward for note in made.worst] == [1, 2, 3, 5, 7]
    assert (len(made.worst), made.judged_turns) == (MOST_RUNS, 7)
    page = Turns(made.worst, made.judged_turns).build(RUN, None)
    assert page is not None
    table = next(block for block in page.blocks if isinstance(block, Table))
    assert [row[7].tone for row in table.rows] == ["", "bad"]
    assert "trial 0: reward 1" in table.caption


def test_a_long_run_says_how_many_turns_are_left_out() -> None:
    made = notes(credited("long", -1.0, turns=MOST_TURNS + 7))
    page = Turns(made.worst, 1).build(RUN, None)
    assert page is not None
    table = next(block for block in page.blocks if isinstance(block, Table))
    assert len(table.rows) == MOST_TURNS
    assert "7 later turns are not shown" in table.caption


def test_evidence_of_another_shape_is_passed_over_and_nothing_is_said() -> None:
    odd: list[dict[str, Any]] = [
        {"thinking": "deep"},
        {"thinking": {"tokens": "many", "budget": None}},
        {"tools": ["search"]},
        {"tools": {"search": 3}},
        {"turns": "three"},
        {"turns": []},
    ]
    made = notes(*(record(f"c{i}", scores=(Score.of("x", 1.0, "y", evidence=e),)) for i, e in enumerate(odd)))
    assert Thinking(made.thinking).build(RUN, None) is None
    assert Adoption(made.adoption).build(RUN, None) is None
    assert Turns(made.worst, made.judged_turns).build(RUN, None) is None


def test_the_least_minimal_edits_are_shown_side_by_side() -> None:
    def edited(case: str, value: float, rows: Any) -> Record:
        found = {"picture": [{"path": "desk.py", "rows": rows, "left_out": 3}]}
        return record(case, scores=(Score.of("minimal_diff", value, "2 wrappers", evidence=found),))

    rows = [[1, "def a():", 1, "def a():", "="], [2, "    return 1", 2, "\treturn <2>", "~"], [None, "", 3, "x", "+"]]
    made = notes(*(edited(f"c{n}", n / 10, rows) for n in range(1, 10)), edited("odd", 0.0, "no rows"))
    page = Edits(made.edits, made.judged_edits).build(RUN, None)
    assert page is not None
    tables = [block for block in page.blocks if isinstance(block, Table)]
    assert len(tables) == MOST_RUNS - 1, "the one without rows has none"
    assert tables[0].caption.startswith("desk.py, c1 of ")
    assert "3 more rows" in tables[0].caption
    assert texts(page)[1] == ["2", "\u00a0" * 4 + "return 1", "2", "\u00a0" * 4 + "return <2>"]
    assert [cell.tone for cell in tables[0].rows[2]] == ["", "", "", "good"]
    assert Edits([], 0).build(RUN, None) is None
