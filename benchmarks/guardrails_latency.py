"""What one check by each guard costs: 2 kB and 1 MB of text, and hostile strings from 64 kB to 1 MB.

    python -m benchmarks.guardrails_latency [guard] ... [--write]

Needs the external data (``HARNESS_EXTERNAL_DATA``). ``--write`` keeps the figures of the guards that were measured and
writes ``docs/benchmarks/guardrails_latency.md``.
"""

from __future__ import annotations

import argparse
import gc
import math
import random
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import count, pairwise
from typing import Any

from benchmarks.figures import Figure, Result
from benchmarks.guardrails_act import CONFIG, TOOLS, WHO
from benchmarks.injection.judging import Judges
from benchmarks.table import keep, terminal
from harness.core.decision import Event
from harness.guardrails import ANY, FromRequest, Policy, Scope, TaskScope
from harness.guardrails.events import tool_call_event
from harness.guardrails.groundedness import GroundednessGuard
from harness.guardrails.injection import InjectionGuard
from harness.guardrails.output import OutputGuard
from harness.guardrails.pii import PiiGuard
from harness.guardrails.policy import SHIPPED
from harness.guardrails.secrets import SecretsGuard
from harness.guardrails.tool_arguments import ToolArgumentsGuard

METHOD = (
    "CPU time of this process around one check. 2 kB: the first 2,000 characters of 200 public texts, one check each, "
    "95th percentile. 1 MB of prose: one sentence repeated, median of three. Hostile strings: one piece repeated to "
    "64 kB and each doubling up to 1 MB; all sizes are measured in turn, five rounds up to 256 kB and three above, and "
    "the least time of each size counts, since everything else on a machine only adds time; less than a millisecond "
    "counts as one. Garbage is collected before every check, so that none pays for another's. t(2n)/t(n) is the worst "
    "of the four doublings of the worst piece. Groundedness is judged against the same 2 kB at 2 kB, against 2 kB of "
    "it for 1 MB of prose, against two words for hostile strings; guards of tool calls get the text as an argument, "
    "the task scope gets it as the user's request, never the same twice, and its first 2,000 characters as an argument."
)
ASKED = ("1.1.1.", "123-45-", "a", "4111 ", "@", "a.")
READING = ("i g n ", "ignore ", "%69", "&#105;", "QUJD", "*", "<a ", "\\u0069", "=?", "you should ")
DATA = ("a@", "sk-", "../", "%25", "' ", "::1 ", "\\u0040", "password=")
CALLS = ("a/", "(", "then ", "http://")
"""Pieces that are hostile to some guards in particular."""
SIZES = tuple(2**power for power in range(16, 21))
PROSE = "The order was shipped on Monday and the customer asked about the warranty of the lamp. "
WITH_DATA = (
    "Your order 4482910 of 2024-03-01 left for 12 High Street; we write again on Monday at 10:30 if it is late. "
)
"""Prose for guards that look for numbers; without any they have nothing to do."""
TITLE = "What one check by each guard costs"

Checks = Callable[[str, str], Callable[[], object]]
"""(text, context) to a check of it."""


def _text(guard: Any, kind: Any) -> Checks:
    return lambda text, context: lambda: guard.check(Event(kind=kind, text=text, data={"context": context}))


def _call(guard: Any, *, request: bool = False) -> Checks:
    numbers = count()

    def checks(text: str, context: str) -> Callable[[], object]:
        # What was understood of a request is kept, a value that is all of it is found at once: neither counts here.
        data = {**WHO, "request": (f"{text} {next(numbers)}",)} if request else WHO
        query = text[:2000] if request else text
        event = tool_call_event("read_mail", {"query": query, "tenant_id": "acme"}, data=data)
        return lambda: guard.check(event)

    return checks


def guards() -> dict[str, tuple[Checks, tuple[str, ...]]]:
    """Every guard that reads text, and the pieces that are hostile to it in particular."""
    scope = Scope(tools={"read_mail": {"query": FromRequest(), "*": ANY}})
    return {
        "injection, input": (_text(InjectionGuard(), "input"), READING),
        "injection, tool_result": (_text(InjectionGuard(), "tool_result"), READING),
        "output": (_text(OutputGuard(competitors=("Globex",)), "output"), READING),
        "groundedness": (_text(GroundednessGuard(), "output"), READING),
        "pii": (_text(PiiGuard(), "output"), DATA),
        "secrets": (_text(SecretsGuard(), "output"), DATA),
        "tool_arguments": (_call(ToolArgumentsGuard(unknown_tools="allow", max_chars=10**8)), DATA),
        "policy": (_call(Policy(SHIPPED, config=CONFIG)), CALLS),
        "task_scope, tools from the request": (_call(TaskScope(tools=TOOLS), request=True), CALLS),
        "task_scope, values from the request": (_call(TaskScope(scope), request=True), CALLS),
    }


def measured(name: str, checks: Checks, own: tuple[str, ...], texts: list[str]) -> Iterator[Figure]:
    """The figures of one guard."""
    checks(texts[0], texts[0])()
    took = sorted(_spent_s(checks(text, text)) for text in texts)
    late = took[int(0.95 * len(took))]
    yield Figure(what=f"{name}: 2 kB of real text, 95th percentile", value=1000 * late, unit="ms", at_most=5)
    prose = WITH_DATA if own is DATA else PROSE
    long = (prose * (SIZES[-1] // len(prose) + 1))[: SIZES[-1]]
    whole = statistics.median(_spent_s(checks(long, long[:2000])) for _ in range(3))
    yield Figure(what=f"{name}: 1 MB of prose", value=whole, unit="s", at_most=1)
    for label, pieces in (("the issue's hostile strings", ASKED), ("other hostile strings", own)):
        least = {piece: _least_s(checks, piece) for piece in pieces}
        slowest = max(least, key=lambda piece: least[piece][-1])
        what = f"{name}: 1 MB of {label}"
        yield Figure(what=what, value=least[slowest][-1], unit="s", at_most=1, note=f"worst: {slowest!r}")
        growth = {piece: max(late / early for early, late in pairwise(times)) for piece, times in least.items()}
        steepest = max(growth, key=lambda piece: growth[piece])
        what = f"{name}: t(2n)/t(n), {label}, 64 kB to 1 MB"
        yield Figure(what=what, value=growth[steepest], at_most=2.6, note=f"worst: {steepest!r}")


def _spent_s(check: Callable[[], object]) -> float:
    gc.collect()
    begun = time.process_time()
    check()
    return time.process_time() - begun


def _least_s(checks: Checks, piece: str) -> list[float]:
    least = dict.fromkeys(SIZES, math.inf)
    for sizes in (SIZES, SIZES, SIZES, SIZES[:3], SIZES[:3]):
        for size in sizes:
            text = (piece * (size // len(piece) + 1))[:size]
            least[size] = min(least[size], _spent_s(checks(text, "a b")))
    # Below a millisecond the clock and not the guard decides.
    return [max(time_s, 1e-3) for time_s in least.values()]


def run(scale: float = 1.0) -> Result:
    """The figures of every guard; ``scale`` leaves guards out, since the sizes of the texts are what is asked for."""
    names = list(guards())
    return of(names[: max(1, round(len(names) * scale))], scale)


def of(names: list[str], scale: float = 1.0) -> Result:
    """The figures of some guards."""
    texts = [text.text for part in Judges().texts.values() for text in part if len(text.text) > 1500]
    some = [text[:2000] for text in random.Random(1).sample(texts, 200)]
    # What the benchmark itself holds is no garbage to look through before every check.
    gc.freeze()
    ways = guards()
    parts = {name: list(measured(name, *ways[name], some)) for name in names}
    return Result(
        name="guardrails_latency",
        title=TITLE,
        method=METHOD,
        figures=tuple(figure for part in parts.values() for figure in part),
        scale=scale,
        parts=parts,
        part_order=tuple(ways),
    )


def main() -> None:
    """Print what was asked for, all of it by default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = list(guards())
    known = sorted({name.split(",")[0] for name in names})
    parser.add_argument("wanted", nargs="*", metavar="guard", help=", ".join(known))
    parser.add_argument("--write", action="store_true", help="keep the figures and write the page")
    given = parser.parse_args()
    if unknown := sorted(set(given.wanted) - set(known) - set(names)):
        parser.error(f"no guard is called {unknown[0]}; there are: {', '.join(known)}")
    wanted = [name for name in names if not given.wanted or {name, name.split(",")[0]} & set(given.wanted)]
    result = of(wanted)
    print(terminal(result))
    if given.write:
        keep(result)


if __name__ == "__main__":
    main()
