"""Guards for personal data, secrets and tool arguments: what they miss, what they take wrongly, what they cost.

    python -m benchmarks.guardrails_pii [misses|wrong|latency|hostile|public] ...

Asked for: no miss on 3,000 made-up values per type and on labelled public data (telephone numbers by themselves), less
than 1 % of order numbers and dates taken for personal data, 2 kB in 5 ms (95th percentile), 1 MB in 1 s, and twice the
text in less than 2.6 times the time on texts made of one hostile piece, from 64 kB to 1 MB. Times are CPU seconds of
this process, medians of three unless said otherwise.
"""

from __future__ import annotations

import csv
import json
import os
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from benchmarks.figures import Figure, Result
from harness.core.decision import Event
from harness.guardrails.pii import PiiGuard
from harness.guardrails.secrets import SecretsGuard
from harness.guardrails.tool_arguments import ToolArgumentsGuard
from harness.stats.rates import wilson
from tests.guardrails.pii_values import TEMPLATES, VALUES, bare_order_number, date, order_number

ROOT = Path(__file__).parents[1]
PUBLIC = Path(os.environ.get("HARNESS_EXTERNAL_DATA", ROOT.parent / "shared" / "data"))
HOSTILE = (
    "1.1.1.",
    "123-45-",
    "a",
    "4111 ",
    "@",
    "a.",
    "a@",
    "sk-",
    "../",
    "%25",
    "' ",
    "::1 ",
    "\\u0040",
    "password=",
)
PROSE = "Your order 4482910 of 2024-03-01 left for 12 High Street; we write again on Monday at 10:30 if it is late. "
TYPES = {
    "US_SSN": "ssn", "CREDIT_CARD": "credit_card", "EMAIL_ADDRESS": "email", "IP_ADDRESS": "ip", "IBAN_CODE": "iban",
    "PHONE_NUMBER": "phone",
}  # fmt: skip

pii, secrets = PiiGuard(), SecretsGuard()
arguments = ToolArgumentsGuard(unknown_tools="allow", max_chars=10**8)


def judged(name: str, text: str) -> Callable[[], object]:
    """One check of a text by a guard."""
    if name == "tool_arguments":
        event = Event(kind="tool_call", text=json.dumps({"note": text}), data={"tool": "act"})
        return lambda: arguments.check(event)
    guard = pii if name == "pii" else secrets
    return lambda: guard.check(Event(kind="output", text=text))


def cpu_s(work: Callable[[], object], times: int = 3) -> list[float]:
    """CPU seconds of each of some runs, in order."""
    out = []
    for _ in range(times):
        begun = time.process_time()
        work()
        out.append(time.process_time() - begun)
    return sorted(out)


def misses() -> Iterator[str]:
    """Made-up values of every type in neutral sentences."""
    for category, make in VALUES.items():
        chance = random.Random(f"bench {category}")
        missed = named = 0
        for _ in range(10_000):
            value, template = make(chance), chance.choice(TEMPLATES)
            text = template.format(value)
            start = text.index(value)
            found = [one for one in pii.detect(text) if one.start <= start and one.end >= start + len(value)]
            missed += not found
            named += any(one.category == category for one in found)
        yield f"{category:12} missed {missed} of 10,000, called by its own name {named}"


def wrong() -> Iterator[str]:
    """Numbers that are no personal data."""

    def long_number(chance: random.Random) -> str:
        return chance.choice(TEMPLATES).format(chance.randint(10**12, 10**19 - 1))

    for make in (order_number, bare_order_number, date, long_number):
        chance = random.Random(f"bench {make.__name__}")
        count = sum(bool(pii.detect(make(chance))) for _ in range(10_000))
        yield f"{make.__name__:18} {rate(count, 10_000)}"


def rate(count: int, total: int) -> str:
    """A rate with its interval."""
    low, high = wilson(count, total)
    return f"{count} of {total} ({count / total:.2%}, 95 % {low:.2%} to {high:.2%})"


def latency() -> Iterator[str]:
    """What a check costs on ordinary text and on JSON."""
    rows = json.dumps([{"id": at, "mail": f"u{at}@example.com", "card": 4111111111111111} for at in range(16_000)])
    for name in ("pii", "secrets", "tool_arguments"):
        small = cpu_s(judged(name, PROSE * 19), 200)
        middle, late = statistics.median(small) * 1e3, small[189] * 1e3
        yield f"{name:15} 2 kB: median {middle:.2f} ms, 95th percentile {late:.2f} ms"
        yield f"{name:15} 1 MB of prose: {cpu_s(judged(name, PROSE * 9800))[1]:.2f} s"
        yield f"{name:15} 1 MB of JSON, 32,000 values: {cpu_s(judged(name, rows))[1]:.2f} s"
    stream, words = pii.stream(), (PROSE * 950).split(" ")
    begun = time.process_time()
    released = [len(stream.feed(word + " ")) for word in words]
    stream.finish()
    took = time.process_time() - begun
    yield f"pii stream      100 kB in {len(words)} pieces: {took:.2f} s, {took / len(words) * 1e6:.0f} us a piece"
    yield f"pii stream      pieces that released something at once: {sum(map(bool, released)) / len(released):.0%}"


def hostile() -> Iterator[str]:
    """Texts made of one piece, at 64 kB and each doubling up to 1 MB."""
    for name in ("pii", "secrets", "tool_arguments"):
        for piece in HOSTILE:
            times = []
            for power in range(16, 21):
                text = (piece * (2**power // len(piece) + 1))[: 2**power]
                times.append(max(cpu_s(judged(name, text))[1], 1e-6))
            ratios = [late / early for early, late in pairwise(times)]
            shown = " ".join(f"{ratio:.2f}" for ratio in ratios)
            yield f"{name:15} {piece!r:12} 1 MB {times[-1]:.3f} s; twice the text, times the time: {shown}"


def public() -> Iterator[str]:
    """Labelled public data, and public texts without labels."""
    if not PUBLIC.is_dir():
        yield f"no public data at {PUBLIC}"
        return
    for name in ("presidio_generated_small", "presidio_synth_dataset_v2"):
        counts: Counter[str] = Counter()
        for row in json.loads((PUBLIC / f"pii/{name}.json").read_text(encoding="utf-8")):
            gold = [
                (span["start_position"], span["end_position"], TYPES[span["entity_type"]])
                for span in row["spans"]
                if span["entity_type"] in TYPES
            ]
            found = [(one.start, one.end) for one in pii.detect(row["full_text"])]
            for start, end, kind in gold:
                counts[f"{kind} all"] += 1
                counts[f"{kind} covered"] += any(a <= start and b >= end for a, b in found)
                counts[f"{kind} exact"] += (start, end) in found
            counts["beside"] += sum(not any(a < e and b > s for s, e, _ in gold) for a, b in found)
        for kind in TYPES.values():
            total = counts[f"{kind} all"]
            if total:
                covered, exact = counts[f"{kind} covered"], counts[f"{kind} exact"]
                yield f"{name:26} {kind:12} covered {covered} of {total}, exact {exact}"
        yield f"{name:26} spans beside every label: {counts['beside']}"
    for name, texts in _unlabelled():
        rows = list(texts)
        for guard in (pii, secrets):
            flagged = sum(bool(guard.detect(text)) for text in rows)
            yield f"{name:26} {guard.name:8} texts with a finding: {flagged} of {len(rows)}"


def _unlabelled() -> Iterator[tuple[str, Iterable[str]]]:
    with (PUBLIC / "benign/xstest_prompts.csv").open(encoding="utf-8") as file:
        yield "xstest", [row["prompt"] for row in csv.DictReader(file)]
    yield "notinject", [row["prompt"] for row in json.loads((PUBLIC / "benign/notinject_one.json").read_text())]
    yield "begin wow", (PUBLIC / "grounded/begin_dev_wow.tsv").read_text(encoding="utf-8").splitlines()
    yield "blns", json.loads((PUBLIC / "strings/blns.json").read_text(encoding="utf-8"))


def run(scale: float = 1.0) -> Result:
    """What is asked for of times, as figures; misses and false alarms are printed by :func:`main`."""
    figures = []
    for name in ("pii", "secrets", "tool_arguments"):
        count = max(20, int(200 * scale))
        late = cpu_s(judged(name, PROSE * 19), count)[int(0.95 * count) - 1]
        figures.append(Figure(what=f"{name}, 2 kB, p95", value=late * 1e3, unit="ms", at_most=5))
        figures.append(
            Figure(what=f"{name}, 1 MB of prose", value=cpu_s(judged(name, PROSE * 9800))[1], unit="s", at_most=1)
        )
        worst, where = 0.0, ""
        for piece in HOSTILE:
            sizes = range(16, 21) if scale == 1 else range(16, 18)
            times = [
                max(cpu_s(judged(name, (piece * (2**power // len(piece) + 1))[: 2**power]))[1], 1e-6) for power in sizes
            ]
            worst, where = max((worst, where), *((late / early, piece) for early, late in pairwise(times)))
        what = f"{name}, worst t(2n)/t(n) on hostile texts"
        figures.append(Figure(what=what, value=worst, unit="x", at_most=2.6, note=f"{where!r} repeated"))
    return Result(
        name="guardrails_pii",
        title="What the guards for personal data, secrets and tool arguments cost",
        method="CPU seconds of this process: medians of three, or the 95th percentile where it says so.",
        figures=tuple(figures),
        scale=scale,
    )


def main(wanted: list[str]) -> None:
    """Print what was asked for, all of it by default."""
    parts = {"misses": misses, "wrong": wrong, "latency": latency, "hostile": hostile, "public": public}
    for name in wanted or parts:
        print(f"\n{name}: {parts[name].__doc__}")
        for line in parts[name]():
            print("  " + line)


if __name__ == "__main__":
    main(sys.argv[1:])
