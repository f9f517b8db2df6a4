"""Guards for injections and groundedness: what they catch and what they take wrongly.

    python -m benchmarks.guardrails_injection [sources|disguises|padding|groundedness] ... [--write]

Needs the external data (``HARNESS_EXTERNAL_DATA``). ``--write`` keeps the figures of the
parts that ran and writes ``docs/benchmarks/guardrails_injection.md``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable

from benchmarks.figures import Figure, Result
from benchmarks.injection.grounded import on_begin
from benchmarks.injection.judging import Judges, disguises, padding, sources
from benchmarks.table import keep, terminal

METHOD = (
    "Every source is judged by weights that never saw its origin (the word before the slash): those without a source "
    "of attacks are shipped, the others are trained on the spot; origins that never train (notinject, xstest, begin) "
    "are judged by the shipped weights. One threshold, 0.5, everywhere. Answers of an assistant are judged as output, "
    "other data as a tool's result, the rest as input; rows are deduplicated by normalised text; intervals are exact "
    "(Clopper-Pearson). Disguises and padding start from attacks that are detected plainly, of every source. What a "
    "check costs stands in ``guardrails_latency.md``. Static test sets are upper bounds of what a guard "
    "catches: an attacker who may try again finds more. The requests inside data that this project wrote to train on "
    "cover the same kinds of deeds as InjecAgent and BIPIA name, so recall there is kinder than on a new kind."
)


NAMES = ("sources", "disguises", "padding", "groundedness")
TITLE = "What the guards for injections, groundedness and outputs reach"


def measured(wanted: Iterable[str], scale: float) -> dict[str, list[Figure]]:
    """The figures of some parts."""
    judges = Judges()
    some = max(4, round(40 * scale))
    parts: dict[str, Callable[[], Iterable[Figure]]] = {
        "sources": lambda: sources(judges),
        "disguises": lambda: disguises(judges, some),
        "padding": lambda: padding(judges, max(1, round(2 * scale))),
        "groundedness": on_begin,
    }
    return {name: list(parts[name]()) for name in wanted}


def run(scale: float = 1.0) -> Result:
    """All figures."""
    return _result(measured(NAMES, scale), scale)


def _result(parts: dict[str, list[Figure]], scale: float = 1.0) -> Result:
    figures = tuple(figure for part in parts.values() for figure in part)
    return Result(
        name="guardrails_injection",
        title=TITLE,
        method=METHOD,
        figures=figures,
        scale=scale,
        parts=parts,
        part_order=NAMES,
    )


def main() -> None:
    """Print what was asked for, all of it by default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wanted", nargs="*", metavar="part", help=", ".join(NAMES))
    parser.add_argument("--write", action="store_true", help="keep the figures and write the page")
    given = parser.parse_args()
    if unknown := sorted(set(given.wanted) - set(NAMES)):
        parser.error(f"no part is called {unknown[0]}; there are: {', '.join(NAMES)}")
    result = _result(measured(given.wanted or NAMES, 1.0))
    print(terminal(result))
    if given.write:
        keep(result)


if __name__ == "__main__":
    main()
