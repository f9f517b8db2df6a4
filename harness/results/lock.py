"""Who may write: an advisory lock that the operating system drops when its process ends, however it ends."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType

from harness.core.errors import HarnessError

_UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


def try_lock(fd: int) -> bool:
    """Whether this open file is now ours alone. A file system without locks answers True: there is nobody to ask."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    return True


class RunLock:
    """The right to write into one run folder, held by the session that runs it (not by its workers).

    A context manager; also freed by :meth:`release`, or by the end of the process.

    :raises HarnessError: another living session holds the folder.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / ".lock"
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if not try_lock(self._fd):
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip()
            os.close(self._fd)
            raise HarnessError(
                f"{directory}: another session{f' (process {holder})' if holder else ''} is writing into this run. "
                "Wait until it has ended, or start a run of its own by leaving out --harness-resume."
            )
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let others write. Harmless when called again."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> RunLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
