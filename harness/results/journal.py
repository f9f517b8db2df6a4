"""The journal: finished trials, one line each, safe on disk's doorstep before ``append`` returns.

A line is one ``write`` to a file opened for appending, so a killed process leaves whole lines and at most one torn one,
which the next opening cuts off. The kernel keeps what was written when the process dies; against a dying machine the
file is synced every few seconds on a thread (never on the event loop) and when it is closed.
"""

from __future__ import annotations

import errno
import mmap
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from harness import __version__
from harness.core.clock import SYSTEM, Clock, iso_utc
from harness.core.errors import FormatError, HarnessError
from harness.results.journal_file import is_whole, journal_path, last_opening
from harness.results.lines import decode, encode, to_bytes
from harness.results.lock import try_lock
from harness.results.migrations import check_version
from harness.results.schema import JOURNAL, VERSIONS

SYNC_EVERY_S = 5.0
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class JournalWriter:
    """Appends finished trials to ``<directory>/trials-<worker>.jsonl``. Fits the ``Store`` contract; thread-safe.

    :param directory: an existing run folder.
    :param worker: ``main``, or the name of a worker process (``gw0``).
    :param redact: what is kept out of the file: ``secrets``, ``personal`` (both) or ``off`` (None says the same), as
        the setting of that name; or a function of one's own, given each line as JSON text, returning JSON text.
    :raises HarnessError: another living process writes this file, or it cannot be opened.
    :raises FormatError: the file was written by a newer harness, or is no journal.
    """

    def __init__(
        self,
        directory: Path,
        worker: str = "main",
        *,
        redact: str | Callable[[str], str] | None = "secrets",
        clock: Clock = SYSTEM,
    ) -> None:
        self.path = journal_path(directory, worker)
        self.notices: list[str] = []
        """What opening had to say: a torn last line cut off."""
        self._run = directory.name
        self._redact = _redactor(redact)
        self._clock = clock
        self._guard = threading.Lock()
        self._syncing: threading.Thread | None = None
        self._sync_error: OSError | None = None
        self._doubtful = False
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise HarnessError(f"{self.path}: cannot open the journal ({error.strerror}). {self._advice()}") from error
        try:
            if not try_lock(self._fd):
                raise HarnessError(
                    f"{self.path}: another process is writing this journal. Wait until that run has ended, or start a "
                    "new run by leaving out --harness-resume."
                )
            self._end = self._mend()
            header = {
                "format": JOURNAL,
                "version": VERSIONS[JOURNAL],
                "opening": last_opening(directory) + 1,
                "worker": worker,
                "opened_at": iso_utc(clock.wall()),
                "harness": __version__,
            }
            self._write(to_bytes(encode(header)), "the header")
        except BaseException:
            os.close(self._fd)
            self._fd = -1
            raise
        self._synced_at = clock.monotonic()

    def append(self, record: Mapping[str, Any]) -> None:
        """Keep one record, ``Record.to_json()``; once this returns, the death of the process cannot lose it.

        :raises HarnessError: it could not be written whole (disk full, quota, broken disk). Nothing of it stays in the
            file, earlier lines are untouched, and the writer may be used again once there is room.
        """
        text = encode(record)
        if self._redact is not None:
            text = self._redact(text)
        with self._guard:
            self._write(to_bytes(text), record)
            now = self._clock.monotonic()
            if now - self._synced_at >= SYNC_EVERY_S:
                self._synced_at = now
                self._sync_soon()

    def close(self) -> None:
        """Sync and let go of the file. Harmless when called again.

        :raises HarnessError: the disk did not take what was written.
        """
        with self._guard:
            if self._fd < 0:
                return
            if self._syncing is not None:
                self._syncing.join()
            try:
                os.fsync(self._fd)
            except OSError as error:
                if error.errno not in (errno.EINVAL, errno.EROFS):
                    self._sync_error = error
            os.close(self._fd)
            self._fd = -1
        self._raise_sync_error()

    def __enter__(self) -> JournalWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, line: bytes, record: Mapping[str, Any] | str) -> None:
        if self._fd < 0:
            raise HarnessError(f"{self.path}: the journal is closed; {_name(record)} was not kept.")
        if self._sync_error is not None:
            self._raise_sync_error()
        done = 0
        try:
            if self._doubtful:
                os.ftruncate(self._fd, self._end)
                self._doubtful = False
            done = os.write(self._fd, line)
            while done < len(line):
                # A short write is how a full disk announces itself; asking again gets the real error. Above 2 GiB
                # it is only the system's limit per call.
                more = os.write(self._fd, line[done:])
                if not more:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                done += more
        except OSError as error:
            self._take_back()
            if error.errno in _FULL:
                what = f"no room for {_name(record)} ({len(line):,} bytes; {error.strerror})"
            else:
                what = f"cannot write {_name(record)} ({error.strerror})"
            raise HarnessError(f"{self.path}: {what}; every earlier trial is kept. {self._advice()}") from error
        self._end += done

    def _take_back(self) -> None:
        try:
            os.ftruncate(self._fd, self._end)
        except OSError:
            self._doubtful = True

    def _advice(self) -> str:
        return f"Make room on the disk, then run the same command with --harness-resume={self._run}"

    def _mend(self) -> int:
        """Cut a torn last line off, complete one that only lacks its newline; the offset where the file ends then."""
        size = os.fstat(self._fd).st_size
        if size == 0:
            return 0
        with mmap.mmap(self._fd, size, prot=mmap.PROT_READ) as view:
            self._check_header(view)
            keep = view.rfind(b"\n") + 1
            tail = view[keep:]
        if not tail:
            return size
        if is_whole(tail):
            self._end = size
            self._write(b"\n", "the end of the last line")
            return self._end
        os.ftruncate(self._fd, keep)
        self.notices.append(f"{self.path.name}: dropped a torn last line ({len(tail):,} bytes); its trial is run again")
        return keep

    def _check_header(self, view: mmap.mmap) -> None:
        end = view.find(b"\n")
        if end < 0:
            return  # a torn header: the whole file is cut
        try:
            header = decode(view[:end])
        except ValueError:
            header = None
        if not isinstance(header, dict) or header.get("format") != JOURNAL:
            raise FormatError(f"{self.path}: the first line is not the header of a journal; move the file away.")
        version = check_version(JOURNAL, header.get("version"), str(self.path))
        if version != VERSIONS[JOURNAL]:
            raise FormatError(
                f"{self.path}: version {version} of the journal can be read but not continued; start a new run."
            )

    def _sync_soon(self) -> None:
        if self._syncing is not None and self._syncing.is_alive():
            return
        self._syncing = threading.Thread(target=self._sync, name="harness-journal-sync", daemon=True)
        self._syncing.start()

    def _sync(self) -> None:
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EROFS):  # special files cannot be synced
                self._sync_error = error

    def _raise_sync_error(self) -> None:
        if self._sync_error is not None:
            error, self._sync_error = self._sync_error, None
            raise HarnessError(
                f"{self.path}: the disk did not take what was written ({error.strerror}); the last seconds of this "
                f"journal may be lost. {self._advice()}"
            ) from error


def _redactor(what: str | Callable[[str], str] | None) -> Callable[[str], str] | None:
    if what is None or what == "off":
        return None
    if not isinstance(what, str):
        return what
    # Only who writes needs the patterns; who reads a run should not wait for them to be compiled.
    from harness.results.redaction import Redactor

    return Redactor(what)


def _name(record: Mapping[str, Any] | str) -> str:
    if isinstance(record, str):
        return record
    return f"trial {record.get('trial', '?')} of case {str(record.get('case_id', '?'))[:200]!r}"
