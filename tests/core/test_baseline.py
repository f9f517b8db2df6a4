"""The stored form of a baseline: scores per case, format 1 still opens, one changed case is one changed line."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.baseline import Baseline, BaselineCase, CaseScore, short
from harness.core.comparison import compare, make_baseline
from harness.core.errors import FormatError
from harness.core.record import Manifest, PlannedSuite, Record
from harness.core.score import Score
from harness.core.trajectory import Trajectory

SUITE = "suites/desk/test_refunds.py::test_refunds"


def record(case: str, trial: int = 0, *, steps: float = 4, seconds: float = 1.0, **more: Any) -> Record:
    values: dict[str, Any] = {
        "suite": SUITE,
        "case_id": case,
        "case_hash": "h",
        "trial": trial,
        "outcome": "passed",
        "cost_usd": Decimal("0.25"),
        "trajectory": Trajectory(latency_s=seconds),
        "scores": (Score.of("steps", steps, "counted", unit="steps", direction="lower"),),
    }
    return Record(**(values | more))


def manifest(run_id: str = "r", cases: int = 3, trials: int = 1) -> Manifest:
    plan = PlannedSuite(suite=SUITE, cases=cases, trials=trials)
    return Manifest(run_id=run_id, created_at="2026-01-01T00:00:00Z", planned=(plan,))


def test_scores_cost_and_latency_are_kept_per_case_with_their_spread() -> None:
    records = [record("a", trial, steps=steps, seconds=trial + 1) for trial, steps in enumerate((3, 4, 8))]
    case = make_baseline(manifest(cases=1, trials=3), records).suites[SUITE]["a"]
    assert case.scores["steps"] == CaseScore(3, 5.0, 7.0)
    assert case.scores["latency_s"] == CaseScore(3, 2.0, 1.0)
    assert case.scores["cost_usd"] == CaseScore(3, 0.25, 0.0)


def test_one_trial_has_no_variance() -> None:
    case = make_baseline(manifest(cases=1), [record("a")]).suites[SUITE]["a"]
    assert case.scores["steps"] == CaseScore(1, 4.0, None)


def test_a_file_of_format_1_opens_as_a_baseline_without_scores() -> None:
    text = json.dumps(
        {"version": 1, "run_id": "r", "created_at": "x", "agent": "a", "suites": {SUITE: {"a": ["h", 3, 2]}}}
    )
    base = Baseline.from_text(text)
    assert base.suites[SUITE]["a"] == BaselineCase(case_hash="h", trials=3, passes=2)
    assert json.loads(base.to_text())["version"] == 2


def test_another_score_of_one_case_changes_one_line() -> None:
    old = make_baseline(manifest(), [record(name) for name in "abc"]).to_text().splitlines()
    new = make_baseline(manifest(), [record(name, steps=4 + (name == "b")) for name in "cba"]).to_text().splitlines()
    changed = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    assert [line.strip()[:3] for pair in changed for line in pair] == ['"b"', '"b"']


def test_latencies_change_no_line_of_a_case() -> None:
    old = make_baseline(manifest(), [record(name) for name in "abc"]).to_text().splitlines()
    new = make_baseline(manifest(), [record(name, seconds=2) for name in "abc"]).to_text().splitlines()
    changed = [b for a, b in zip(old, new, strict=True) if a != b]
    assert len(changed) == 2
    assert not any('["h"' in line for line in changed)


def test_the_version_of_an_evaluator_is_kept() -> None:
    scored = record("a", scores=(Score.of("tone", 0.5, "judged", version="3"),))
    base = make_baseline(manifest(cases=1), [scored])
    assert base.score_versions == {"tone": "3"}
    assert Baseline.from_text(base.to_text()) == base
    assert compare(base, manifest("new", 1), [scored]).meta["score_versions"] == {"tone": "3"}


def test_a_baseline_says_itself_in_a_line() -> None:
    base = make_baseline(manifest(), [record(name) for name in "abc"])
    assert str(base) == "baseline r (3 cases)"


@pytest.mark.parametrize("scores", ['{"x": [0, 1.0]}', '{"x": [1]}', '{"x": [2, 1.0, -1]}', '{"x": "1"}', "7"])
def test_scores_of_a_wrong_shape_are_refused_with_the_case(scores: str) -> None:
    text = f'{{"version": 2, "run_id": "r", "created_at": "", "suites": {{"s": {{"a": ["h", 1, 1, {scores}]}}}}}}'
    with pytest.raises(FormatError, match="case 'a'"):
        Baseline.from_text(text)


finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
scores = st.builds(
    CaseScore, st.integers(1, 9), finite.map(short), st.none() | st.floats(0, 1e9, allow_nan=False).map(short)
)
cases = st.builds(
    lambda case_hash, passes, more, found: BaselineCase(
        case_hash=case_hash, trials=passes + more, passes=passes, scores=found
    ),
    st.text(max_size=5),
    st.integers(0, 5),
    st.integers(1, 5),
    st.dictionaries(st.sampled_from(["steps", "cost_usd", "latency_s", "ä\u2028"]), scores, max_size=3),
)


@given(st.dictionaries(st.text(max_size=8), st.dictionaries(st.text(max_size=8), cases, max_size=3), max_size=3))
def test_any_baseline_survives_being_written_and_read(suites: dict[str, dict[str, BaselineCase]]) -> None:
    base = Baseline(run_id="r", created_at="x", suites=suites)
    assert Baseline.from_text(base.to_text()) == base
    assert Baseline.from_text(base.to_text()).to_text() == base.to_text()
