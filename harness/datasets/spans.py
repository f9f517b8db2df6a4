"""OpenTelemetry GenAI spans as chat messages.

Read are spans with ``gen_ai.output.messages`` (semantic conventions for generative AI, "Inference" and "Agent" spans),
as the OTLP file exporter writes them (``resourceSpans``; JSON encoding of OTLP 1) or as flat objects with a mapping
``attributes``. Messages are lists of ``{"role", "parts": [...]}``, as structure or as a JSON string; parts of the types
``text``, ``tool_call`` and ``tool_call_response`` are read, others left out.

One trace is one conversation: of its spans the one with the most to tell (``invoke_agent`` first, then the last to end)
stands for it, because an agent's span holds what the model calls below it hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

INPUT, OUTPUT, SYSTEM = "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"


def is_span(entry: Any) -> bool:
    """Whether an entry of a log is a span, or an export of spans."""
    if not isinstance(entry, Mapping):
        return False
    return "resourceSpans" in entry or ("attributes" in entry and "messages" not in entry)


def spans_of(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The spans of an entry as ``{"trace", "end", "attributes": {name: value}}``."""
    for resource in _list(entry, "resourceSpans"):
        for scope in _list(resource, "scopeSpans"):
            for span in _list(scope, "spans"):
                yield _span(span)
    if "resourceSpans" not in entry:
        yield _span(entry)


def conversations(spans: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """One entry per trace: ``{"id", "messages", "model", **attributes}``; traces without messages are left out."""
    best: dict[str, tuple[tuple[bool, int], Mapping[str, Any]]] = {}
    for number, span in enumerate(spans):
        attributes = span["attributes"]
        if not attributes.get(OUTPUT):
            continue
        key = str(span["trace"] or attributes.get("gen_ai.conversation.id") or f"span-{number}")
        rank = (attributes.get("gen_ai.operation.name") == "invoke_agent", _whole(span["end"]) or number)
        if key not in best or rank > best[key][0]:
            best[key] = (rank, span)
    for key, (_, span) in best.items():
        attributes = span["attributes"]
        told = [*_system(attributes.get(SYSTEM)), *_messages(attributes.get(INPUT)), *_messages(attributes.get(OUTPUT))]
        if told:
            plain = {name: value for name, value in attributes.items() if isinstance(value, (str, int, bool))}
            model = attributes.get("gen_ai.response.model") or attributes.get("gen_ai.request.model") or ""
            yield {**plain, "id": key, "messages": told, "model": model}


def _span(span: Any) -> dict[str, Any]:
    given = span.get("attributes") if isinstance(span, Mapping) else None
    context = span.get("context") if isinstance(span, Mapping) else None
    trace = span.get("traceId") or span.get("trace_id") if isinstance(span, Mapping) else ""
    if not trace and isinstance(context, Mapping):
        trace = context.get("trace_id")
    if isinstance(given, Mapping):
        attributes = dict(given)
    else:
        pairs = [pair for pair in (given if isinstance(given, list) else ()) if isinstance(pair, Mapping)]
        attributes = {str(pair.get("key")): _value(pair.get("value")) for pair in pairs}
    end = span.get("endTimeUnixNano") if isinstance(span, Mapping) else None
    return {"trace": trace or "", "end": end, "attributes": attributes}


def _value(given: Any) -> Any:
    """An OTLP ``AnyValue`` as plain JSON."""
    if not isinstance(given, Mapping):
        return given
    if "arrayValue" in given:
        return [_value(item) for item in _list(given["arrayValue"], "values")]
    if "kvlistValue" in given:
        return {str(pair.get("key")): _value(pair.get("value")) for pair in _list(given["kvlistValue"], "values")}
    return next(iter(given.values()), None)


def _messages(given: Any) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for message in _structure(given):
        if not isinstance(message, Mapping):
            continue
        parts = [part for part in _list(message, "parts") if isinstance(part, Mapping)]
        texts = [str(part.get("content") or "") for part in parts if part.get("type") == "text"]
        role = str(message.get("role") or "user")
        calls = [_call(part) for part in parts if part.get("type") == "tool_call"]
        for part in parts:
            if part.get("type") == "tool_call_response":
                answer = part.get("response", part.get("result"))
                text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
                out.append({"role": "tool", "tool_call_id": str(part.get("id") or ""), "content": text})
        if texts or calls:
            made: dict[str, Any] = {"role": role, "content": "\n".join(texts)}
            if calls:
                made["tool_calls"] = calls
            out.append(made)
    return out


def _call(part: Mapping[str, Any]) -> dict[str, Any]:
    arguments = part.get("arguments")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {}, ensure_ascii=False)
    function = {"name": str(part.get("name") or ""), "arguments": text}
    return {"id": str(part.get("id") or ""), "type": "function", "function": function}


def _system(given: Any) -> list[dict[str, Any]]:
    parts = [part for part in _structure(given) if isinstance(part, Mapping) and part.get("type") == "text"]
    text = "\n".join(str(part.get("content") or "") for part in parts)
    return [{"role": "system", "content": text}] if text else []


def _structure(given: Any) -> list[Any]:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return []
    return given if isinstance(given, list) else []


def _list(given: Any, name: str) -> list[Any]:
    found = given.get(name) if isinstance(given, Mapping) else None
    return found if isinstance(found, list) else []


def _whole(given: Any) -> int:
    try:
        return int(given)
    except (TypeError, ValueError):
        return 0
