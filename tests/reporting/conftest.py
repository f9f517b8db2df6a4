"""Fixtures for the tests of the reports: one run with some of everything."""

from __future__ import annotations

import pytest

from harness.core.comparison import Comparison
from harness.core.record import Run
from harness.core.scorecard import Scorecard
from harness.core.verdict import Answer, Verdict, combine
from tests.reporting.builders import make_run, make_scorecard, sample_comparison, sample_records, sample_verdicts


@pytest.fixture
def run() -> Run:
    return make_run(sample_records(), notices=("worker gw1: a torn last line was dropped",))


@pytest.fixture
def scorecard(run: Run) -> Scorecard:
    return make_scorecard(run)


@pytest.fixture
def verdicts() -> tuple[Verdict, ...]:
    return sample_verdicts()


@pytest.fixture
def answer(verdicts: tuple[Verdict, ...]) -> Answer:
    return combine(verdicts)


@pytest.fixture
def comparison() -> Comparison:
    return sample_comparison()
