"""Sides of a comparison: a function in a process of its own, or a command; at this tree or at a commit."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Protocol

from harness.core.clock import SYSTEM, Clock
from harness.core.errors import HarnessError, UsageError

WORKER = Path(__file__).with_name("worker.py")


class Side(Protocol):
    """Something whose time can be measured again and again."""

    @property
    def label(self) -> str:
        """How it is called in the report."""
        ...

    def start(self, cpu: int | None = None) -> None:
        """A fresh start, before the samples of one round; on that processor where one is named and it can be had."""
        ...

    def settle(self, seconds: float) -> int:
        """Warm up; how many units of work a sample of about ``seconds`` holds."""
        ...

    def sample(self, units: int) -> float:
        """Seconds per unit of work."""
        ...

    def stop(self) -> None:
        """After the samples of one round."""
        ...


class FunctionSide:
    """``module:function``, called without arguments by a fresh interpreter in each round.

    A fresh process per round, because where a process happens to lay its memory moves times by several percent and
    would otherwise pass for a difference between the sides. Both sides of a round share one processor, taken in turn:
    two processors are never equally busy, and the sides never run at the same time.
    """

    def __init__(self, spec: str, tree: Path, *, label: str = "") -> None:
        self.spec, self.tree, self.label = spec, tree, label or spec
        self._process: subprocess.Popen[str] | None = None
        self._starts = 0

    def start(self, cpu: int | None = None) -> None:
        """See :class:`Side`. :raises HarnessError: the function cannot be imported, or raises."""
        self._starts += 1  # the order of sets differs from round to round, and not between the sides of one
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(WORKER), self.spec, *([] if cpu is None else [str(cpu)])],
            cwd=self.tree, text=True, bufsize=1, env={**os.environ, "PYTHONHASHSEED": str(self._starts)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._read()

    def settle(self, seconds: float) -> int:
        """See :class:`Side`."""
        return int(self._ask(seconds=seconds)["calls"])

    def sample(self, units: int) -> float:
        """See :class:`Side`."""
        return float(self._ask(calls=units)["seconds"])

    def stop(self) -> None:
        """See :class:`Side`."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _ask(self, **order: float) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it died; reading tells
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            raise HarnessError(f"{self.label}: the process that calls it ended by itself (exit code {code})")
        told: dict[str, Any] = json.loads(line)
        if "error" in told:
            raise HarnessError(f"{self.label}: {told['error']} (in {self.tree})")
        return told


class CommandSide:
    """A command line; a sample is one run of it, from start to end."""

    def __init__(self, command: str, tree: Path, *, label: str = "", clock: Clock = SYSTEM) -> None:
        try:
            self.words = shlex.split(command)
        except ValueError as error:
            raise UsageError(f"{command!r} is no command line: {error}") from None
        if not self.words:
            raise UsageError("an empty command cannot be measured")
        self.tree, self.label, self._clock = tree, label or command, clock

    def start(self, cpu: int | None = None) -> None:
        """See :class:`Side`; a command runs wherever the system puts it."""

    def settle(self, seconds: float) -> int:
        """See :class:`Side`: one run, so that files are in the page cache for both sides."""
        self.sample(1)
        return 1

    def sample(self, units: int) -> float:
        """See :class:`Side`. :raises HarnessError: it cannot be started, or exits with another code than 0."""
        started = self._clock.monotonic()
        try:
            done = subprocess.run(
                self.words, cwd=self.tree, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                check=False,
            )  # fmt: skip
        except OSError as error:
            raise HarnessError(f"{self.label}: cannot be started: {error.strerror}") from None
        taken = self._clock.monotonic() - started
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [""]
            raise HarnessError(f"{self.label}: exit code {done.returncode}: {said[0][:300]}")
        return taken

    def stop(self) -> None:
        """See :class:`Side`."""


class Checkout:
    """The tree of a commit, unpacked into a folder of its own; the repository is not touched."""

    def __init__(self, revision: str, root: Path) -> None:
        if revision.startswith("-"):
            raise UsageError(f"{revision!r} is no git revision")
        named = subprocess.run(
            ["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"],
            cwd=root, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if named.returncode != 0:
            raise UsageError(f"{root}: git knows no commit {revision!r}; give a branch, a tag or a hash")
        self.commit = named.stdout.strip()
        self._folder = tempfile.TemporaryDirectory(prefix="harness-bench-")
        self.tree = Path(self._folder.name)
        packed = subprocess.run(["git", "archive", self.commit], cwd=root, capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(self.tree, filter="data")
        # The folder inside the repository in which the comparison was asked for.
        top = subprocess.run(
            ["git", "rev-parse", "--show-prefix"], cwd=root, capture_output=True, text=True, check=True
        ).stdout.strip()
        self.tree = Path(os.path.join(self.tree, top))

    def close(self) -> None:
        """Remove the folder."""
        self._folder.cleanup()
