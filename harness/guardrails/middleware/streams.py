"""A stream of chat chunks under guard: events in, in any chunking, and what may be released out."""

from __future__ import annotations

import codecs
import json
from typing import Any

from harness.core.decision import Event
from harness.guardrails.middleware.refusals import Refusal
from harness.guardrails.session import Session, parsed

_MAX_EVENT = 1_000_000
_MAX_CHANNELS = 200


class EventStream:
    """Server-sent events of OpenAI's ``chat.completion.chunk``. Everything is written anew; nothing passes as it came.

    :param window: characters of a channel that are held back; None: everything is, until the end.
    """

    def __init__(self, session: Session, *, window: int | None) -> None:
        self._session = session
        self._window = window
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._line: list[str] = []
        self._data: list[str] = []
        self._held = 0
        self._template: dict[str, Any] | None = None
        self._channels: dict[tuple[int, str], _Channel] = {}
        self._calls: dict[tuple[int, int], dict[str, str]] = {}
        self._finish: dict[int, Any] = {}
        self._usage: Any = None

    async def feed(self, data: bytes) -> bytes:
        """What may be released after these bytes. Raises Refusal."""
        try:
            text = self._decoder.decode(data)
        except UnicodeDecodeError:
            raise Refusal(502, "bad_answer", "The answer cannot be read.") from None
        self._held += len(text)
        first, *more = text.split("\n")
        self._line.append(first)
        for part in more:
            self._end_of_line()
            self._line.append(part)
        if self._held > _MAX_EVENT:
            raise Refusal(502, "bad_answer", "The answer cannot be read.")
        if self._window is None:
            return b""
        released = [await self._released(key, channel, end=False) for key, channel in self._channels.items()]
        return b"".join(released)

    async def finish(self) -> bytes:
        """What is left to release. Raises Refusal."""
        self._end_of_line()
        self._end_of_event()
        parts = [await self._released(key, channel, end=True) for key, channel in self._channels.items()]
        calls: dict[int, list[dict[str, Any]]] = {}
        for (choice, number), call in sorted(self._calls.items()):
            made = await self._judged(call)
            calls.setdefault(choice, []).append({"index": number, **made})
        parts += [self._chunk(choice, {"tool_calls": made}) for choice, made in calls.items()]
        parts += [self._chunk(choice, {}, finish=why) for choice, why in self._finish.items()]
        if self._usage is not None and self._template is not None:
            parts.append(_event({**self._template, "choices": [], "usage": self._usage}))
        parts.append(b"data: [DONE]\n\n")
        return b"".join(parts)

    def _end_of_line(self) -> None:
        line = "".join(self._line).removesuffix("\r")
        self._line = []
        if not line:
            self._end_of_event()
        elif line.startswith("data:"):
            self._data.append(line[5:].removeprefix(" "))

    def _end_of_event(self) -> None:
        text, self._data, self._held = "\n".join(self._data), [], 0
        if not text or text == "[DONE]":
            return
        try:
            chunk = json.loads(text)
            choices = chunk["choices"]
            if self._template is None:
                known = ("id", "object", "created", "model", "system_fingerprint")
                self._template = {name: chunk[name] for name in known if name in chunk}
            for choice in choices:
                self._delta(int(choice.get("index", 0)), choice.get("delta") or {})
                if choice.get("finish_reason"):
                    self._finish[int(choice.get("index", 0))] = choice["finish_reason"]
            self._usage = chunk.get("usage") or self._usage
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise Refusal(502, "bad_answer", "The answer cannot be read.") from None

    def _delta(self, choice: int, delta: dict[str, Any]) -> None:
        for name, value in delta.items():
            if name == "tool_calls":
                for part in value or ():
                    call = self._calls.setdefault(
                        (choice, int(part.get("index", 0))), {"id": "", "name": "", "arguments": ""}
                    )
                    function = part.get("function") or {}
                    call["id"] = call["id"] or str(part.get("id") or "")
                    call["name"] += function.get("name") or ""
                    call["arguments"] += function.get("arguments") or ""
            elif isinstance(value, str) and name != "role" and value:
                self._channels.setdefault((choice, name), _Channel()).add(value)
        if len(self._channels) + len(self._calls) > _MAX_CHANNELS:
            raise ValueError("too many channels")

    async def _released(self, key: tuple[int, str], channel: _Channel, *, end: bool) -> bytes:
        if not end and not channel.due(self._window or 0):
            return b""
        text = channel.text()
        data = {} if end else {"partial": True}
        decision = await self._session.judge(Event(kind="output", text=text, data=data))
        if decision.stops:
            raise Refusal.of(decision)
        safe = text if decision.text is None else decision.text
        channel.judged = len(text)
        if not safe.startswith(channel.released):
            # What was found reaches back into what the client has already read.
            raise Refusal(403, "blocked", "This request cannot be answered.")
        ready = safe if end else safe[: max(len(channel.released), len(safe) - (self._window or 0))]
        new, channel.released = ready[len(channel.released) :], ready
        return self._chunk(key[0], {"role": "assistant", key[1]: new}) if new else b""

    async def _judged(self, call: dict[str, str]) -> dict[str, Any]:
        data = {"tool": call["name"], "arguments": parsed(call["arguments"])}
        decision = await self._session.judge(Event(kind="tool_call", text=call["arguments"], data=data))
        if decision.stops:
            raise Refusal.of(decision)
        written = call["arguments"] if decision.text is None else decision.text
        return {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": written}}

    def _chunk(self, choice: int, delta: dict[str, Any], *, finish: Any = None) -> bytes:
        return _event(
            {**(self._template or {}), "choices": [{"index": choice, "delta": delta, "finish_reason": finish}]}
        )


class _Channel:
    """A text that grows. It is judged whenever it has grown by an eighth, so that the sum of all looks stays linear."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.judged = 0
        self.released = ""

    def add(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def text(self) -> str:
        self._parts = ["".join(self._parts)]
        return self._parts[0]

    def due(self, window: int) -> bool:
        return self._length >= self.judged + max(window // 4, 40, self.judged // 8) and self._length > window


def _event(chunk: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(chunk, ensure_ascii=True)}\n\n".encode()
