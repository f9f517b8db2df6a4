"""Guards in front of a chat endpoint, on real HTTP servers: what passes, what is refused, streams, the proxy."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.decision import Decision, Event, Finding
from harness.core.errors import UsageError
from harness.guardrails.audit_log import AuditLog, verify
from harness.guardrails.middleware import GuardMiddleware
from harness.guardrails.middleware.proxy import forward, proxy, serve
from harness.guardrails.middleware.refusals import Refusal
from harness.guardrails.middleware.streams import EventStream
from harness.guardrails.pipeline import Pipeline
from harness.guardrails.rate_limit import Limit, RateLimit
from harness.guardrails.session import Session
from harness.testing import FakeClock

ROOT = Path(__file__).resolve().parents[2]
PATH = "/v1/chat/completions"
SECRET = re.compile(r"sk-\d+")


class Reads:
    """Blocks on "attack", escalates on "person", redacts keys, breaks on "crash"; remembers the events."""

    name = "reads"

    def __init__(self) -> None:
        self.events: list[Event] = []

    def check(self, event: Event) -> Decision:
        self.events.append(event)
        if "crash" in event.text:
            raise RuntimeError("pattern 17 broke")
        for word, action in (("attack", "block"), ("person", "escalate")):
            if word in event.text:
                found = (Finding(category="pattern-17"),)
                return Decision(action=action, guard=self.name, reason="pattern 17", findings=found)  # type: ignore[arg-type]
        spans = tuple(Finding(category="key", start=m.start(), end=m.end()) for m in SECRET.finditer(event.text))
        if spans:
            return Decision(action="redact", guard=self.name, findings=spans, text=SECRET.sub("[key]", event.text))
        return Decision(action="allow", guard=self.name)


class Chat:
    """An ASGI chat app that answers what it is told to, and remembers what it was sent."""

    def __init__(self, *messages: dict[str, Any], pieces: int = 7, raw: bytes | None = None, status: int = 200) -> None:
        self.messages = messages or ({"role": "assistant", "content": "hello"},)
        self.pieces, self.raw, self.status = pieces, raw, status
        self.headers: list[tuple[bytes, bytes]] = [(b"content-type", b"application/json"), (b"x-app", b"1")]
        self.bodies: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        raw, more = b"", True
        while more:
            message = await receive()
            raw, more = raw + message.get("body", b""), message.get("more_body", False)
        body = json.loads(raw) if raw else {}
        self.bodies.append(body)
        if self.raw is None and body.get("stream"):
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}
            )
            for chunk in self.stream():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        choices = [{"index": i, "message": one, "finish_reason": "stop"} for i, one in enumerate(self.messages)]
        answer = json.dumps({"id": "x", "choices": choices}).encode() if self.raw is None else self.raw
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": answer})

    def stream(self) -> list[bytes]:
        found = []
        for index, message in enumerate(self.messages):
            text = message.get("content") or ""
            for at in range(0, len(text), self.pieces):
                found.append({"index": index, "delta": {"content": text[at : at + self.pieces]}, "finish_reason": None})
            for number, call in enumerate(message.get("tool_calls") or ()):
                function = call["function"]
                half = len(function["arguments"]) // 2
                parts = [
                    {**function, "arguments": function["arguments"][:half]},
                    {"arguments": function["arguments"][half:]},
                ]
                for part in parts:
                    delta = {"tool_calls": [{"index": number, "id": call.get("id"), "function": part}]}
                    found.append({"index": index, "delta": delta, "finish_reason": None})
            found.append({"index": index, "delta": {}, "finish_reason": "stop"})
        events = [
            f"data: {json.dumps({'id': 'x', 'object': 'chat.completion.chunk', 'choices': [one]})}\n\n" for one in found
        ]
        return [event.encode() for event in [*events, "data: [DONE]\n\n"]]


def say(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


@asynccontextmanager
async def on_uvicorn(app: Any) -> AsyncIterator[str]:
    import uvicorn

    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    task = asyncio.ensure_future(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it in no other way
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task


def ask(
    app: Any, body: Any, *, path: str = PATH, method: str = "POST", server: Any = serve, **more: Any
) -> tuple[int, Any, Any]:
    """Status, body (read as JSON where it is), headers of one request on a real server."""

    async def play() -> tuple[int, Any, Any]:
        async with server(app) as url, aiohttp.ClientSession() as client:
            given = {"data": body} if isinstance(body, bytes) else {"json": body}
            async with client.request(method, url + path, **given, **more) as response:
                text = await response.text()
                try:
                    return response.status, json.loads(text), response.headers
                except ValueError:
                    return response.status, text, response.headers

    return asyncio.run(play())


def streamed(text: str) -> tuple[str, list[Any]]:
    """The content and the chunks of an event stream."""
    assert text.endswith("data: [DONE]\n\n")
    chunks = [json.loads(event[6:]) for event in text.split("\n\n") if event and event != "data: [DONE]"]
    deltas = [choice.get("delta", {}) for chunk in chunks for choice in chunk.get("choices", ())]
    return "".join(delta.get("content") or "" for delta in deltas), chunks


@pytest.fixture(params=["aiohttp", "uvicorn"])
def server(request: pytest.FixtureRequest) -> Any:
    if request.param == "uvicorn":
        pytest.importorskip("uvicorn", reason="needs uvicorn: pip install uvicorn")
        return on_uvicorn
    return serve


def test_a_benign_chat_passes_and_keeps_the_app_s_headers(server: Any) -> None:
    chat = Chat()
    status, body, headers = ask(GuardMiddleware(chat, Reads()), say("hi", temperature=0), server=server)
    assert (status, body["choices"][0]["message"]["content"], headers["x-app"]) == (200, "hello", "1")
    assert chat.bodies == [say("hi", temperature=0)]


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [("an attack", 403, "blocked"), ("ask a person", 403, "needs_review"), ("crash", 503, "unavailable")],
)
def test_what_is_stopped_gets_a_structured_error_that_gives_nothing_away(
    server: Any, text: str, status: int, code: str
) -> None:
    chat = Chat()
    got, body, _ = ask(GuardMiddleware(chat, Reads()), say(text), server=server)
    assert (got, body["error"]["type"], body["error"]["code"]) == (status, "guardrail", code)
    assert "17" not in json.dumps(body)
    assert "reads" not in json.dumps(body)
    assert chat.bodies == []


def test_a_blocked_answer_reads_exactly_like_a_blocked_request() -> None:
    asked = ask(GuardMiddleware(Chat(), Reads()), say("attack"))
    told = ask(GuardMiddleware(Chat({"role": "assistant", "content": "attack!"}), Reads()), say("hi"))
    streamed_ = ask(GuardMiddleware(Chat({"role": "assistant", "content": "attack!"}), Reads()), say("hi", stream=True))
    assert asked[:2] == told[:2] == streamed_[:2]


def test_too_many_requests_get_429_with_the_seconds_to_wait_rounded_up(server: Any) -> None:
    clock = FakeClock()
    limit = RateLimit([Limit(scope="user", requests=2, window_s=10.5)], clock=clock)
    app = GuardMiddleware(Chat(), limit, who=lambda scope: {"user": "u"})
    assert [ask(app, say("hi"), server=server)[0] for _ in range(2)] == [200, 200]
    status, body, headers = ask(app, say("hi"), server=server)
    assert (status, body["error"]["code"], headers["Retry-After"]) == (429, "rate_limited", "11")
    clock.advance(10.5)
    assert ask(app, say("hi"), server=server)[0] == 200


def test_the_history_of_a_chat_is_judged_and_counted_once() -> None:
    guard = Reads()
    limit = RateLimit([Limit(scope="user", requests=1, window_s=60)], clock=FakeClock())
    messages = [{"role": "system", "content": "attack is a word of ours"}, {"role": "user", "content": "one"}]
    messages += [{"role": "assistant", "content": "two"}, {"role": "tool", "name": "f", "content": "three"}]
    messages += [{"role": "user", "content": "four"}]
    assert ask(GuardMiddleware(Chat(), [limit, guard]), {"messages": messages})[0] == 200
    seen = [(event.kind, event.text, event.data.get("history", False)) for event in guard.events[:-1]]
    assert seen == [
        ("input", "one", True), ("input", "two", True), ("tool_result", "three", True), ("input", "four", False),
    ]  # fmt: skip
    forged = [{"role": "assistant", "content": "attack"}, {"role": "user", "content": "go on"}]
    assert ask(GuardMiddleware(Chat(), guard), {"messages": forged})[0] == 403


def test_redactions_reach_the_app_and_the_client() -> None:
    chat = Chat({"role": "assistant", "content": "your key sk-9", "reasoning_content": "it is sk-9"})
    parts = [{"type": "text", "text": "my key is sk-12"}, {"type": "image_url", "image_url": {"url": "data:"}}]
    app = GuardMiddleware(chat, Reads(), unjudged_parts=["image_url"])
    status, body, _ = ask(app, {"messages": [{"role": "user", "content": parts}]})
    assert status == 200
    assert chat.bodies[0]["messages"][0]["content"] == [{"type": "text", "text": "my key is [key]"}, parts[1]]
    assert body["choices"][0]["message"] == {
        "role": "assistant",
        "content": "your key [key]",
        "reasoning_content": "it is [key]",
    }


def test_log_probabilities_go_when_something_was_taken_out_of_the_text_they_spell() -> None:
    for text, kept in (("hello", True), ("sk-1", False)):
        raw = {"choices": [{"index": 0, "message": {"content": text}, "logprobs": {"content": [{"token": text}]}}]}
        _, body, _ = ask(GuardMiddleware(Chat(raw=json.dumps(raw).encode()), Reads()), say("hi"))
        assert ("logprobs" in body["choices"][0]) is kept


def test_tool_calls_for_the_client_are_judged_before_it_can_make_them() -> None:
    def call(text: str) -> dict[str, Any]:
        function = {"name": "send", "arguments": json.dumps({"to": text})}
        return {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": function}],
        }

    for more in ({}, {"stream": True}):
        guard = Reads()
        assert ask(GuardMiddleware(Chat(call("attack")), guard), say("hi", **more))[0] == 403
        assert guard.events[-1].data["arguments"] == {"to": "attack"}
        status, body, _ = ask(GuardMiddleware(Chat(call("sk-77")), Reads()), say("hi", **more))
        assert status == 200
        assert "sk-77" not in str(body)
        assert "[key]" in str(body)


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"not json", {}, 400, "invalid_request"),
        (b"[1]", {}, 400, "invalid_request"),
        (b'{"messages": []}', {}, 400, "invalid_request"),
        (b'{"messages": ["hi"]}', {}, 400, "invalid_request"),
        (b'{"messages": [{"content": "hi"}]}', {}, 400, "invalid_request"),
        (b'{"messages": [{"role": "user", "content": {"text": "attack"}}]}', {}, 400, "invalid_request"),
        (b'{"messages": [{"role": "user", "content": "x"}], "stream": "yes"}', {}, 400, "invalid_request"),
        (b'{"messages": NaN}', {}, 400, "invalid_request"),
        (b"[" * 100_000, {}, 400, "invalid_request"),
        (b'{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}', {}, 415, "unsupported"),
        (b'{"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]}', {}, 415, "unsupported"),
        (gzip.compress(b'{"messages": []}', mtime=0), {"Content-Encoding": "gzip"}, 415, "unsupported"),
        (b"messages=hi", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported"),
        (b" " * 1_000_001, {}, 413, "too_large"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused(body: bytes, headers: dict[str, str], status: int, code: str) -> None:
    chat = Chat()
    got, told, _ = ask(GuardMiddleware(chat, Reads()), body, headers={"Content-Type": "application/json", **headers})
    assert (got, told["error"]["code"]) == (status, code)
    assert chat.bodies == []


def test_of_two_keys_of_one_name_the_app_gets_the_one_that_was_judged() -> None:
    chat = Chat()
    body = b'{"messages": [{"role": "user", "content": "attack", "content": "fine"}]}'
    assert ask(GuardMiddleware(chat, Reads()), body, headers={"Content-Type": "application/json"})[0] == 200
    assert chat.bodies[0]["messages"] == [{"role": "user", "content": "fine"}]


def test_other_spellings_of_a_guarded_path_are_guarded_and_others_pass_or_not() -> None:
    for path in ("/v1/chat/completions/", "//v1//chat/completions", "/V1/Chat/Completions", "/v1/chat%2Fcompletions"):
        assert ask(GuardMiddleware(Chat(), Reads()), say("attack"), path=path)[0] == 403, path
    assert ask(GuardMiddleware(Chat(), Reads()), say("attack"), path="/health")[0] == 200
    assert ask(GuardMiddleware(Chat(), Reads(), others="refuse"), say("x"), path="/v1/completions")[0] == 404
    assert ask(GuardMiddleware(Chat(), Reads()), say("x"), method="PUT")[0] == 405


@pytest.mark.parametrize(
    ("chat", "status"),
    [
        (Chat(raw=b'{"choices": [{"delta": {}}]}'), 502),
        (Chat(raw=b"\xff\xfe"), 502),
        (Chat(raw=b"x" * 10_001), 502),
        (Chat(raw=b"plain text with an attack"), 403),
        (Chat(raw=b'{"error": "attack"}', status=500), 403),
        (Chat(raw=b'{"error": "busy, key sk-5"}', status=429), 429),
    ],
)
def test_an_answer_that_is_no_chat_completion_is_judged_as_text_or_refused(chat: Chat, status: int) -> None:
    got, body, _ = ask(GuardMiddleware(chat, Reads(), max_answer_bytes=10_000), say("hi"))
    assert got == status
    assert "sk-5" not in str(body)


def test_a_compressed_answer_is_refused_because_nobody_read_it() -> None:
    chat = Chat(raw=gzip.compress(b'{"choices": []}', mtime=0))
    chat.headers.append((b"content-encoding", b"gzip"))
    assert ask(GuardMiddleware(chat, Reads()), say("hi"))[0] == 502


@pytest.mark.parametrize("mode", ["hold", "window"])
def test_a_benign_stream_arrives_whole(server: Any, mode: Any) -> None:
    text = "word " * 500
    app = GuardMiddleware(Chat({"role": "assistant", "content": text}), Reads(), stream=mode, window_chars=50)
    status, body, headers = ask(app, say("hi", stream=True), server=server)
    assert (status, headers["Content-Type"]) == (200, "text/event-stream")
    content, chunks = streamed(body)
    assert content == text
    assert len(chunks) > (5 if mode == "window" else 1)
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_a_window_releases_text_before_the_stream_is_complete_and_a_held_stream_none() -> None:
    async def play(window: int | None) -> list[int]:
        stream = EventStream(Session(pipeline=Pipeline([Reads()])), window=window)
        return [len(await stream.feed(part)) for part in Chat({"content": "word " * 200}).stream()]

    assert sum(asyncio.run(play(None))) == 0
    released = asyncio.run(play(40))
    assert sum(size > 0 for size in released[:-1]) > 5


def test_a_secret_inside_the_window_is_redacted_in_time_and_an_attack_cuts_the_stream() -> None:
    text = "harmless words " * 20 + "key sk-123456 " + "more words " * 20
    app = GuardMiddleware(Chat({"content": text}, pieces=3), Reads(), stream="window", window_chars=40)
    content, _ = streamed(ask(app, say("hi", stream=True))[1])
    assert content == SECRET.sub("[key]", text)
    text = "harmless words " * 20 + "attack " + "more words " * 20
    app = GuardMiddleware(Chat({"content": text}, pieces=3), Reads(), stream="window", window_chars=40)
    status, body, _ = ask(app, say("hi", stream=True))
    content, chunks = streamed(body)
    assert (status, chunks[-1]["error"]["code"]) == (200, "blocked")
    assert "attack" not in content
    assert text.startswith(content)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.sampled_from(["word ", "sk-1", "sk-22 ", "é😀 ", "\n", "sk-", "7"]), max_size=60),
    pieces=st.integers(1, 9),
    cuts=st.lists(st.integers(0, 5000), max_size=20),
    window=st.none() | st.integers(1, 30),
    ending=st.sampled_from([b"\n", b"\r\n"]),
)
def test_in_any_chunking_the_client_reads_the_redacted_text_or_a_beginning_of_it(
    words: list[str], pieces: int, cuts: list[int], window: int | None, ending: bytes
) -> None:
    text = "".join(words)
    raw = b"".join(Chat({"content": text}, pieces=pieces).stream()).replace(b"\n", ending)
    places = sorted({0, *(min(cut, len(raw)) for cut in cuts), len(raw)})

    async def play() -> tuple[str, bool]:
        stream = EventStream(Session(pipeline=Pipeline([Reads()], timeout_s=None)), window=window)
        out = b""
        try:
            for start, end in itertools.pairwise(places):
                out += await stream.feed(raw[start:end])
            out += await stream.finish()
        except Refusal:
            return streamed(out.decode() + "data: [DONE]\n\n")[0], False
        return streamed(out.decode())[0], True

    content, whole = asyncio.run(play())
    expected = SECRET.sub("[key]", text)
    assert content == expected if whole else True
    assert whole or window is not None
    # A key longer than the window can begin to leave before it is known; what has left is never more than the window.
    if window is not None and window >= 12:
        assert expected.startswith(content)


@pytest.mark.parametrize(
    "bad", [b"data: {broken\n\n", b"data: [1]\n\n", b"data: \xff\n\n", b"data: " + b"x" * 1_000_001]
)
def test_a_stream_that_cannot_be_read_is_refused(bad: bytes) -> None:
    class Bad(Chat):
        def stream(self) -> list[bytes]:
            return [bad]

    assert ask(GuardMiddleware(Bad(), Reads()), say("hi", stream=True))[0] == 502


def test_a_client_that_goes_away_and_an_app_that_raises_leave_a_working_server(server: Any) -> None:
    class Raises(Chat):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            raise RuntimeError("down")

    assert ask(GuardMiddleware(Raises(), Reads()), say("hi"), server=server)[0] == 500

    async def play() -> int:
        async with server(GuardMiddleware(Chat(), Reads())) as url:
            host, _, port = url.removeprefix("http://").partition(":")
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            async with aiohttp.ClientSession() as client, client.post(url + PATH, json=say("hi")) as response:
                return response.status

    assert asyncio.run(play()) == 200


def test_every_decision_of_a_served_chat_is_in_the_audit_log(tmp_path: Path) -> None:
    with AuditLog(tmp_path / "a.jsonl") as log:
        app = GuardMiddleware(Chat(), Pipeline([Reads()], audit=log))
        assert [ask(app, say(text))[0] for text in ("hi", "attack", "crash")] == [200, 403, 503]
    assert verify(tmp_path / "a.jsonl").ok
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()[1:]]
    assert [(one["kind"], one["action"], one.get("fault", "")) for one in lines] == [
        ("input", "allow", ""),
        ("output", "allow", ""),
        ("input", "block", ""),
        ("input", "block", "crash: RuntimeError"),
    ]


def test_the_proxy_guards_an_endpoint_elsewhere_and_refuses_its_other_paths() -> None:
    chat = Chat({"role": "assistant", "content": "your key sk-9"})

    async def play() -> list[Any]:
        found = []
        async with serve(chat) as upstream, serve(proxy(upstream, Reads())) as url, aiohttp.ClientSession() as client:
            for path, body in ((PATH + "?a=b%20c", say("hi")), (PATH, say("attack")), ("/v1/models", say("hi"))):
                async with client.post(url + path, json=body, headers={"Authorization": "Bearer t"}) as response:
                    found.append((response.status, await response.json()))
            async with client.post(url + PATH, json=say("hi", stream=True)) as response:
                found.append((response.status, await response.text()))
        return found

    answered, blocked, elsewhere, stream = asyncio.run(play())
    assert (answered[0], answered[1]["choices"][0]["message"]["content"]) == (200, "your key [key]")
    assert (blocked[0], elsewhere[0]) == (403, 404)
    assert streamed(stream[1])[0] == "your key [key]"
    assert len(chat.bodies) == 2


def test_an_upstream_that_is_not_there_is_a_bad_gateway() -> None:
    status, body, _ = ask(proxy("http://127.0.0.1:9", Reads()), say("hi"))
    assert (status, "error" in str(body)) == (502, True)
    with pytest.raises(UsageError, match="upstream must be a URL"):
        forward("localhost:8000")


def test_the_proxy_command_runs_and_names_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "my_guards.py").write_text(
        "from harness.guardrails import RateLimit\nfrom harness.guardrails.rate_limit import Limit\n"
        "policy = RateLimit([Limit(scope='user', requests=1, window_s=60)])\n"
    )
    command = [sys.executable, "-m", "harness.guardrails.middleware", "--upstream"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    wrong = subprocess.run(
        [*command, "http://127.0.0.1:9", "--policy", "my_guards:polcy"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (wrong.returncode, "has no attribute 'polcy'" in wrong.stderr) == (4, True)

    async def play() -> list[int]:
        async with serve(Chat()) as upstream:
            given = [upstream, "--policy", "my_guards:policy", "--port", "0", "--user-header", "X-User"]
            process = await asyncio.create_subprocess_exec(
                *command, *given, cwd=tmp_path, env=environment, stderr=asyncio.subprocess.PIPE
            )
            assert process.stderr is not None
            url = (await process.stderr.readline()).decode().split()[-1]
            codes = []
            async with aiohttp.ClientSession() as client:
                for user in ("ada", "ada", "bob"):
                    async with client.post(url + PATH, json=say("hi"), headers={"X-User": user}) as response:
                        codes.append(response.status)
            process.send_signal(signal.SIGINT)
            await process.wait()
            return [*codes, process.returncode or 0]

    assert asyncio.run(play()) == [200, 429, 200, 0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: GuardMiddleware(Chat(), Reads(), others="open"),  # type: ignore[arg-type]
        lambda: GuardMiddleware(Chat(), Reads(), stream="fast"),  # type: ignore[arg-type]
        lambda: GuardMiddleware(Chat(), Reads(), window_chars=0),
        lambda: GuardMiddleware(Chat(), []),
    ],
)
def test_a_wrong_declaration_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(UsageError):
        make()


def test_a_websocket_on_a_guarded_path_is_closed() -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(GuardMiddleware(Chat(), Reads())({"type": "websocket", "path": PATH, "headers": []}, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]
