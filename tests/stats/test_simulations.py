"""The simulations of benchmarks/statistics, small: what is exact meets its target, and everything runs."""

from __future__ import annotations

import importlib

import pytest

from benchmarks.statistics.__main__ import NAMES, table
from benchmarks.statistics.at_the_bar import exact_errors
from benchmarks.statistics.paired_gate import exact_false_pass
from benchmarks.statistics.same_twice import exact_flagged
from benchmarks.statistics.stopping import all_pass, planned_looks


@pytest.mark.parametrize(("n", "extra"), [(10, 0.0), (20, 0.3), (60, 0.1), (120, 0.3)])
def test_the_paired_gate_passes_falsely_at_most_at_its_level(n: int, extra: float) -> None:
    assert exact_false_pass(n, extra / 2, 0.05 + extra / 2) <= 0.027


@pytest.mark.parametrize(("n", "share"), [(10, 0.3), (40, 0.1), (100, 0.3)])
def test_the_same_agent_twice_is_not_called_a_regression(n: int, share: float) -> None:
    gate, both, exact, naive = exact_flagged(n, share)
    assert gate <= 0.025
    assert max(both, exact) <= 0.05
    assert naive > 0.3 or n * share < 5


def test_an_early_stopped_gate_at_the_bar_errs_at_most_at_its_level_where_naive_looks_do_not() -> None:
    passed, failed, *naive = exact_errors(0.9, 200)
    assert max(passed, failed) <= 0.05
    assert max(naive) > 0.1


def test_early_decisions_come_as_early_as_promised() -> None:
    assert all_pass().met
    assert all(row.met for row in planned_looks(small=True))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("stopping", "time_bound")])
def test_every_simulation_runs_small_and_prints_figure_target_and_naive_method(name: str) -> None:
    rows = importlib.import_module(f"benchmarks.statistics.{name}").measure(60, small=True)
    assert rows
    for row in rows:
        assert row.figure
        assert row.target
        assert row.what in table(rows, 60)
