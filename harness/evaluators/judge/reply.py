"""Reading a judge's reply: strictly by JSON Schema, or not at all.

- The reply is one JSON object, alone or as the only fenced block. Keys that occur twice, other keys, fractions where
  the scale is whole, NaN and values off the scale are errors, told back to the judge.
- A refusal is an answer that no feedback should argue with: it is not asked again.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from harness.evaluators.judge.rubric import Rubric

MAX_REPLY = 100_000
"""A longer reply is not parsed."""
_FENCE = re.compile(r"```[\w-]*[ \t]*\n(.*?)```", re.DOTALL)
_SCORE = re.compile(r'"(?:score|winner)"\s*:\s*"?(-?\d+|A|B|tie)')


class Refused(Exception):
    """The judge would not judge."""


class Invalid(Exception):
    """The reply is no verdict; the message says why, for the judge to read."""


def schema_of(rubric: Rubric) -> dict[str, Any]:
    """The JSON Schema of a verdict."""
    reason = {"type": "string"}
    if rubric.kind == "pairwise":
        properties: dict[str, Any] = {"reason": reason, "winner": {"enum": ["A", "B", "tie"]}}
    else:
        properties = {
            one.name: {
                "type": "object",
                "properties": {
                    "reason": reason,
                    "score": {"type": "integer", "minimum": one.low, "maximum": one.high},
                },
                "required": ["reason", "score"],
                "additionalProperties": False,
            }
            for one in rubric.criteria
        }
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def validator_of(rubric: Rubric) -> Any:
    """A checker of verdicts, made once per judge."""
    import jsonschema

    return jsonschema.Draft202012Validator(schema_of(rubric))


def content_of(body: Any) -> str:
    """The text of a reply.

    :raises Refused: the model refused, or its provider's filter stepped in.
    :raises Invalid: there is no text.
    """
    try:
        choice = body["choices"][0]
        message = choice["message"]
        content, refusal, finish = message.get("content"), message.get("refusal"), choice.get("finish_reason")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise Invalid("the reply is no chat completion") from None
    if refusal:
        raise Refused(f"the judge refused: {str(refusal)[:300]}")
    if finish == "content_filter":
        raise Refused("the provider's content filter stopped the judge")
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))
    if not isinstance(content, str) or not content.strip():
        raise Invalid("the reply is empty")
    if finish == "length":
        raise Invalid("the reply was cut off before its end; be briefer")
    return content


def verdict_of(text: str, validator: Any) -> dict[str, Any]:
    """The verdict in a reply's text.

    :raises Invalid: there is none; says what is wrong.
    """
    if len(text) > MAX_REPLY:
        raise Invalid(f"the reply has {len(text):,} characters, more than {MAX_REPLY:,}")
    stripped = text.strip()
    if not stripped.startswith("{"):
        blocks = _FENCE.findall(stripped)
        if len(blocks) != 1:
            raise Invalid("the reply is not one JSON object")
        stripped = blocks[0].strip()
    try:
        value = json.loads(stripped, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"the reply is not valid JSON: {str(error)[:200]}") from None
    wrong = next(iter(validator.iter_errors(value)), None)
    if wrong is not None:
        raise Invalid(f"{wrong.json_path}: {wrong.message[:200]}")
    found: dict[str, Any] = value
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key occurs twice")
    return made


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def token_probabilities(body: Any, text: str, keys: list[str]) -> dict[str, dict[str, float]]:
    """Per criterion, in the order in which the reply names them, the probabilities of what its score could have been.

    Read from ``choices[0].logprobs.content`` of the OpenAI chat API: the first token of each score with its listed
    alternatives, normalised over those that are scores. Empty where the endpoint gave none, or where tokens and text do
    not fit together.
    """
    try:
        tokens = body["choices"][0]["logprobs"]["content"]
        places, at = [], 0
        for token in tokens:
            places.append((at, at + len(token["token"])))
            at += len(token["token"])
        if "".join(token["token"] for token in tokens) != text:
            return {}
        found = list(_SCORE.finditer(text))
        if len(found) != len(keys):
            return {}
        made = {}
        for key, match in zip(keys, found, strict=True):
            start = match.start(1)
            token = next(t for t, (low, high) in zip(tokens, places, strict=True) if low <= start < high)
            mass: dict[str, float] = {}
            for other in token.get("top_logprobs") or [token]:
                word = re.sub(r"[^\w-]", "", other["token"])
                if re.fullmatch(r"-?\d+|A|B|tie", word):
                    mass[word] = mass.get(word, 0.0) + math.exp(min(0.0, float(other["logprob"])))
            if match[1] not in mass or sum(mass.values()) <= 0:
                return {}
            total = sum(mass.values())
            made[key] = {word: share / total for word, share in mass.items()}
        return made
    except (KeyError, IndexError, TypeError, ValueError, StopIteration, AttributeError):
        return {}
