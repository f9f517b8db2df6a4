"""The machine's fingerprint: what has to be the same before times of two sessions may be compared."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from typing import Any

KEYS = ("system", "machine", "processor", "cpus", "python", "implementation")


def fingerprint() -> dict[str, str]:
    """This machine, without host or user names. Empty words where the system does not tell."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processor": _processor(),
        "cpus": str(_cpus()),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
    }


def from_machine_info(info: Mapping[str, Any]) -> dict[str, str]:
    """The fingerprint in the ``machine_info`` of a pytest-benchmark file; empty words for what it does not tell."""
    cpu = info.get("cpu")
    cpu = cpu if isinstance(cpu, Mapping) else {}
    return {
        "system": f"{info.get('system', '')} {info.get('release', '')}".strip(),
        "machine": str(info.get("machine", "")),
        "processor": str(cpu.get("brand_raw") or info.get("processor", "")),
        "cpus": str(cpu.get("count", "")),
        "python": str(info.get("python_version", "")),
        "implementation": str(info.get("python_implementation", "")),
    }


def to_machine_info(found: Mapping[str, str]) -> dict[str, Any]:
    """The inverse of :func:`from_machine_info`."""
    system, _, release = found["system"].partition(" ")
    return {
        "system": system,
        "release": release,
        "machine": found["machine"],
        "processor": found["processor"],
        "python_version": found["python"],
        "python_implementation": found["implementation"],
        "cpu": {"brand_raw": found["processor"], "count": int(found["cpus"]) if found["cpus"].isdigit() else 0},
    }


def differences(a: Mapping[str, str], b: Mapping[str, str]) -> list[str]:
    """What is not the same, in words; something that one side does not tell is a difference too."""
    return [
        f"{key} {a.get(key, '') or 'unknown'!s} against {b.get(key, '') or 'unknown'!s}"
        for key in KEYS
        if a.get(key, "") != b.get(key, "") or not a.get(key, "")
    ]


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith(("model name", "Model")):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
