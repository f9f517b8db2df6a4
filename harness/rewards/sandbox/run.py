"""Run a command on untrusted files: a fresh folder, a bare environment, limits, and a dialogue over its pipes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from harness.rewards.sandbox.isolation import Isolation, confined, isolation
from harness.rewards.sandbox.limits import SandboxLimits


class BadPath(ValueError):
    """A file of the program would lie outside the working folder."""


@dataclass(frozen=True, kw_only=True)
class SandboxResult:
    """What came out of one run."""

    returncode: int | None
    """None when it was killed at the time limit."""
    lines: tuple[str, ...]
    """Standard output, line by line."""
    errors: str
    """Standard error, its end."""
    timed_out: bool
    isolation: Isolation
    files: Mapping[str, str]
    """Text files in the folder afterwards, by path, where they were asked for."""


Answer = Callable[[str], str | None]
"""Called with each line of output; a text that it returns is sent back as a line."""


def run_sandboxed(
    command: list[str],
    files: Mapping[str, str],
    *,
    limits: SandboxLimits | None = None,
    first: str = "",
    answer: Answer | None = None,
    keep: tuple[str, ...] = (),
    kind: Isolation | None = None,
) -> SandboxResult:
    """Run ``command`` in a new folder that holds ``files``.

    :param first: what is sent to its standard input at once.
    :param answer: how its lines are answered.
    :param keep: paths to read back afterwards.
    :param kind: force an isolation; default: the best this machine has.
    :raises BadPath: a path is absolute or leads out of the folder.
    """
    limits, kind = limits or SandboxLimits(), kind or isolation()
    folder = Path(tempfile.mkdtemp(prefix="harness-sandbox-"))
    work = folder / "work"
    try:
        _write(work, files)
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(work), "TMPDIR": str(work), "LANG": "C.UTF-8"}
        env |= {"PYTHONHASHSEED": "0", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        process = subprocess.Popen(
            confined(command, limits, kind),
            cwd=work,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        talk = _Talk(process, limits, first, answer)
        timed_out = talk.finish()
        kept = {path: _read(work, path) for path in keep}
        return SandboxResult(
            returncode=None if timed_out else process.returncode,
            lines=tuple(talk.lines),
            errors=talk.errors[-4000:],
            timed_out=timed_out,
            isolation=kind,
            files={path: text for path, text in kept.items() if text is not None},
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Talk:
    """One process and its pipes: every line is read, counted and perhaps answered, until the end or the time limit."""

    def __init__(
        self, process: subprocess.Popen[bytes], limits: SandboxLimits, first: str, answer: Answer | None
    ) -> None:
        self.lines: list[str] = []
        self.errors = ""
        self._process, self._limits, self._answer = process, limits, answer
        self._most = limits.output_mb * 1024 * 1024
        self._readers = [
            threading.Thread(target=self._read_lines, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self._send(first)

    def finish(self) -> bool:
        """Wait; True when the time limit ended it."""
        timed_out = False
        try:
            self._process.wait(timeout=self._limits.wall_s)
        except subprocess.TimeoutExpired:
            timed_out = True
        for end in (signal.SIGKILL,):
            try:
                os.killpg(self._process.pid, end)  # also what it left running
            except (ProcessLookupError, PermissionError):
                break
        self._process.wait()
        for reader in self._readers:
            reader.join(timeout=5)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            try:
                if pipe is not None:
                    pipe.close()
            except OSError:
                continue
        return timed_out

    def _send(self, text: str) -> None:
        pipe = self._process.stdin
        if not text or pipe is None:
            return
        try:
            pipe.write(text.encode())
            pipe.flush()
        except (OSError, ValueError):
            return  # it ended without reading: what it printed says the rest

    def _read_lines(self) -> None:
        seen, pipe = 0, self._process.stdout
        assert pipe is not None
        for raw in _bounded(pipe):
            seen += len(raw)
            if seen > self._most:
                continue  # drained, so that it does not wait for ever, and dropped
            line = raw.decode("utf-8", "replace").rstrip("\n")
            self.lines.append(line)
            reply = self._answer(line) if self._answer is not None else None
            if reply is not None:
                self._send(reply + "\n")

    def _read_errors(self) -> None:
        pipe = self._process.stderr
        assert pipe is not None
        for raw in _bounded(pipe):
            self.errors = (self.errors + raw.decode("utf-8", "replace"))[-16_000:]


def _bounded(pipe: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: pipe.readline(65_536), b"")


def _write(work: Path, files: Mapping[str, str]) -> None:
    work.mkdir()
    for path, text in files.items():
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts or "\0" in path:
            raise BadPath(f"{path!r} leads out of the working folder; paths are relative to it, without '..'")
        target = work / pure
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", errors="surrogatepass")


def _read(work: Path, path: str) -> str | None:
    target = work / path
    try:
        if target.is_symlink() or not target.resolve().is_relative_to(work.resolve()):
            return None
        return target.read_text(encoding="utf-8", errors="replace")[:1_000_000]
    except (OSError, ValueError):
        return None
