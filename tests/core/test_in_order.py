"""The seeded order of an early-stopping run, and the walk along it."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import Failure
from harness.core.in_order import in_order, walk
from harness.core.record import DECIDED, Manifest, Outcome, PlannedSuite, Record
from harness.core.scorecard import Scorecard, build_scorecard

GROUPS = st.lists(st.tuples(st.sampled_from(["d", "e"]), st.text(max_size=8)), max_size=30)


@given(GROUPS, st.integers(0, 2**31))
def test_the_order_depends_on_the_seed_and_the_names_and_on_nothing_else(
    groups: list[tuple[str, str]], seed: int
) -> None:
    assert in_order(seed, groups) == in_order(seed, list(reversed(groups)))
    assert sorted(in_order(seed, groups)) == sorted(set(groups))


def test_another_seed_gives_another_order() -> None:
    groups = [("d", str(number)) for number in range(50)]
    assert in_order(1, groups) != in_order(2, groups)


def _card(outcomes: Iterable[tuple[str, Outcome]], *, cases: int, seed: int = 7) -> Scorecard:
    manifest = Manifest(
        run_id="r",
        created_at="2026-01-01T00:00:00Z",
        finished_at="2026-01-01T00:01:00Z",
        seed=seed,
        until_decided=True,
        planned=(PlannedSuite(suite="s", dataset="d", cases=cases, trials=1, statistical=True, pass_rate=0.9),),
    )
    records = [
        Record(
            suite="s",
            case_id=case,
            case_hash="h",
            trial=0,
            dataset="d",
            outcome=outcome,
            error=Failure(kind="harness", message="not run", reason=DECIDED) if outcome == "not_run" else None,
            statistical=True,
        )
        for case, outcome in outcomes
    ]
    return build_scorecard(manifest, records)


def test_the_walk_ends_before_the_first_group_that_is_not_complete() -> None:
    # Finishing order is no help: the third group in order is missing, so the later ones that finished do not count.
    names = [case for _, case in in_order(7, [("d", str(number)) for number in range(10)])]
    outcomes: list[tuple[str, Outcome]] = [(name, "passed") for name in names]
    outcomes[2] = (names[2], "not_run")
    card = _card(outcomes, cases=10)
    assert [group for group, _ in walk(card, card.suites)] == [("d", names[0]), ("d", names[1])]


def test_a_broken_trial_counts_against_passing_and_for_not_failing() -> None:
    names = [str(number) for number in range(4)]
    card = _card([(name, "errored" if name == "0" else "passed") for name in names], cases=4)
    counts = {group[1]: count for group, count in walk(card, card.suites)}
    assert (counts["0"].worst, counts["0"].best) == (0.0, 1.0)
    assert (counts["1"].worst, counts["1"].best) == (1.0, 1.0)


def test_trials_left_out_are_in_neither_n_nor_big_n() -> None:
    card = _card([("a", "passed"), ("b", "passed"), ("c", "not_run")], cases=3)
    assert (card.measured, card.planned, card.decided) == (2, 2, 1)
    assert {line.case_id: line.status for line in card.cases} == {"a": "passed", "b": "passed", "c": "decided"}
    row = card.row("pass_rate", suite="s")
    assert row is not None
    assert (row.n, row.of, row.estimate) == (2, 2, 1.0)
