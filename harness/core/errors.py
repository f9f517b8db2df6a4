"""The exception tree and the error kinds: what broke, at which boundary, and what to do next.

::

    HarnessError                      everything this package raises on purpose
    ├── UsageError                    the user's declaration is wrong: a flag, a marker, a table, a spec  (exit 4)
    │   ├── DatasetError              rows of a golden dataset are wrong; lists every bad row
    │   └── RuleError                 a gate file is wrong; names file and line
    ├── MissingDependency             an optional extra is needed; carries the install command
    ├── FormatError                   a stored file cannot be read (damaged, or written by a newer harness)
    └── Broken                        something failed while a trial ran; becomes data in the record
        ├── AgentBroken               the agent raised, or answered with something that is not a trajectory
        ├── ProviderBroken            the model endpoint failed (429, 5xx, cut stream, unreadable reply)
        ├── ToolBroken                a tool of the agent's world failed in a way the agent could not see
        ├── JudgeBroken               a judge gave no usable verdict
        ├── TrialTimeout              the trial's deadline passed
        ├── BudgetExhausted           the money cap would be passed by the next call
        └── RecordingMissing          replay has no recording for this request, or the network was reached for

A failing agent is data; a failing harness is an exception.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

ErrorKind = Literal["agent", "provider", "tool", "judge", "timeout", "budget", "harness"]
ERROR_KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)


class HarnessError(Exception):
    """Base of everything this package raises on purpose; the message ends with the next step."""


class UsageError(HarnessError):
    """A declaration of the user's (flag, marker, table, file) is wrong; shown without a traceback."""


class DatasetError(UsageError):
    """A golden dataset cannot be used; the message lists every bad row with file, line, field, value and fix."""


class RuleError(UsageError):
    """A gate file cannot be used; the message names the file and the line."""


class MissingDependency(HarnessError):
    """An optional library is needed for what was asked.

    :param library: what has to be importable, e.g. ``"litellm"``.
    :param extra: the extra of this package that brings it.
    """

    def __init__(self, library: str, *, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {library}, which is not installed. Install it: pip install 'harness[{extra}]'"
        )
        self.library = library
        self.extra = extra


class FormatError(HarnessError):
    """A stored file cannot be read: damaged, or written by a newer version of the harness."""


class Broken(HarnessError):
    """Something failed while a trial ran. The engine turns it into a :class:`Failure` in the record."""

    kind: ErrorKind = "harness"


class AgentBroken(Broken):
    """The agent raised, or returned something that is not a trajectory."""

    kind: ErrorKind = "agent"


class ProviderBroken(Broken):
    """A model endpoint or agent service failed.

    :param status: HTTP status, or None when no reply arrived.
    :param retryable: whether trying again can help (429, 5xx, connection lost): decided where the failure is seen.
    :param retry_after_s: what the server asked for, in seconds, or None.
    :param reason: a short stable word for the report: ``rate_limited``, ``server_error``, ``connection``,
        ``cut_stream``, ``bad_json``, ``empty_reply``, ``too_large``, ``refused`` (other 4xx).
    """

    kind: ErrorKind = "provider"

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        status: int | None = None,
        retryable: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status
        self.retryable = retryable
        self.retry_after_s = retry_after_s


class ToolBroken(Broken):
    """A tool failed outside what the agent may see and recover from."""

    kind: ErrorKind = "tool"


class JudgeBroken(Broken):
    """A judge gave no usable verdict."""

    kind: ErrorKind = "judge"


class TrialTimeout(Broken):
    """The deadline of a trial passed; the trial was cancelled."""

    kind: ErrorKind = "timeout"


class BudgetExhausted(Broken):
    """The next call would pass the money cap; it was not made."""

    kind: ErrorKind = "budget"


class RecordingMissing(Broken):
    """Replay has no recording for a request. The message shows the nearest one with a difference."""

    kind: ErrorKind = "harness"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a trial could not be measured, as data."""

    kind: ErrorKind
    """The boundary that broke."""
    message: str
    """One or a few sentences for a person, bounded to 4,000 characters."""
    type: str = ""
    """Name of the exception class, for grouping."""
    reason: str = ""
    """A short stable word where the boundary knows one (``rate_limited``, ``cut_stream``, ...)."""
    detail: str = ""
    """The end of the traceback where it helps an engineer; bounded to 8,000 characters."""

    @classmethod
    def of(cls, error: BaseException, *, kind: ErrorKind | None = None) -> Failure:
        """The failure an exception stands for.

        :param kind: used when the exception does not name its own boundary; default ``harness``.
        """
        own = getattr(error, "kind", None)
        decided: ErrorKind = own if own in ERROR_KINDS else (kind or "harness")
        message = str(error) or type(error).__name__
        return cls(
            kind=decided,
            message=message[:4000],
            type=type(error).__name__,
            reason=str(getattr(error, "reason", ""))[:80],
            detail="" if isinstance(error, Broken) else _end_of_traceback(error),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain mapping for the journal; empty fields are left out."""
        full = {"kind": self.kind, "message": self.message, "type": self.type, "reason": self.reason}
        full["detail"] = self.detail
        return {key: value for key, value in full.items() if value != ""}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Failure:
        """The inverse of :meth:`to_json`."""
        return cls(
            kind=data["kind"],
            message=data.get("message", ""),
            type=data.get("type", ""),
            reason=data.get("reason", ""),
            detail=data.get("detail", ""),
        )


def _end_of_traceback(error: BaseException) -> str:
    """The last frames, without the carets of ``traceback.format_exception``.

    Placing carets parses source code, which some releases of Python 3.11 cannot do in two threads at once (SystemError:
    AST constructor recursion depth mismatch), and pytest does it on the main thread.
    """
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    lines = [
        f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n    {frame.line or ""}' for frame in frames
    ]
    return "\n".join(["Traceback (last calls last):", *lines, f"{type(error).__name__}: {error}"])[-8000:]
