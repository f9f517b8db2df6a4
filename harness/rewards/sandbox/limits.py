"""SandboxLimits: what untrusted code may use up."""

from __future__ import annotations

from dataclasses import dataclass, fields

from harness.core.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class SandboxLimits:
    """Limits of one run; the first that is reached ends it."""

    wall_s: float = 30.0
    """Seconds from start to end; the whole process group is killed then."""
    cpu_s: int = 20
    """CPU seconds per process."""
    memory_mb: int = 1024
    """Address space per process."""
    file_mb: int = 16
    """Largest file that can be written."""
    open_files: int = 128
    processes: int = 64
    """Processes of the user; has no effect on root."""
    output_mb: int = 4
    """What is read of standard output and of standard error; the rest is dropped."""

    def __post_init__(self) -> None:
        for one in fields(self):
            if not getattr(self, one.name) > 0:
                raise UsageError(f"SandboxLimits.{one.name} must be above 0, got {getattr(self, one.name)!r}")
