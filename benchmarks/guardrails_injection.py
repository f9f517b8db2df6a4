"""What the injection, groundedness and output guards reach, measured; nothing here is asserted.

    PYTHONPATH=. python benchmarks/guardrails_injection.py sources | disguises | groundedness | latency

``sources`` judges every external source with weights that never saw its origin (leave one source out): those of the
attacks are shipped, for the others they are trained on the spot.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import random
import re
import statistics
import time
from collections.abc import Callable

from benchmarks.injection.own_text import Text, own_texts
from benchmarks.injection.recipe import model, origin, prepare
from benchmarks.injection.sources import EXTERNAL, LICENSED, external_texts
from harness.core.decision import Event, EventKind
from harness.guardrails.canonical.disguises import DISGUISES
from harness.guardrails.groundedness import GroundednessGuard, groundedness
from harness.guardrails.groundedness.words import STOPWORDS
from harness.guardrails.injection import InjectionGuard
from harness.guardrails.injection.linear_model import SOURCES
from harness.guardrails.output import OutputGuard
from harness.stats.rates import clopper_pearson

HOSTILE = (
    "1.1.1.",
    "123-45-",
    "a",
    "4111 ",
    "@",
    "a.",
    "i g n ",
    "ignore ",
    "%69",
    "&#105;",
    "QUJD",
    "*",
    "<a ",
    "\\u0069",
)


ANSWERS = ("tau_bench/answer", "llmbar/outputs")
"""What an assistant said."""


def event(text: Text) -> Event:
    """What reaches the guard: an assistant's answer as output, other data as a tool's answer, the rest as input."""
    kind: EventKind = "output" if text.source in ANSWERS else "tool_result" if text.data else "input"
    return Event(kind=kind, text=text.text)


def guards(fast: bool) -> Callable[[str], InjectionGuard]:
    """The guard that may judge a source."""
    made: dict[str, InjectionGuard] = {}
    prepared: dict[str, list[tuple[Text, str]]] = {}

    def guard(source: str) -> InjectionGuard:
        name = origin(source)
        if name not in LICENSED:
            name = ""
        if name not in made:
            if name in SOURCES or not name or fast:
                made[name] = InjectionGuard(unseen=name if name in SOURCES else "")
            else:
                if not prepared:
                    prepared["own"] = prepare(own_texts())
                    prepared.update({key: prepare(texts) for key, texts in external_texts().items()})
                made[name] = InjectionGuard(model=model(prepared, name))
        return made[name]

    return guard


def sources(fast: bool) -> None:
    choose = guards(fast)
    pooled = [0, 0]
    for source, texts in external_texts().items():
        judge = choose(source)
        hits = sum(judge.check(event(text)).action != "allow" for text in texts)
        low, high = clopper_pearson(hits, len(texts))
        kind = "recall" if texts[0].attack else "false positives"
        print(f"{source:28} {kind:16} {hits:5}/{len(texts):5} = {hits / len(texts):.4f}  [{low:.4f}, {high:.4f}]")
        if not texts[0].attack and source != "notinject/one":
            pooled[0] += hits
            pooled[1] += len(texts)
    high = clopper_pearson(*pooled)[1]
    print(
        f"{'benign pooled, no notinject':28} {pooled[0]}/{pooled[1]} = {pooled[0] / pooled[1]:.4f}, at most {high:.4f}"
    )


def disguises(per_source: int = 40) -> None:
    choose = guards(fast=True)
    detected = []
    for source, texts in external_texts().items():
        if texts[0].attack:
            judge = choose(source)
            some = random.Random(source).sample(texts, min(len(texts), 4 * per_source))
            found = [(judge, e) for e in map(event, some) if len(e.text) < 6000 and judge.check(e).action != "allow"]
            detected += found[:per_source]
    print(f"{len(detected)} detected attacks")
    for name, disguise in DISGUISES.items():
        kept = sum(j.check(Event(kind=e.kind, text=disguise(e.text))).action != "allow" for j, e in detected)
        print(f"{name:32} {kept}/{len(detected)} = {kept / len(detected):.4f}")


def groundedness_on_begin() -> None:
    """Balanced accuracy at the shipped constants, and with constants picked on the two other files."""
    files = {}
    for part in ("wow", "cmu", "tc"):
        with (EXTERNAL / f"grounded/begin_dev_{part}.tsv").open(encoding="utf-8", newline="") as file:
            files[part] = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for part, rows in files.items():
        truth = [row["begin_label"] == "Fully attributable" for row in rows]
        shipped = [groundedness(row["response"], row["knowledge"]).score or 0.0 for row in rows]
        overlap = [_overlap(row["response"], row["knowledge"]) for row in rows]
        best = max(_balanced(overlap, truth, cut) for cut in set(overlap))
        print(
            f"{part}: n={len(rows)} balanced accuracy {_balanced(shipped, truth, 0.7):.4f} at 0.7; "
            f"word overlap {_balanced(overlap, truth, 0.7):.4f} at 0.7, {best:.4f} at its own best threshold"
        )


def _overlap(answer: str, source: str) -> float:
    said = [word for word in _words(answer) if word not in STOPWORDS]
    known = set(_words(source))
    return sum(word in known for word in said) / len(said) if said else 0.0


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _balanced(scores: list[float], truth: list[bool], cut: float) -> float:
    yes = [score >= cut for score, true in zip(scores, truth, strict=True) if true]
    no = [score < cut for score, true in zip(scores, truth, strict=True) if not true]
    return (sum(yes) / len(yes) + sum(no) / len(no)) / 2


def latency() -> None:
    """CPU time: the 95th percentile at 2 kB over real texts, the median of three at 1 MB, growth on hostile strings."""
    injection, output, grounded = InjectionGuard(), OutputGuard(competitors=("Globex",)), GroundednessGuard()
    texts = [text.text for texts in external_texts().values() for text in texts if len(text.text) > 1500]
    some = [text[:2000] for text in random.Random(1).sample(texts, 150)]
    plain = ("The order was shipped on Monday and the customer asked about the warranty of the lamp. " * 12_000)[
        :1_000_000
    ]
    for guard, kind in ((injection, "input"), (injection, "tool_result"), (output, "output"), (grounded, "output")):
        times = sorted(_cpu(guard, Event(kind=kind, text=text, data={"context": text})) for text in some)
        whole = statistics.median(
            _cpu(guard, Event(kind=kind, text=plain, data={"context": plain[:2000]})) for _ in range(3)
        )
        print(f"{guard.name} {kind}: 2 kB p95 {1000 * times[int(0.95 * len(times))]:.2f} ms, 1 MB {whole:.2f} s")
        for text in HOSTILE:
            sizes = (64_000, 128_000, 256_000, 512_000, 1_000_000)
            took = [_cpu(guard, Event(kind=kind, text=(text * size)[:size], data={"context": "a b"})) for size in sizes]
            growth = [later / max(earlier, 1e-4) for earlier, later in itertools.pairwise(took)]
            print(f"    {text!r:12} 1 MB {took[-1]:.2f} s, growth {max(growth):.2f}")


def _cpu(guard: InjectionGuard | OutputGuard | GroundednessGuard, given: Event) -> float:
    started = time.process_time()
    guard.check(given)
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("sources", "disguises", "groundedness", "latency"))
    parser.add_argument("--fast", action="store_true", help="shipped weights only; sources without their own are seen")
    given = parser.parse_args()
    match given.what:
        case "sources":
            sources(given.fast)
        case "disguises":
            disguises()
        case "groundedness":
            groundedness_on_begin()
        case "latency":
            latency()


if __name__ == "__main__":
    main()
