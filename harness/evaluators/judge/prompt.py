"""The prompt: rubric and material as chat messages, the material between lines that it cannot forge.

Three walls stand between judged text and the judge's instructions, each enough by itself:

- the *mark* in every delimiter is a hash over all of the material, so a text that holds it would be a fixed point of
  SHA-256; it is the same for the same material, seed, trial and sample, so that caches and recordings find it again;
- every line of the material begins with ``| ``, whatever ends lines in it, so no line of it can be a delimiter;
- characters that a reader does not see (direction marks, tags, control characters) are written out as ``\\u{...}``.

Rules and rubric stand in the system message, which is the same for every case, and may be cached by the provider.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from harness.core.case import canonical_json
from harness.evaluators.judge.rubric import Criterion, Rubric

_HOLE = re.compile(r"\{\{(\w+)\}\}")
_LINES = re.compile("\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]"
)


@cache
def template(name: str) -> tuple[str, str]:
    """Version and text of a prompt of this package."""
    text = (files("harness.evaluators.judge") / "prompts" / f"{name}.txt").read_text("utf-8")
    head, _, body = text.partition("\n")
    return head.removeprefix("version:").strip(), body.strip()


def prompt_identity(rubric: Rubric) -> dict[str, str]:
    """What of the prompt belongs to a judge's identity: its version, and a hash of its text."""
    version, text = template(rubric.kind)
    return {"name": rubric.kind, "version": version, "text": hashlib.sha256(text.encode()).hexdigest()[:16]}


def system_text(rubric: Rubric, *, reverse: bool = False) -> str:
    """Rules, rubric and the form of the reply.

    :param reverse: criteria and anchors in the opposite order, for the exam of a judge's steadiness.
    """
    _, text = template(rubric.kind)
    criteria = list(reversed(rubric.criteria)) if reverse else list(rubric.criteria)
    pairwise = rubric.kind == "pairwise"
    if pairwise:
        shape: dict[str, Any] = {"reason": "<text>", "winner": "<A, B or tie>"}
        said = "\n".join(f"- {one.name}: {one.question}" for one in criteria)
    else:
        shape = {one.name: {"reason": "<text>", "score": f"<{one.low} to {one.high}>"} for one in criteria}
        said = "\n".join(_criterion(one, reverse=reverse) for one in criteria)
    filled = {
        "rubric": rubric.name,
        "instructions": rubric.instructions,
        "criteria": said,
        "shape": re.sub(r'"(<[\d ]+to[\d ]+>)"', r"\1", json.dumps(shape, indent=1)),
    }
    # One pass: what is filled in is never read as a hole again.
    return _HOLE.sub(lambda hole: filled[hole[1]], text)


def user_text(parts: Mapping[str, str], *, mark: str) -> str:
    """The material between its delimiters."""
    blocks = [f"<<<{name} {mark}>>>\n{quoted(text)}\n<<<end {name} {mark}>>>" for name, text in parts.items()]
    said = "\n\n".join(blocks)
    return f"The mark of this message is {mark}.\n\n{said}\n\nJudge the material by the rubric. Reply with JSON only."


def mark_of(parts: Mapping[str, str], *, seed: int, sample: int, trial: int = 0) -> str:
    """A mark that the material cannot hold: 24 hexadecimal digits over all of it."""
    text = canonical_json([dict(parts), seed, sample, trial]).encode("utf-8", "surrogatepass")
    mark = hashlib.sha256(text).hexdigest()[:24]
    while any(mark in part for part in parts.values()):  # not in this universe, and yet not worth trusting to luck
        mark = hashlib.sha256(mark.encode() + text).hexdigest()[:24]
    return mark


def messages_for(
    system: str, parts: Mapping[str, str], *, seed: int = 0, sample: int = 0, trial: int = 0
) -> list[dict[str, str]]:
    """The two messages of a question to a judge.

    :param system: what :func:`system_text` made of the rubric.
    """
    mark = mark_of(parts, seed=seed, sample=sample, trial=trial)
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": user_text(parts, mark=mark)},
    ]


def quoted(text: str) -> str:
    """Material as it stands in a prompt: every line behind ``| ``, what cannot be seen written out."""
    shown = _UNSEEN.sub(lambda found: f"\\u{{{ord(found[0]):x}}}", _LINES.sub("\n", text))
    return "\n".join(f"| {line}" for line in shown.split("\n"))


def _criterion(one: Criterion, *, reverse: bool) -> str:
    anchors = sorted(one.anchors.items(), reverse=reverse)
    lines = [f"- {one.name}: {one.question} Whole number from {one.low} (worst) to {one.high} (best)."]
    return "\n".join(lines + [f"    {score}: {text}" for score, text in anchors])
