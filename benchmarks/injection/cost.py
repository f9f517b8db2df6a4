"""Cost: CPU time of the injection, groundedness and output guards on real, long and hostile texts."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from itertools import pairwise

from benchmarks.figures import Figure
from benchmarks.injection.own_text import Text
from harness.core.decision import Event, EventKind
from harness.guardrails.groundedness import GroundednessGuard
from harness.guardrails.injection import InjectionGuard
from harness.guardrails.output import OutputGuard

ASKED = ("1.1.1.", "123-45-", "a", "4111 ", "@", "a.")
OWN = ("i g n ", "ignore ", "%69", "&#105;", "QUJD", "*", "<a ", "\\u0069", "=?", "you should ")
"""Pieces that are hostile to these guards."""
SIZES = tuple(2**power for power in range(16, 21))
PROSE = "The order was shipped on Monday and the customer asked about the warranty of the lamp. "

Guard = InjectionGuard | OutputGuard | GroundednessGuard


def _cpu(guard: Guard, kind: EventKind, text: str, context: str, times: int = 1) -> float:
    took = []
    for _ in range(times):
        given = Event(kind=kind, text=text, data={"context": context})
        begun = time.process_time()
        guard.check(given)
        took.append(time.process_time() - begun)
    return statistics.median(took)


def latency(sources: dict[str, list[Text]]) -> Iterator[Figure]:
    """The 95th percentile at 2 kB over real texts, medians at 1 MB, growth from 64 kB to 1 MB."""
    texts = [text.text for texts in sources.values() for text in texts if len(text.text) > 1500]
    some = [text[:2000] for text in random.Random(1).sample(texts, 200)]
    guards: list[tuple[Guard, EventKind]] = [
        (InjectionGuard(), "input"),
        (InjectionGuard(), "tool_result"),
        (OutputGuard(competitors=("Globex",)), "output"),
        (GroundednessGuard(), "output"),
    ]
    long = (PROSE * (SIZES[-1] // len(PROSE) + 1))[: SIZES[-1]]
    for guard, kind in guards:
        name = f"{guard.name}, {kind}"
        _cpu(guard, kind, some[0], some[0])
        times = sorted(_cpu(guard, kind, text, text) for text in some)
        late = times[int(0.95 * len(times))]
        yield Figure(what=f"{name}: 2 kB of real text, 95th percentile", value=1000 * late, unit="ms", at_most=5)
        whole = _cpu(guard, kind, long, long[:2000], 3)
        yield Figure(what=f"{name}: 1 MB of prose", value=whole, unit="s", at_most=1)
        for label, pieces in (("the issue's hostile strings", ASKED), ("other hostile strings", OWN)):
            slowest, growth = ("", 0.0), ("", 0.0)
            for piece in pieces:
                took = [
                    _cpu(guard, kind, (piece * (size // len(piece) + 1))[:size], "a b", 3 if size > 2**18 else 5)
                    for size in SIZES
                ]
                slowest = max(slowest, (piece, took[-1]), key=lambda one: one[1])
                steepest = max(later / max(earlier, 1e-4) for earlier, later in pairwise(took))
                growth = max(growth, (piece, steepest), key=lambda one: one[1])
            note = f"worst: {slowest[0]!r}"
            yield Figure(what=f"{name}: 1 MB of {label}", value=slowest[1], unit="s", at_most=1, note=note)
            what = f"{name}: t(2n)/t(n), {label}, 64 kB to 1 MB"
            yield Figure(what=what, value=growth[1], at_most=2.6, note=f"worst: {growth[0]!r}")
