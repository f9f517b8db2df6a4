"""Asking a model for one verdict: again, with the mistake named, when the reply is none; never a score from nothing."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from harness.core.contracts import Model
from harness.core.errors import ProviderBroken, UsageError
from harness.core.judges import judge_home
from harness.evaluators.judge.opinion import Ballot
from harness.evaluators.judge.reply import Invalid, Refused, content_of, token_probabilities, verdict_of
from harness.evaluators.judge.rubric import Rubric

MAX_AGAIN = 3
"""How often a reply that is no verdict is handed back."""
_BACK = 4_000
_HERE = ("localhost", "127.0.0.1", "::1")


async def ask(
    model: Model, rubric: Rubric, validator: Any, messages: Sequence[Mapping[str, str]], options: Mapping[str, Any]
) -> Ballot | str:
    """One sample's verdict, or why there is none.

    :raises Broken: what the way to the model raises (provider, budget, a missing recording).
    """
    history: list[Mapping[str, str]] = list(messages)
    problem = ""
    for attempt in range(1, MAX_AGAIN + 2):
        try:
            reply = await model.complete(history, **options)
        except ProviderBroken as error:
            if error.reason != "empty_reply":
                raise
            return f"the judge said nothing: {error}"
        text = ""
        try:
            text = content_of(reply.body)
            verdict = verdict_of(text, validator)
        except Refused as refusal:
            return str(refusal)
        except Invalid as invalid:
            problem = str(invalid)
            again = (
                f"Your reply was no verdict: {problem}. Reply with the JSON object only, in the form you were given."
            )
            history += [{"role": "assistant", "content": text[:_BACK] or "(empty)"}, {"role": "user", "content": again}]
            continue
        if rubric.kind == "pairwise":
            return Ballot(
                winner=verdict["winner"],
                reasons={"": verdict["reason"]},
                probabilities=token_probabilities(reply.body, text, ["winner"]),
                attempts=attempt,
            )
        return Ballot(
            scores={name: int(part["score"]) for name, part in verdict.items()},
            reasons={name: part["reason"] for name, part in verdict.items()},
            probabilities=token_probabilities(reply.body, text, list(verdict)),
            attempts=attempt,
        )
    return f"no valid verdict in {MAX_AGAIN + 1} replies; the last one: {problem}"


def as_judge(model: Model | str) -> Model:
    """The model of a spec, or the given one, whose calls are counted as a judge's and not as the agent's.

    :raises UsageError: a spec outside a session, or something that is no model.
    """
    if isinstance(model, str):
        make = judge_home().model
        if make is None:
            raise UsageError(
                f"judge {model!r}: a spec is understood in a session or a command of the harness; elsewhere give the "
                "model itself, such as LiteLLMModel('openai/gpt-4o')"
            )
        return make(model)
    if not callable(getattr(model, "complete", None)):
        raise UsageError(f"a judge's model needs a coroutine complete(messages, *, tools); got {model!r:.200}")
    if getattr(model, "purpose", "judge") == "judge":
        return model
    counted: Any = copy.copy(model)
    counted.purpose = "judge"
    made: Model = counted
    return made


def described(model: Model | str) -> dict[str, Any]:
    """What of a model can change its verdicts: name, endpoint (unless it is on this machine), its own options."""
    if isinstance(model, str):
        kind, _, rest = model.partition(":")
        name, at, address = rest.rpartition("@http")
        if kind == "openai" and at:
            return {"model": name, "endpoint": _endpoint(f"http{address}")}
        return {"model": rest if kind in ("openai", "litellm") else model, "endpoint": ""}
    name = str(getattr(model, "model", "") or getattr(model, "name", ""))
    url = str(getattr(model, "url", "") or getattr(model, "api_base", "") or "")
    if url == "https://api.openai.com/v1/chat/completions":
        url = ""
    out: dict[str, Any] = {"model": name, "endpoint": "" if getattr(model, "local", False) else _endpoint(url)}
    own = getattr(model, "options", None)
    if isinstance(own, Mapping) and own:
        out["options"] = {str(key): value for key, value in own.items()}
    return out


def _endpoint(url: str) -> str:
    """The host of an address; none for this machine, whose ports change from run to run."""
    try:
        parts = urlsplit(url)
        return "" if not parts.hostname or parts.hostname in _HERE else parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
