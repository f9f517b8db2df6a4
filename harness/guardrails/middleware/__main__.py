"""The proxy command: ``python -m harness.guardrails.middleware --upstream URL --policy module:name``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from importlib import import_module
from typing import Any

from harness.core.errors import HarnessError, UsageError


def main(arguments: list[str] | None = None) -> int:
    """Run the proxy until it is interrupted. 0: it was; 4: something on the command line is wrong."""
    parser = argparse.ArgumentParser(prog="python -m harness.guardrails.middleware", description=__doc__)
    parser.add_argument("--upstream", required=True, help="the chat endpoint's base URL, http://127.0.0.1:8000")
    parser.add_argument("--policy", required=True, help="a pipeline, guard or list of guards: module:name")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0: any free one")
    parser.add_argument("--path", action="append", help="a guarded path; default: /v1/chat/completions")
    parser.add_argument("--user-header", default="", help="header that names the user; only behind a door of your own")
    parser.add_argument("--stream", choices=("hold", "window"), default="hold")
    given = parser.parse_args(arguments)
    try:
        asyncio.run(_run(given))
    except KeyboardInterrupt:
        return 0
    except HarnessError as error:
        sys.stderr.write(f"{error}\n")
        return 4
    except OSError as error:
        sys.stderr.write(f"cannot listen on {given.host}:{given.port}: {error}\n")
        return 4
    return 0


async def _run(given: argparse.Namespace) -> None:
    from harness.guardrails.middleware import by_client_address
    from harness.guardrails.middleware.proxy import proxy, serve

    options: dict[str, Any] = {"stream": given.stream}
    if given.path:
        options["paths"] = given.path
    if given.user_header:
        wanted = given.user_header.lower().encode()

        def who(scope: Any) -> dict[str, Any]:
            named = next((value.decode("latin-1") for name, value in scope["headers"] if name.lower() == wanted), "")
            return {**by_client_address(scope), "user": named}

        options["who"] = who
    app = proxy(given.upstream, _policy(given.policy), **options)
    async with serve(app, host=given.host, port=given.port) as url:
        sys.stderr.write(f"guarding {given.upstream} at {url}\n")
        sys.stderr.flush()
        await asyncio.Event().wait()


def _policy(spec: str) -> Any:
    module, _, name = spec.partition(":")
    if not module or not name:
        raise UsageError(f"--policy is module:name, got {spec!r}")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"--policy {spec}: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
