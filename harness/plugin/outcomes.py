"""From records to what pytest reports: passed, failed, unreliable or error, with a text that says why.

========================  =====================  ======================================
the case's trials         ordinary test          statistical suite (a rate rule decides)
========================  =====================  ======================================
all passed                passed                 passed
some or all failed        failed                 unreliable (like xfail: not red by itself)
some errored, none failed error (red)            error (not red by itself: the gate decides)
must_pass, any failed     failed                 failed
========================  =====================  ======================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pytest
from _pytest._code.code import ExceptionInfo, TerminalRepr
from _pytest._io import TerminalWriter

from harness.core.errors import Failure
from harness.core.record import Record

if TYPE_CHECKING:
    from harness.plugin.items import Prepared
    from harness.runs.trial import Judgement

Status = Literal["passed", "failed", "unreliable", "errored", "not_run"]


@dataclass(frozen=True, kw_only=True)
class CrashLine:
    """What pytest's short summary prints behind a red item."""

    message: str


class TrialsRepr(TerminalRepr):
    """The failing trials of one case, for the terminal."""

    def __init__(self, message: str, parts: list[tuple[str, str]]) -> None:
        self.reprcrash = CrashLine(message=message)
        self._parts = parts

    def toterminal(self, tw: TerminalWriter) -> None:
        """Write it; agents' control characters are made visible."""
        for index, (heading, text) in enumerate(self._parts):
            if heading:
                tw.sep("-" if index else "_", heading) if len(self._parts) > 1 else tw.line(heading, bold=True)
            tw.line(visible(text))

    def __str__(self) -> str:
        shown = "\n".join(f"{heading}\n{visible(text)}" if heading else visible(text) for heading, text in self._parts)
        # A worker sends its failures as text, and pytest's short summary prints the first line of a text.
        message = self.reprcrash.message
        return shown if shown.startswith(message) else f"{message}\n\n{shown}"


def visible(text: str) -> str:
    """Control characters other than newline and tab as ``\\x..``, so that no reply drives the terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode("ascii") for c in text)


@dataclass(frozen=True, kw_only=True)
class ItemOutcome:
    """What an item reports."""

    status: Status
    report: Literal["passed", "failed", "skipped"]
    """pytest's own three; everything that is not red by itself is ``skipped`` with a reason."""
    reason: str = ""
    longrepr: Any = None

    def mark(self, report: pytest.TestReport) -> None:
        """Put on a report what makes the terminal say *unreliable* or *error*."""
        if self.status in ("unreliable", "errored"):
            report.harness_status = self.status  # type: ignore[attr-defined]
            if self.report == "skipped":
                report.wasxfail = self.reason


def decide(prepared: Prepared, records: tuple[Record, ...], crash: BaseException | None) -> ItemOutcome:
    """The report of an item from its records.

    :param crash: what the harness itself raised, which is always red.
    """
    if crash is not None:
        text = f"{type(crash).__name__}: {crash}"
        return ItemOutcome(status="failed", report="failed", reason=text, longrepr=TrialsRepr(text, [("", text)]))
    failed = [record for record in records if record.outcome == "failed"]
    errored = [record for record in records if record.outcome == "errored"]
    skipped = [record for record in records if record.outcome == "not_run"]
    planned = len(prepared.trials)
    if not failed and not errored:
        if skipped or not records:
            reason = skipped[0].error.message if skipped and skipped[0].error else "not run"
            where = (str(prepared.work.nodeid), 0, f"Skipped: {reason}")
            return ItemOutcome(status="not_run", report="skipped", reason=reason, longrepr=where)
        return ItemOutcome(status="passed", report="passed")
    bad = failed or errored
    message = _headline(bad[0])
    if planned > 1:
        message = f"{len(bad)} of {planned} trials {'failed' if failed else 'errored'}: {message}"
    parts = [(_heading(record, planned), _text(record)) for record in [*failed, *errored][:5]]
    longrepr = TrialsRepr(message, parts)
    statistical = prepared.work.statistical
    if failed:
        status: Status = "unreliable" if statistical else "failed"
    else:
        status = "errored"
    report: Literal["failed", "skipped"] = "skipped" if statistical else "failed"
    return ItemOutcome(status=status, report=report, reason=message, longrepr=longrepr)


def _headline(record: Record) -> str:
    if record.error is not None:
        kind = f"{record.error.kind}: " if record.outcome == "errored" else ""
        return visible(f"{kind}{_first_line(record.error.message)}")
    return visible(_first_line(record.failure))


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0][:300]


def _heading(record: Record, planned: int) -> str:
    kind = (
        f"error ({record.error.kind})" if record.error is not None and record.outcome == "errored" else record.outcome
    )
    return (
        f"trial {record.trial} of {planned}: {kind}" if planned > 1 else (kind if record.outcome == "errored" else "")
    )


def _text(record: Record) -> str:
    if record.error is not None and record.outcome == "errored":
        return record.error.message + (f"\n{record.error.detail}" if record.error.detail else "")
    headline, separated, shown = record.failure.partition("\n\n")
    return shown if separated and shown else headline


def explainer(function: Any) -> Callable[[BaseException], Judgement]:
    """Tells what an exception of a test body means, in pytest's terms."""

    def explain(error: BaseException) -> Judgement:
        from harness.runs.trial import MAX_TEXT, Judgement

        if isinstance(error, pytest.exit.Exception):
            raise error
        if isinstance(error, pytest.skip.Exception):
            failure = Failure(kind="harness", message=f"skipped: {error}", reason="skipped")
            return Judgement(outcome="not_run", failure=failure)
        if isinstance(error, (AssertionError, pytest.fail.Exception)):
            # A headline for lists, then what pytest would print.
            headline = _first_line(f"{type(error).__name__}: {error}" if type(error) is AssertionError else str(error))
            return Judgement(outcome="failed", text=f"{headline}\n\n{_as_pytest_shows(error, function)}"[:MAX_TEXT])
        text = _as_pytest_shows(error, function)
        failure = Failure(
            kind="harness",
            message=f"the test's body raised {type(error).__name__}: {error}"[:4000],
            type=type(error).__name__,
            reason="test_body",
            detail=text[-8000:],
        )
        return Judgement(outcome="errored", failure=failure)

    return explain


def _as_pytest_shows(error: BaseException, function: Any) -> str:
    """The failure as pytest prints it, cut to the test's own frames."""
    info = ExceptionInfo.from_exception(error)
    code = getattr(function, "__code__", None)
    cut = info.traceback.cut(path=code.co_filename, firstlineno=code.co_firstlineno - 1) if code else info.traceback
    if len(cut) == len(info.traceback) and code:
        cut = info.traceback.cut(path=code.co_filename)
    info.traceback = cut.filter(info)
    try:
        return str(info.getrepr(style="long", showlocals=False, truncate_locals=True))
    except Exception:  # noqa: BLE001 - a source file that cannot be read must not hide the failure itself
        return f"{type(error).__name__}: {error}"
