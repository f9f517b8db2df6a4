"""Guards for injections, groundedness and outputs: what they catch, what they take wrongly, what they cost.

    python -m benchmarks.guardrails_injection [sources|disguises|padding|groundedness|latency] ... [--write]

Needs the external data (``HARNESS_EXTERNAL_DATA``). ``--write`` runs everything and writes
``docs/benchmarks/guardrails_injection.md``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from benchmarks.figures import Figure, Result
from benchmarks.injection.cost import latency
from benchmarks.injection.grounded import on_begin
from benchmarks.injection.judging import Judges, disguises, padding, sources
from benchmarks.machine import described, warn_if_busy
from benchmarks.table import DOCS, page, terminal

METHOD = (
    "Every source is judged by weights that never saw its origin (the word before the slash): those without a source "
    "of attacks are shipped, the others are trained on the spot; origins that never train (notinject, xstest, begin) "
    "are judged by the shipped weights. One threshold, 0.5, everywhere. Answers of an assistant are judged as output, "
    "other data as a tool's result, the rest as input; rows are deduplicated by normalised text; intervals are exact "
    "(Clopper-Pearson). Disguises and padding start from attacks that are detected plainly, of every source. Times are "
    "CPU seconds of this process, medians of three or five. Static test sets are upper bounds of what a guard "
    "catches: an attacker who may try again finds more. The requests inside data that this project wrote to train on "
    "cover the same kinds of deeds as InjecAgent and BIPIA name, so recall there is kinder than on a new kind."
)


def run(scale: float = 1.0, wanted: Iterable[str] = ()) -> Result:
    """All figures, or those of some parts."""
    judges = Judges()
    some = max(4, round(40 * scale))
    parts: dict[str, Callable[[], Iterable[Figure]]] = {
        "sources": lambda: sources(judges),
        "disguises": lambda: disguises(judges, some),
        "padding": lambda: padding(judges, max(1, round(2 * scale))),
        "groundedness": on_begin,
        "latency": lambda: latency(judges.texts),
    }
    figures = [figure for name in wanted or parts for figure in parts[name]()]
    return Result(
        name="guardrails_injection",
        title="What the guards for injections, groundedness and outputs reach",
        method=METHOD,
        figures=tuple(figures),
        scale=scale,
    )


def write(result: Result) -> None:
    """The page."""
    kept = {
        "title": result.title,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": described(),
        "method": result.method,
        "figures": [one.to_json() for one in result.figures],
        "not_compared": [],
        "facts": {"Noise": busy} if (busy := warn_if_busy()) else {},
    }
    text = page(result.name, kept).replace(f"benchmarks {result.name}", f"benchmarks.{result.name}")
    DOCS.mkdir(parents=True, exist_ok=True)
    (DOCS / f"{result.name}.md").write_text(text, encoding="utf-8")


def main() -> None:
    """Print what was asked for, all of it by default."""
    names = ("sources", "disguises", "padding", "groundedness", "latency")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wanted", nargs="*", metavar="part", help=", ".join(names))
    parser.add_argument("--write", action="store_true", help="write the page; needs every part")
    given = parser.parse_args()
    if unknown := sorted(set(given.wanted) - set(names)):
        parser.error(f"no part is called {unknown[0]}; there are: {', '.join(names)}")
    if given.write and given.wanted:
        parser.error("--write needs every part; name none")
    result = run(wanted=given.wanted)
    print(terminal(result))
    if given.write:
        write(result)


if __name__ == "__main__":
    main()
