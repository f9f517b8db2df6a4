"""Which failures are tried again, and after how long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import ProviderBroken
from harness.runs.retry import RetryPolicy


def broken(*, retryable: bool = True, after: float | None = None) -> ProviderBroken:
    return ProviderBroken("x", reason="server_error", retryable=retryable, retry_after_s=after)


def test_what_cannot_be_helped_is_not_tried_again() -> None:
    assert RetryPolicy().wait_s(broken(retryable=False), attempt=1, seed=1) is None


def test_gives_up_after_four_retries() -> None:
    waits = [RetryPolicy().wait_s(broken(), attempt=attempt, seed=1) for attempt in range(1, 7)]
    assert [wait is None for wait in waits] == [False] * 4 + [True] * 2


@given(st.integers(1, 4), st.integers(0, 2**31))
def test_backs_off_exponentially_with_full_jitter(attempt: int, seed: int) -> None:
    wait = RetryPolicy(base_s=0.5).wait_s(broken(), attempt=attempt, seed=seed)
    assert wait is not None
    assert 0 <= wait <= 0.5 * 2 ** (attempt - 1)


@given(st.floats(0, 1e9), st.integers(0, 2**31))
def test_waits_at_least_what_the_server_asked_for_but_never_above_a_minute(after: float, seed: int) -> None:
    wait = RetryPolicy().wait_s(broken(after=after), attempt=1, seed=seed)
    assert wait is not None
    assert min(60.0, after) <= wait <= 60.0


def test_the_same_trial_waits_the_same_and_two_trials_do_not() -> None:
    waits = [RetryPolicy().wait_s(broken(), attempt=1, seed=seed) for seed in (5, 5, 6)]
    assert waits[0] == waits[1] != waits[2]
