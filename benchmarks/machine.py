"""The machine in the words a reader needs: cores, memory, system, Python. No host name, no user name."""

from __future__ import annotations

import os
import platform


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0


def described() -> str:
    """One line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{cores()} cores, {memory:.0f} GiB of memory, {platform.system()} on {platform.machine()}, {python}"


def load() -> float:
    """Processes that wanted to run over the last minute: the benchmarks' own two are among them."""
    return os.getloadavg()[0]


def warn_if_busy() -> str:
    """A sentence when others are at work on this machine, else nothing."""
    busy = load()
    if busy <= 1.0 + cores() / 2:
        return ""
    return f"load average {busy:.1f} on {cores()} cores: wall times are noisy"
