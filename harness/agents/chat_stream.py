"""Assembling a streamed chat completion into the form it would have had without streaming.

The words:

- *token of a channel*: a non-empty piece of text, reasoning, refusal or tool call. An event that only names the role,
  a keep-alive or a usage report is not one.
- *time to first token*: from sending the request to the first token of any channel.
- *finished*: the first choice named a ``finish_reason``, or the server sent ``[DONE]``. Anything else was cut.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from harness.agents.completion import checked, decode, error_object
from harness.agents.event_stream import EventStream
from harness.core.errors import ProviderBroken

_TEXT = ("content", "reasoning_content", "reasoning", "refusal")
_HEAD = ("id", "created", "model", "system_fingerprint", "service_tier")
_MAX_PARTS = 1024
"""Most choices, and most tool calls of one choice, that are kept apart."""


class _Choice:
    def __init__(self) -> None:
        self.text: dict[str, list[str]] = {}
        self.calls: dict[int, dict[str, Any]] = {}
        self.logprobs: list[Any] = []
        self.finish_reason: str | None = None


class ChatStream:
    """Fed the bytes of one streamed reply.

    :param who: the endpoint, for messages.
    :param now: the clock, in seconds.
    :param max_bytes: cap on the assembled text, and on one event.
    """

    def __init__(self, *, who: str, now: Callable[[], float], max_bytes: int) -> None:
        self._who = who
        self._now = now
        self._max_bytes = max_bytes
        self._events = EventStream(max_bytes=max_bytes)
        self._choices: dict[int, _Choice] = {}
        self._head: dict[str, Any] = {}
        self._usage: Mapping[str, Any] | None = None
        self._size = 0
        self._done = False
        self.first_token_at: float | None = None
        """When the first token of any channel came, on the given clock."""

    def feed(self, piece: bytes) -> bool:
        """Take the next piece; True once the server said ``[DONE]``.

        :raises ProviderBroken: ``bad_json``, ``server_error``, ``rate_limited`` or ``too_large``.
        """
        try:
            events = self._events.feed(piece)
        except OverflowError as error:
            raise ProviderBroken(f"{self._who}: {error}", reason="too_large", status=200) from error
        for event in events:
            self._event(event)
        return self._done

    def finish(self) -> Mapping[str, Any]:
        """The assembled completion, once the connection has ended.

        :raises ProviderBroken: ``cut_stream`` when it did not finish, ``empty_reply`` when it said nothing.
        """
        last = self._events.close()
        if last is not None and not self._finished():
            try:
                self._event(last)
            except ProviderBroken as error:
                if error.reason != "bad_json":
                    raise
        if not self._finished():
            said = sum(len(piece) for choice in self._choices.values() for piece in choice.text.get("content", ()))
            raise ProviderBroken(
                f"{self._who} ended its event stream without finish_reason or [DONE], after {said} characters of text",
                reason="cut_stream",
                status=200,
                retryable=True,
            )
        return checked(self._assembled(), who=self._who, status=200)

    def _finished(self) -> bool:
        first = self._choices.get(0)
        return self._done or (first is not None and first.finish_reason is not None)

    def _event(self, data: bytes) -> None:
        if self._done:
            return
        if data.strip() == b"[DONE]":
            self._done = True
            return
        if not data.strip():
            return
        chunk = decode(data, who=f"{self._who} (event stream)", status=200)
        if isinstance(chunk, Mapping):
            self.take(chunk)

    def take(self, chunk: Mapping[str, Any]) -> None:
        """Take one decoded event, for libraries that decode the stream themselves."""
        if chunk.get("error"):
            raise error_object(chunk["error"], who=self._who, status=200)
        for name in _HEAD:
            if name not in self._head and chunk.get(name) is not None:
                self._head[name] = chunk[name]
        if isinstance(chunk.get("usage"), Mapping):
            self._usage = chunk["usage"]
        choices = chunk.get("choices")
        for position, given in enumerate(choices if isinstance(choices, list) else ()):
            if isinstance(given, Mapping):
                self._choice(given, position)

    def _choice(self, given: Mapping[str, Any], position: int) -> None:
        index = given.get("index")
        index = index if isinstance(index, int) else position
        choice = self._choices.get(index)
        if choice is None:
            self._count(len(self._choices))
            choice = self._choices[index] = _Choice()
        delta = given.get("delta")
        if isinstance(delta, Mapping):
            for name in _TEXT:
                piece = delta.get(name)
                if isinstance(piece, str):
                    choice.text.setdefault(name, []).append(piece)
                    self._token(len(piece))
            calls = delta.get("tool_calls")
            for part in calls if isinstance(calls, list) else ():
                if isinstance(part, Mapping):
                    self._call(choice, part)
        logprobs = given.get("logprobs")
        if isinstance(logprobs, Mapping) and isinstance(logprobs.get("content"), list):
            choice.logprobs.extend(logprobs["content"])
        if isinstance(given.get("finish_reason"), str):
            choice.finish_reason = given["finish_reason"]

    def _call(self, choice: _Choice, part: Mapping[str, Any]) -> None:
        index = part.get("index")
        if not isinstance(index, int):
            # Some servers leave the index out: a new id is a new call, a piece without id goes on with the last one.
            same = [key for key, call in choice.calls.items() if call["id"] == part.get("id")]
            if same:
                index = same[0]
            elif part.get("id") or not choice.calls:
                index = max(choice.calls, default=-1) + 1
            else:
                index = max(choice.calls)
        call = choice.calls.get(index)
        if call is None:
            self._count(len(choice.calls))
            call = choice.calls[index] = {"id": "", "name": "", "arguments": []}
        function = part.get("function")
        function = function if isinstance(function, Mapping) else {}
        if isinstance(part.get("id"), str) and not call["id"]:
            call["id"] = part["id"]
        name = function.get("name")
        name = name if isinstance(name, str) else ""
        if name != call["name"]:  # some servers repeat the whole name with every piece
            call["name"] += name
        arguments = function.get("arguments")
        if not isinstance(arguments, str):
            arguments = "" if arguments is None else json.dumps(arguments)
        call["arguments"].append(arguments)
        self._token(len(name) + len(arguments))

    def _token(self, size: int) -> None:
        if size and self.first_token_at is None:
            self.first_token_at = self._now()
        self._size += size
        if self._size > self._max_bytes:
            raise ProviderBroken(
                f"{self._who} streamed more than {self._max_bytes} characters (raise max_reply_bytes to accept)",
                reason="too_large",
                status=200,
            )

    def _count(self, have: int) -> None:
        if have >= _MAX_PARTS:
            raise ProviderBroken(
                f"{self._who} streamed more than {_MAX_PARTS} choices or tool calls", reason="too_large", status=200
            )

    def _assembled(self) -> dict[str, Any]:
        body: dict[str, Any] = {"object": "chat.completion", **self._head, "choices": []}
        for index, choice in sorted(self._choices.items()):
            message: dict[str, Any] = {"role": "assistant", "content": None}
            for name, pieces in choice.text.items():
                message[name] = "".join(pieces)
            if choice.calls:
                message["content"] = message["content"] or None
                message["tool_calls"] = [
                    {
                        "id": call["id"],
                        "type": "function",
                        "function": {"name": call["name"], "arguments": "".join(call["arguments"])},
                    }
                    for _, call in sorted(choice.calls.items())
                ]
            full: dict[str, Any] = {"index": index, "message": message, "finish_reason": choice.finish_reason}
            if choice.logprobs:
                full["logprobs"] = {"content": choice.logprobs}
            body["choices"].append(full)
        if self._usage is not None:
            body["usage"] = self._usage
        return body
