"""What is asked: the address, taken apart and looked up beforehand, and the requests, rendered to bytes beforehand."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.core.errors import UsageError

WORDS = "time year people way day man thing woman life child world school state family student group country problem"
"""Words of the built-in prompts: nothing is downloaded and no tokenizer is asked."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An OpenAI-compatible address."""

    url: str
    host: str
    port: int
    path: str
    """With ``/chat/completions`` or ``/completions`` at its end."""
    tls: bool
    address: tuple[Any, ...]
    """As ``connect`` takes it, looked up once."""
    family: int
    kind: str
    """``chat`` or ``completions``."""

    @classmethod
    def of(cls, url: str, *, kind: str = "") -> Endpoint:
        """The endpoint of a URL: a base such as ``http://127.0.0.1:8000/v1``, or the whole path.

        :param kind: ``chat`` (default) or ``completions``; a URL that ends with one says it itself.
        :raises UsageError: it is no http address, or its host cannot be found.
        """
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{url!r} is no http address; write it like http://127.0.0.1:8000/v1")
        path = parts.path.rstrip("/")
        if path.endswith("/chat/completions"):
            kind = "chat"
        elif path.endswith("/completions"):
            kind = "completions"
        else:
            kind = kind or "chat"
            path = (path or "/v1") + ("/chat/completions" if kind == "chat" else "/completions")
        if parts.query:
            path += "?" + parts.query
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
            found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        except (ValueError, OSError) as error:
            raise UsageError(f"{url}: the host {parts.hostname!r} cannot be found: {error}") from None
        # Local servers mostly listen on IPv4 only, and a refused first address would cost every connection.
        best = next((one for one in found if one[0] == socket.AF_INET), found[0])
        return cls(
            url=url, host=parts.hostname, port=port, path=path, tls=parts.scheme == "https",
            address=tuple(best[4]), family=int(best[0]), kind=kind,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Asking:
    """What the requests say."""

    model: str = "default"
    prompts: tuple[str | tuple[Mapping[str, Any], ...], ...] = ()
    """Texts, or chat messages; empty: built-in texts of ``prompt_words`` words, all different."""
    prompt_words: int = 50
    max_tokens: int = 100
    stream: bool = True
    body: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of every body; they win."""
    headers: Mapping[str, str] = field(default_factory=dict)


def render(endpoint: Endpoint, asking: Asking, *, distinct: int = 512) -> list[tuple[bytes, bytes]]:
    """Requests as bytes, each in two parts: between them goes the number of the request (``X-Request-Id``).

    :param distinct: how many different built-in prompts are made.
    """
    prompts: Sequence[Any] = asking.prompts or _built_in(asking.prompt_words, distinct)
    made = []
    host = endpoint.host if ":" not in endpoint.host else f"[{endpoint.host}]"
    standard = endpoint.port == (443 if endpoint.tls else 80)
    headers = {
        "Host": host if standard else f"{host}:{endpoint.port}",
        "User-Agent": "harness-load",
        "Accept": "text/event-stream, application/json",
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
    }
    key = os.environ.get("OPENAI_API_KEY", "")
    if key and not any(name.lower() == "authorization" for name in asking.headers):
        headers["Authorization"] = f"Bearer {key}"
    headers |= asking.headers
    for name, value in headers.items():
        if any(char in f"{name}{value}" for char in "\r\n\0") or not f"{name}{value}".isascii():
            raise UsageError(f"header {name!r} holds a character that HTTP does not allow")
    for prompt in prompts:
        body: dict[str, Any] = {"model": asking.model, "max_tokens": asking.max_tokens}
        if asking.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if endpoint.kind == "chat":
            messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt)
            body["messages"] = messages
        else:
            body["prompt"] = prompt if isinstance(prompt, str) else "\n".join(str(m.get("content")) for m in prompt)
        body |= asking.body
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        head = f"POST {endpoint.path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        first = f"{head}Content-Length: {len(content)}\r\nX-Request-Id: ".encode()
        made.append((first, b"\r\n\r\n" + content))
    return made


def read_prompts(path: Path) -> tuple[str | tuple[Mapping[str, Any], ...], ...]:
    """Prompts of a file: JSON lines (a text, ``{"prompt": ...}`` or ``{"messages": [...]}``), else one text a line.

    :raises UsageError: nothing is in it, or a line of JSON lines is none of these; names the line.
    """
    try:
        lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--prompts: {path} cannot be read: {error}") from None
    if not lines:
        raise UsageError(f"--prompts: {path} is empty")
    if path.suffix.lower() not in (".jsonl", ".ndjson"):
        return tuple(lines)
    made: list[str | tuple[Mapping[str, Any], ...]] = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
        except ValueError:
            raise UsageError(f"{path}:{number}: no JSON: {line[:80]!r}") from None
        given = row.get("messages", row.get("prompt", row.get("input"))) if isinstance(row, dict) else row
        if isinstance(given, str) and given:
            made.append(given)
        elif isinstance(given, list) and given and all(isinstance(item, dict) for item in given):
            made.append(tuple(given))
        else:
            raise UsageError(f'{path}:{number}: needs a text, {{"prompt": ...}} or {{"messages": [...]}}')
    return tuple(made)


def _built_in(words: int, distinct: int) -> list[str]:
    import random

    random_, known = random.Random(0), WORDS.split()
    # The number comes first, so that a server's prefix cache cannot answer one from another.
    return [f"{index}: " + " ".join(random_.choices(known, k=max(1, words - 1))) for index in range(distinct)]
