"""One trial as the page shows it: plain JSON, bounded in size whatever the agent wrote.

Bounds, in characters: a message, an argument text or a tool result 64,000; everything else 16,000; a trial 1,000
messages (the first 600 and the last 400) and about 2,000,000 in all. What is cut says so, and how much; the journal has
it all. Control characters are left as they are here: the page makes them visible where it shows them.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from harness.core.record import Record
from harness.core.score import Score
from harness.core.trajectory import Message, ModelCall, ToolCall, Trajectory
from harness.reporting import numbers

MESSAGE_LIMIT = 64_000
OTHER_LIMIT = 16_000
TRIAL_LIMIT = 2_000_000
FIRST_MESSAGES, LAST_MESSAGES = 600, 400
MOST_ITEMS = 1_000
LINE = 100
_THINKING = ("reasoning_content", "reasoning", "thinking")
_KNOWN = {"role", "content", "tool_calls", "tool_call_id", "name", "is_error", *_THINKING}


def trial_view(record: Record) -> dict[str, Any]:
    """The trial as JSON. Never raises on what an agent wrote: what cannot be shown is replaced by a notice."""
    view: dict[str, Any] = {"trial": record.trial, "outcome": record.outcome, "seed": record.seed}
    view["facts"] = _facts(record)
    if record.nodeid:
        view["nodeid"] = f"pytest {shlex.quote(record.nodeid)}"
    if record.error is not None:
        view["error"] = {
            "kind": record.error.kind,
            "reason": record.error.reason,
            "type": record.error.type,
            "message": clip(record.error.message, OTHER_LIMIT),
            "detail": clip(record.error.detail, OTHER_LIMIT),
        }
    if record.failure:
        view["failure"] = clip(record.failure, OTHER_LIMIT)
    try:
        if record.scores:
            view["scores"] = [_score(score) for score in record.scores[:MOST_ITEMS]]
        if record.trajectory is not None:
            view.update(_trajectory(record.trajectory))
    except (RecursionError, TypeError, ValueError, AttributeError) as error:
        # A hostile trajectory (arguments nested 100,000 deep, messages that are not mappings) must not cost the report.
        view["notice"] = f"This trial cannot be shown ({type(error).__name__}); the journal has it as it was written."
    return view


def clip(text: str, limit: int) -> str:
    """The text, cut at ``limit`` characters with a sentence that says what is missing."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n… cut, {len(text) - limit:,} more characters; the full text is in the journal"


def json_text(value: Any, limit: int = OTHER_LIMIT) -> str:
    """A value as indented JSON text, bounded; a text stays as it is."""
    if isinstance(value, str):
        return clip(value, limit)
    return clip(_laid_out(value), limit)


def _laid_out(value: Any) -> str:
    """JSON on one line where it fits, else indented."""
    line = json.dumps(value, ensure_ascii=False, default=str)
    return line if len(line) <= LINE else json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _facts(record: Record) -> list[list[str]]:
    """Label and printed value, in the order shown."""
    facts = [["Duration", numbers.seconds(record.duration_s)]]
    trajectory = record.trajectory
    if trajectory is not None and trajectory.latency_s is not None:
        facts.append(["Agent latency", numbers.seconds(trajectory.latency_s)])
    facts.append(["Cost", "unknown" if record.cost_usd is None else numbers.usd(record.cost_usd)])
    if record.judge_cost_usd is not None:
        facts.append(["Judging", numbers.usd(record.judge_cost_usd)])
    if trajectory is not None and trajectory.model_calls:
        facts.append(["Model calls", numbers.count(len(trajectory.model_calls))])
        facts.append(["Tokens", numbers.count(trajectory.usage.total_tokens)])
    return facts


def _score(score: Score) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": score.name,
        "value": numbers.measured(score.value, score.unit),
        "reason": clip(score.reason, OTHER_LIMIT),
    }
    if score.passed is not None:
        shown["passed"] = score.passed
    if score.value is None:
        shown["unmeasured"] = "nothing expected" if score.expected_nothing else (score.error_kind or "not measured")
    if score.evidence:
        shown["evidence"] = json_text(dict(score.evidence))
    return shown


def _trajectory(trajectory: Trajectory) -> dict[str, Any]:
    out: dict[str, Any] = {"messages": _messages(trajectory)}
    if trajectory.model_calls:
        out["calls"] = [_model_call(call) for call in trajectory.model_calls[:MOST_ITEMS]]
        if len(trajectory.model_calls) > MOST_ITEMS:
            out["calls_left_out"] = len(trajectory.model_calls) - MOST_ITEMS
    if trajectory.state is not None:
        out["state"] = json_text(trajectory.state)
    if trajectory.metadata:
        out["metadata"] = json_text(dict(trajectory.metadata))
    return out


def _messages(trajectory: Trajectory) -> list[dict[str, Any]]:
    by_step: dict[int, list[ToolCall]] = {}
    answered: set[str] = set()
    unnamed = 0
    for call in trajectory.tool_calls:
        by_step.setdefault(call.step, []).append(call)
        if call.result is not None:
            if call.id:
                answered.add(call.id)
            else:
                unnamed += 1
    shown: list[dict[str, Any]] = []
    step = -1
    for message in trajectory.messages:
        role = str(message.get("role") or "?")
        calls: Sequence[ToolCall] = ()
        if role == "assistant":
            step += 1
            calls = by_step.get(step, ())
        elif role == "tool":
            # A result is shown under its call; only a result that answers nothing stands alone.
            key = message.get("tool_call_id")
            if isinstance(key, str) and key in answered:
                answered.discard(key)
                continue
            if not key and unnamed:
                unnamed -= 1
                continue
        shown.append(_message(role, message, calls))
    return _bounded(shown)


def _message(role: str, message: Message, calls: Sequence[ToolCall]) -> dict[str, Any]:
    out: dict[str, Any] = {"role": role[:80], "text": clip(_content(message.get("content")), MESSAGE_LIMIT)}
    for key in _THINKING:
        if isinstance(message.get(key), str) and message[key]:
            out["thinking"] = clip(message[key], MESSAGE_LIMIT)
            break
    if role != "assistant" and message.get("name"):
        out["name"] = str(message["name"])[:200]
    if calls:
        out["tools"] = [_tool_call(call) for call in calls[:MOST_ITEMS]]
        if len(calls) > MOST_ITEMS:
            out["tools_left_out"] = len(calls) - MOST_ITEMS
    extra = {key: value for key, value in message.items() if key not in _KNOWN and value not in (None, "", [], {})}
    if extra:
        out["extra"] = json_text(extra)
    return out


def _content(content: Any) -> str:
    """Content as text; parts that are not text are named, with their size, not shown."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        return json_text(content)
    texts = []
    for part in content:
        if isinstance(part, Mapping) and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif isinstance(part, Mapping):
            written = json.dumps(part, default=str)
            texts.append(f"[{part.get('type', 'part')}, {numbers.size(len(written))}]")
        else:
            texts.append(str(part))
    return "\n".join(texts)


def _tool_call(call: ToolCall) -> dict[str, Any]:
    arguments = call.raw_arguments
    if call.arguments is not None:
        arguments = json_text(call.arguments, MESSAGE_LIMIT) if call.arguments else ""
    out: dict[str, Any] = {"name": call.name[:200] or "(no name)", "arguments": clip(arguments, MESSAGE_LIMIT)}
    if call.arguments is None:
        out["unreadable"] = True
    if call.result is not None:
        out["result"] = clip(_indented(call.result), MESSAGE_LIMIT)
    if call.error is not None:
        out["error"] = clip(call.error, OTHER_LIMIT)
    return out


def _indented(text: str) -> str:
    """A tool result that is a JSON object or list, indented; any other text as it is."""
    if len(text) > MESSAGE_LIMIT or text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        return _laid_out(json.loads(text))
    except ValueError:
        return text


def _model_call(call: ModelCall) -> dict[str, Any]:
    notes = [f"{call.attempts} attempts"] if call.attempts != 1 else []
    if call.replayed:
        notes.append("from a recording")
    if call.purpose != "agent":
        notes.append(call.purpose)
    usage = call.usage
    return {
        "model": f"{call.provider}/{call.model}"[:200] if call.provider else call.model[:200],
        "latency": "" if call.latency_s is None else numbers.seconds(call.latency_s),
        "latency_s": call.latency_s,
        "ttft": "" if call.ttft_s is None else numbers.seconds(call.ttft_s),
        "input": numbers.count(usage.input_tokens),
        "cached": numbers.count(usage.cached_tokens) if usage.cached_tokens else "",
        "output": numbers.count(usage.output_tokens),
        "cost": "unknown" if call.cost_usd is None else numbers.usd(call.cost_usd),
        "notes": ", ".join(notes),
    }


def _bounded(shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(shown) > FIRST_MESSAGES + LAST_MESSAGES:
        left_out = len(shown) - FIRST_MESSAGES - LAST_MESSAGES
        notice = {"role": "notice", "text": f"{left_out:,} messages left out here; the journal has them."}
        shown = [*shown[:FIRST_MESSAGES], notice, *shown[-LAST_MESSAGES:]]
    left = TRIAL_LIMIT
    for index, message in enumerate(shown):
        left -= _length(message)
        if left < 0:
            rest = len(shown) - index
            return [
                *shown[:index],
                {"role": "notice", "text": f"{rest:,} more messages left out: this trial is too long for a page."},
            ]
    return shown


def _length(value: Any) -> int:
    """Characters of text in a message as shown."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(_length(item) for item in value.values())
    return sum(_length(item) for item in value) if isinstance(value, list) else 1
