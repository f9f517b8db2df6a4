"""Trains the weights of the injection guard, deterministically and in less than a minute per set of weights.

    python -m benchmarks.train_injection

The own text is made from the templates in ``fixtures/training/injection``; the external sources are read where they
lie (``HARNESS_EXTERNAL_DATA``) and never copied. The data card is ``harness/guardrails/models/injection.md``.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from benchmarks.injection.own_text import ROOT, own_texts
from benchmarks.injection.recipe import model, prepare, words
from benchmarks.injection.sources import external_texts
from harness.guardrails.canonical.vocabulary import vocabulary
from harness.guardrails.injection.linear_model import SOURCES, pack


def main() -> None:
    """Write the vocabulary, the shipped weights, and those without each source of attacks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "harness" / "guardrails" / "models")
    out = parser.parse_args().out
    own = own_texts()
    (out / "words.txt").write_text("\n".join(words(own)) + "\n", encoding="utf-8")
    vocabulary.cache_clear()
    prepared = {"own": prepare(own)} | {source: prepare(texts) for source, texts in external_texts().items()}
    for without in ("", *SOURCES):
        started = time.process_time()
        made = pack(model(prepared, without))
        name = f"injection-without-{without}.npz" if without else "injection.npz"
        (out / name).write_bytes(made)
        print(f"{name}: {len(made) / 1000:.0f} kB, {time.process_time() - started:.1f} s of CPU time")


if __name__ == "__main__":
    main()
