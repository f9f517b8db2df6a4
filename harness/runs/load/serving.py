"""The mock server as a process of its own, for calibration, tests and benchmarks."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from harness.core.errors import HarnessError
from harness.runs.load.mock import PORT_LINE, Told, read_log

START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from harness.runs.load.mock import main; main(sys.argv[1:])"


class MockServer:
    """``with MockServer(ttft=0.05, tokens=20, log=path) as mock: mock.url``; options as the mock's own."""

    def __init__(self, *, log: Path | None = None, **options: object) -> None:
        self.log = log
        self._arguments = [] if log is None else ["--log", str(log)]
        for name, value in options.items():
            flag = "--" + name.replace("_", "-")
            self._arguments += ([flag] if value else []) if isinstance(value, bool) else [flag, str(value)]
        self.port = 0

    def __enter__(self) -> MockServer:
        root = str(Path(__file__).resolve().parents[3])
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", START, root, *self._arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        if not line.startswith(PORT_LINE):
            self.process.wait()
            raise HarnessError(f"the mock server did not start (exit code {self.process.returncode}); see above")
        self.port = int(line.removeprefix(PORT_LINE))
        return self

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://127.0.0.1:{self.port}/v1"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def told(self) -> dict[int, Told]:
        """The log by request number; after the server has ended, or of what has ended so far."""
        if self.log is None or not os.path.exists(self.log):
            return {}
        return {one.number: one for one in read_log(self.log)}
