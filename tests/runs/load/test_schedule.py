"""Arrivals: what the schedule promises, by its own numbers."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from statistics import fmean, stdev

import pytest
from scipy.stats import kstest

from harness.core.errors import UsageError
from harness.runs.load.schedule import Arrivals, read_trace, slices, stream_starts


def gaps(due: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(due)]


def test_constant_arrivals_are_evenly_spaced() -> None:
    due = Arrivals(kind="constant", rate=100).due(10)
    assert len(due) == 1000
    assert stdev(gaps(due)) / fmean(gaps(due)) < 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_poisson_arrivals_have_exponential_gaps_by_kolmogorov_and_smirnov(seed: int) -> None:
    due = Arrivals(kind="poisson", rate=100, seed=seed).due(20)
    assert kstest(gaps(due), "expon", args=(0, 1 / 100)).pvalue > 0.01


@pytest.mark.parametrize("cv", [0.5, 1.0, 3.0])
def test_gamma_arrivals_have_the_rate_and_the_variation_that_were_asked_for(cv: float) -> None:
    found = gaps(Arrivals(kind="gamma", rate=50, cv=cv, seed=1).due(400))
    assert fmean(found) == pytest.approx(1 / 50, rel=0.1)
    assert stdev(found) / fmean(found) == pytest.approx(cv, rel=0.1)


def test_a_ramp_sends_as_much_as_its_mean_rate_and_more_at_its_end() -> None:
    due = Arrivals(kind="ramp", rate=10, rate_to=90, seed=2).due(40)
    assert len(due) == pytest.approx(50 * 40, rel=0.08)
    first, last = sum(at < 10 for at in due), sum(at >= 30 for at in due)
    assert last / first == pytest.approx(80 / 20, rel=0.25)


def test_the_same_seed_gives_the_same_schedule_and_another_seed_another() -> None:
    assert Arrivals(rate=20, seed=7).due(5) == Arrivals(rate=20, seed=7).due(5)
    assert Arrivals(rate=20, seed=7).due(5) != Arrivals(rate=20, seed=8).due(5)


def test_a_longer_run_begins_like_a_shorter_one() -> None:
    assert Arrivals(rate=20).due(10)[:50] == Arrivals(rate=20).due(10, most=50)


def test_processes_share_the_schedule_without_losing_a_request() -> None:
    dealt = slices([0.0, 0.1, 0.2, 0.3, 0.4], 2)
    assert sorted(one for part in dealt for one in part) == [(0, 0.0), (1, 0.1), (2, 0.2), (3, 0.3), (4, 0.4)]


def test_streams_of_a_closed_loop_do_not_start_together() -> None:
    assert stream_starts(4, 1.0) == [0.0, 0.25, 0.5, 0.75]


def test_a_trace_is_read_from_its_first_time_on(tmp_path: Path) -> None:
    (tmp_path / "trace.csv").write_text("time,user\n12.5,a\n12.0,b\n\n# comment\n13\n")
    assert read_trace(tmp_path / "trace.csv") == (0.0, 0.5, 1.0)


def test_a_line_of_a_trace_that_is_no_time_is_named(tmp_path: Path) -> None:
    (tmp_path / "trace").write_text("0\nnan\n")
    with pytest.raises(UsageError, match=r"trace:2: 'nan' is no time"):
        read_trace(tmp_path / "trace")


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"rate": 0}, "rate"),
        ({"kind": "bursty"}, "poisson"),
        ({"kind": "ramp"}, "--rate-to"),
        ({"kind": "trace"}, "--trace"),
    ],
)
def test_arrivals_that_cannot_be_are_refused_with_what_would_fit(fields: dict[str, object], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        Arrivals(**fields)  # type: ignore[arg-type]
