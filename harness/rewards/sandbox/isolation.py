"""Which isolation this machine offers: namespaces of Linux where a plain user may have them, else only limits."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from typing import Literal

from harness.rewards.sandbox.limits import SandboxLimits

Isolation = Literal["namespaces", "limits"]

_FLAGS = ("--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--mount", "--ipc")
_READ_ONLY = 'mount --bind "$PWD" "$PWD" && cd "$PWD" && mount -o remount,bind,ro / && '


@cache
def isolation() -> Isolation:
    """``namespaces``: no network, own processes, file system read-only but for the working folder. Asked once."""
    program = shutil.which("unshare")
    if program is None or shutil.which("mount") is None:
        return "limits"
    try:
        done = subprocess.run(
            [program, *_FLAGS, "/bin/sh", "-c", "mount --bind /tmp /tmp && mount -o remount,bind,ro /"],
            capture_output=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "limits"
    return "namespaces" if done.returncode == 0 else "limits"


def confined(command: list[str], limits: SandboxLimits, kind: Isolation) -> list[str]:
    """The command line that sets the limits, takes away what can be taken away, and then becomes the command.

    Limits are set by the shell before the command starts, so nothing of it runs without them.
    """
    wanted = (
        ("c", 0),
        ("t", limits.cpu_s),
        ("v", limits.memory_mb * 1024),
        ("f", limits.file_mb * 2048),
        ("n", limits.open_files),
    )
    ulimits = "".join(f"ulimit -{flag} {value} && " for flag, value in wanted)
    enter = _READ_ONLY if kind == "namespaces" else ""
    shell = ["/bin/sh", "-c", f'{enter}{ulimits}exec "$@"', "sandbox", *command]
    return ["unshare", *_FLAGS, *shell] if kind == "namespaces" else shell
