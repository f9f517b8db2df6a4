"""A program as an agent: one JSON object on its standard input, its answer on its standard output.

The input holds what an HTTP agent is sent (``input``, ``messages``, ``case_id``, ``session_id``, ``trial``,
``metadata``) and the trial's ``seed``. The output is JSON in any shape of ``harness.agents.answers``, or plain text.
The program runs once per turn of the user.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.agents.answers import Answered, read_answer
from harness.agents.conversation import converse
from harness.core.case import Case
from harness.core.errors import AgentBroken, TrialTimeout, UsageError
from harness.core.record import Trial
from harness.core.trajectory import Message, Trajectory

_PIECE = 65536
_STDERR_TAIL = 4000


class CommandAgent:
    """Runs ``argv`` for every turn, in a process group of its own that is killed when the trial is cancelled.

    :param argv: the program and its arguments; no shell reads them.
    :param timeout_s: seconds for one run of the program; None leaves it to the trial's deadline.
    :param cwd: where it runs; default: where the tests run.
    :param env: environment variables added to those of this process.
    :param max_output_bytes: more standard output than this is refused.
    :raises UsageError: when ``argv`` is empty.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float | None = None,
        cwd: str | Path | None = None,
        env: Mapping[str, str] | None = None,
        max_output_bytes: int = 8 * 1024 * 1024,
        name: str = "",
    ) -> None:
        if isinstance(argv, str) or not argv:
            raise UsageError(f"CommandAgent needs a list of program and arguments, got {argv!r}")
        self.argv = tuple(argv)
        self.timeout_s = timeout_s
        self.cwd = cwd
        self.env = dict(env or {})
        self.max_output_bytes = max_output_bytes
        self.name = name or shlex.join(self.argv)

    def __repr__(self) -> str:
        return f"CommandAgent({shlex.join(self.argv)!r})"

    async def run(self, case: Case, trial: Trial) -> Trajectory:
        """Play the conversation of one case.

        :raises AgentBroken: when the program cannot be started, ends with a code other than 0 (quoting the end of its
            standard error), or prints too much or nothing readable.
        :raises TrialTimeout: when it runs longer than ``timeout_s``.
        """
        session_id = uuid.uuid4().hex

        async def ask(history: Sequence[Message], said: Any) -> Answered:
            sent = {
                "input": said,
                "messages": list(history),
                "case_id": case.id,
                "session_id": session_id,
                "trial": trial.index,
                "seed": trial.seed,
                "metadata": dict(case.metadata),
            }
            printed = await self._run(json.dumps(sent, default=str).encode("ascii") + b"\n")
            return read_answer(_value(printed, self.name), who=self.name, history=history)

        return await converse(case, ask, name=self.name)

    async def _run(self, sent: bytes) -> bytes:
        try:
            process = await asyncio.create_subprocess_exec(
                *self.argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=self.cwd,
                env={**os.environ, **self.env},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise AgentBroken(f"{self.argv[0]!r} cannot be started: {error}") from error
        complete = False
        work = asyncio.gather(_write(process, sent), self._read(process), _tail(process), process.wait())
        try:
            async with asyncio.timeout(self.timeout_s):
                _, printed, complained, code = await work
            complete = True
        except TimeoutError as error:
            raise TrialTimeout(f"{self.name} ran longer than its {self.timeout_s:g} s") from error
        finally:
            if not complete:
                await _kill(process)
        if code:
            end = complained.decode("utf-8", "replace").strip() or "it printed nothing on standard error"
            raise AgentBroken(f"{self.name} {_ended(code)}; standard error ends: {end[-1500:]}")
        return printed

    async def _read(self, process: asyncio.subprocess.Process) -> bytes:
        assert process.stdout is not None
        parts, size = [], 0
        while part := await process.stdout.read(_PIECE):
            parts.append(part)
            size += len(part)
            if size > self.max_output_bytes:
                raise AgentBroken(f"{self.name} printed more than {self.max_output_bytes} bytes")
        return b"".join(parts)


async def _write(process: asyncio.subprocess.Process, sent: bytes) -> None:
    assert process.stdin is not None
    # A program that answers without reading its input closes the pipe early, and has every right to.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(sent)
        await process.stdin.drain()
    process.stdin.close()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        await process.stdin.wait_closed()


async def _tail(process: asyncio.subprocess.Process) -> bytes:
    assert process.stderr is not None
    end = b""
    while part := await process.stderr.read(_PIECE):
        end = (end + part)[-_STDERR_TAIL:]
    return end


async def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill the program with everything it started, and wait until it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        # Only a grandchild that left the group can still hold the pipes; it is not waited for.
        async with asyncio.timeout(2):
            await process.wait()
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()  # or its pipes would warn, unclosed, when the loop has gone


def _value(printed: bytes, name: str) -> Any:
    text = printed.decode("utf-8", "replace")
    if not text.strip():
        raise AgentBroken(f"{name} ended well but printed nothing; print the answer, as text or as JSON")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text.rstrip("\r\n")
    return value if isinstance(value, (str, dict, list)) else text.strip()


def _ended(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
