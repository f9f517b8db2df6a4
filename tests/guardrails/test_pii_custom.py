"""Custom patterns: a team's own, matched line by line, and none can hang the guard."""

from __future__ import annotations

import importlib.util
import os
import signal
import threading

import pytest

from harness.core.decision import Event
from harness.guardrails.pii import CustomPatterns, PiiGuard
from harness.guardrails.spans.redacting import LookedTooLongError

# re2 has neither look-ahead nor references back, so these run in the process.
HANGS = r"(?=(a+)+$)b"
IN_PROCESS = r"(?<=EMP-)\d{4}"


@pytest.mark.parametrize("pattern", [r"EMP-\d{4}", r"EMP-(?=\d)\d{4}"], ids=["re2 where present", "process"])
def test_a_team_s_own_pattern_is_redacted_like_any_other(pattern: str) -> None:
    guard = PiiGuard(patterns={"badge": pattern})
    assert guard.redact("é EMP-1234, jane@example.com") == "é [redacted:badge], [redacted:email]"


@pytest.mark.parametrize("pattern", [r"^\w+$", r"^\w+$(?!x)"], ids=["re2 where present", "process"])
def test_a_pattern_sees_one_line_at_a_time(pattern: str) -> None:
    assert PiiGuard(patterns={"alone": pattern}).redact("one\ntwo words\nthree") == (
        "[redacted:alone]\ntwo words\n[redacted:alone]"
    )


def test_a_pattern_that_hangs_blocks_with_a_fault_and_the_next_text_is_judged_again() -> None:
    guard = PiiGuard(patterns={"slow": HANGS}, pattern_timeout_s=0.3)
    decision = guard.check(Event(kind="output", text="a" * 60 + "!"))
    assert (decision.action, decision.fault, decision.findings) == ("block", "timeout", ())
    assert guard.check(Event(kind="output", text="fine")).action == "allow"


def test_a_worker_that_was_killed_blocks_and_is_replaced() -> None:
    patterns = CustomPatterns({"badge": IN_PROCESS})
    assert len(patterns.find("EMP-1234")) == 1
    process = patterns._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert len(patterns.find("EMP-1234")) == 1


def test_the_worker_ends_with_its_patterns() -> None:
    patterns = CustomPatterns({"badge": IN_PROCESS})
    patterns.find("EMP-1234")
    process = patterns._process
    assert process is not None
    del patterns
    assert process.wait(timeout=10) is not None


def test_a_long_text_travels_to_the_worker_and_back_whole() -> None:
    patterns = CustomPatterns({"badge": IN_PROCESS}, timeout_s=20)
    assert len(patterns.find("EMP-1234 and some words. \n" * 40_000)) == 40_000


def test_threads_take_turns_at_the_worker_and_get_their_own_answers() -> None:
    patterns = CustomPatterns({"badge": IN_PROCESS}, timeout_s=20)
    found: dict[int, int] = {}

    def work(count: int) -> None:
        found[count] = len(patterns.find("EMP-1234 " * count))

    threads = [threading.Thread(target=work, args=(count,)) for count in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {count: count for count in range(20)}


@pytest.mark.skipif(
    importlib.util.find_spec("re2") is None, reason="google-re2 is not installed: pip install google-re2"
)
def test_re2_takes_what_it_can_and_survives_half_a_surrogate() -> None:
    patterns = CustomPatterns({"badge": r"(a+)+\d", "other": HANGS})
    assert [name for name, _ in patterns._linear] == ["badge"]
    assert [span[:2] for span in CustomPatterns({"badge": r"(a+)+\d"}).find("\ud83d aa1")] == [(2, 5)]


def test_a_time_out_is_an_error_of_its_own() -> None:
    with pytest.raises(LookedTooLongError):
        CustomPatterns({"slow": HANGS}, timeout_s=0.2).find("a" * 60 + "!")
