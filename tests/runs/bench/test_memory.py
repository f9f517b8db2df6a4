from __future__ import annotations

import functools
import subprocess
import sys

from harness.runs.bench.memory import find_leaks, peak_bytes


def test_a_hundred_bytes_left_behind_by_each_call_are_found_and_measured() -> None:
    kept: list[bytes] = []
    found = find_leaks(lambda: kept.append(bytes(67)), most_calls=4_800)  # 67 bytes and a header of 33
    assert found.answer == "fail"
    assert found.python.per_call.value is not None
    assert 95 <= found.python.per_call.value <= 125
    assert "limit 16 B" in found.reason


def test_memory_that_python_does_not_know_of_is_seen_in_the_process() -> None:
    # In a fresh process: one that has freed much before can serve such a leak from what it kept, for a while.
    script = (
        "import ctypes\n"
        "from harness import find_leaks\n"
        "malloc = ctypes.CDLL(None).malloc\n"
        "found = find_leaks(lambda: malloc(4_000), most_calls=4_800, within_s=5)\n"
        "assert found.python.answer(16) == 'pass', found\n"
        "assert found.resident is not None\n"
        "assert found.answer == 'fail', found\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_code_that_cleans_up_passes() -> None:
    assert find_leaks(lambda: sorted(str(n) for n in range(50)), most_calls=2_400).answer == "pass"


def test_cycles_that_the_collector_takes_away_are_no_leak() -> None:
    def cycle() -> None:
        ring: list[object] = []
        ring.append(ring)

    assert find_leaks(cycle, most_calls=2_400).answer == "pass"


def test_a_cache_that_fills_on_the_first_call_is_no_leak() -> None:
    @functools.cache
    def cached() -> bytes:
        return bytes(100_000)

    assert find_leaks(cached, most_calls=2_400).answer == "pass"


def test_the_peak_of_a_call_counts_what_it_held_at_once() -> None:
    peaks = peak_bytes(lambda: bytes(1_000_000), calls=5)
    assert len(peaks) == 5
    assert all(1_000_000 <= peak < 1_100_000 for peak in peaks)
