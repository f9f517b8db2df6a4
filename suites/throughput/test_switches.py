"""What makes serving fast, shown on our own engine: each switch as a comparison in turn, with its interval.

Needs PyTorch; ``python -m benchmarks.engine`` writes the same comparisons as a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from statistics import median

import pytest

pytest.importorskip("torch", reason="the engine needs PyTorch: pip install 'harness[engine]' (torch==2.13.0)")

from fixtures.engine.running import running_all
from fixtures.engine.switches_compared import SETTINGS, STEPS, SwitchCompared, compare_switches

pytestmark = pytest.mark.harness_serial
SIZE = "small"
Compared = Callable[[str, str], SwitchCompared]
ASKED = 3.3
"""Naive to tuned, in tokens per second: what users report of such work (36 to 120)."""


@pytest.fixture(scope="module")
def compared() -> Iterator[Compared]:
    """The comparison of two settings, measured once."""
    with running_all(SETTINGS, size=SIZE) as servers:
        yield cache(lambda before, after: compare_switches(servers[before], servers[after]))


@pytest.mark.parametrize(("switch", "before", "after"), STEPS[:3], ids=[step[0] for step in STEPS[:3]])
def test_a_switch_gives_more_tokens_per_second(compared: Compared, switch: str, before: str, after: str) -> None:
    found = compared(before, after).throughput
    assert found.low is not None, str(found)
    assert found.low > 1.0, f"{switch}: {found}"


def test_reusing_the_common_beginning_brings_the_first_token_sooner(compared: Compared) -> None:
    _, before, after = STEPS[3]
    found = compared(before, after).first_token
    assert found.high is not None, str(found)
    assert found.high < 1.0, str(found)


def test_all_switches_together_give_3_3_times_the_tokens_per_second(compared: Compared) -> None:
    found = compared("naive", "tuned").throughput
    assert found.low is not None, str(found)
    assert found.low >= ASKED, str(found)


def test_the_tuned_engine_gives_its_first_token_within_100_ms(compared: Compared) -> None:
    waves = compared("naive", "tuned").after
    assert median(first for one in waves for first in one.first_token_s) < 0.1
