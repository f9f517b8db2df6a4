from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.decide import decide_measured, decide_paired, equivalent, non_inferior, superior


@pytest.mark.parametrize(
    ("low", "high", "answer"),
    [
        (-0.04, 0.03, "pass"),
        (-0.06, 0.03, "inconclusive"),
        (-0.20, -0.06, "fail"),
        (-0.04, -0.01, "fail"),
        (None, None, "inconclusive"),
        (-0.05, 0.05, "inconclusive"),
    ],
)
def test_a_bound_above_minus_the_margin_passes_and_one_below_zero_fails(
    low: float | None, high: float | None, answer: str
) -> None:
    assert non_inferior(low, high, 0.05) == answer


def test_with_the_other_policy_only_a_drop_of_the_margin_fails() -> None:
    assert non_inferior(-0.04, -0.01, 0.05, fail_below=-0.05) == "pass"
    assert non_inferior(-0.09, -0.06, 0.05, fail_below=-0.05) == "fail"


def test_better_and_the_same_are_decided_by_the_same_bounds() -> None:
    assert [superior(*bounds) for bounds in ((0.01, 0.1), (-0.1, -0.01), (-0.1, 0.1))] == [
        "pass",
        "fail",
        "inconclusive",
    ]
    assert equivalent(-0.03, 0.04, 0.05) == "pass"
    assert equivalent(0.06, 0.2, 0.05) == "fail"
    assert equivalent(-0.2, -0.06, 0.05) == "fail"
    assert equivalent(-0.2, 0.2, 0.05) == "inconclusive"
    assert equivalent(None, 0.01, 0.05) == "inconclusive"


_SHARES = st.lists(st.integers(-5, 5), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(differences=_SHARES, which=st.integers(0, 1000))
def test_one_more_candidate_pass_never_makes_the_answer_worse(differences: list[int], which: int) -> None:
    better = list(differences)
    better[which % len(better)] = min(5, better[which % len(better)] + 1)
    rank = {"fail": 0, "inconclusive": 1, "pass": 2}
    before, after = (decide_paired([d / 5 for d in series], 0.1).answer for series in (differences, better))
    assert rank[after] >= rank[before]


@given(n=st.integers(1, 300))
def test_identical_runs_never_fail(n: int) -> None:
    assert decide_paired([0.0] * n, 0.05).answer != "fail"
    assert decide_measured([0.0] * min(n, 60), 0.05, resamples=99).answer != "fail"


def test_not_significant_is_not_a_pass_and_says_how_many_more_cases_decide() -> None:
    made = decide_paired([0.0] * 40, 0.05)
    assert made.answer == "inconclusive"
    assert made.more is not None
    assert decide_paired([0.0] * (40 + made.more), 0.05).answer == "pass"
    assert decide_paired([0.0] * (40 + made.more - 1), 0.05).answer == "inconclusive"


def test_one_case_three_cases_and_no_case_are_inconclusive() -> None:
    for differences in ([], [0.0], [1.0], [0.0, 1.0, 0.0]):
        assert decide_paired(differences, 0.05).answer == "inconclusive"
        assert decide_measured(differences, 0.05).answer == "inconclusive"
    assert "too few" in decide_measured([1.0] * 5, 0.05).note


def test_measurements_without_any_spread_are_decided_by_the_test() -> None:
    assert decide_measured([0.0] * 20, 0.05).answer == "pass"
    assert decide_measured([-0.2] * 20, 0.05).answer == "fail"


def test_the_cases_still_needed_for_a_measurement_shrink_with_the_square_root() -> None:
    spread = [1.0, -1.0, 0.5, -0.5, 0.2, -0.2, 0.9, -0.9] * 5
    made = decide_measured(spread, 0.1)
    assert made.answer == "inconclusive"
    assert made.more is not None
    copies = -(-(len(spread) + made.more) // 40) + 1
    assert decide_measured(spread * copies, 0.1).answer == "pass"


def test_cases_of_few_families_are_worth_little_and_say_so() -> None:
    differences = [0.0] * 200
    families = [i // 50 for i in range(200)]
    assert decide_paired(differences, 0.05).answer == "pass"
    made = decide_paired(differences, 0.05, families)
    assert made.answer == "inconclusive"
    assert made.note == "only 4 clusters"


def test_a_margin_that_is_no_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"got -0\.05"):
        non_inferior(0.0, 0.1, -0.05)
    with pytest.raises(ValueError, match="got nan"):
        equivalent(0.0, 0.1, float("nan"))
