"""``junit.xml``: one test suite per suite, one test case per case, for CI systems that read JUnit.

- passed: a plain test case.
- failed: ``<failure>``, with what each failing trial said.
- errored: ``<error>``, its type the boundary that broke; never counted among the failures.
- unreliable, and a failing case of a suite that is only observed: ``<skipped>`` with its numbers, because a rule over
  all cases decides, not the case (the same way an expected failure is reported).
- not run: ``<skipped>`` with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape, quoteattr

from harness.core.record import Manifest
from harness.core.scorecard import CaseLine, Scorecard
from harness.reporting.case_order import CaseKey, case_name, line_key
from harness.reporting.visible_text import bounded, one_line, visible
from harness.reporting.walk import TrialNote

TEXT_LIMIT = 8_000
"""Characters of failure text per case."""
MOST_TRIALS = 10
"""Failing trials quoted per case."""


def junit_parts(
    manifest: Manifest, scorecard: Scorecard, trials: Mapping[CaseKey, Mapping[int, TrialNote]]
) -> Iterator[str]:
    """The document piece by piece: valid XML 1.0 whatever the agent wrote."""
    observed = {(suite.suite, suite.arm) for suite in manifest.planned if suite.observe}
    suites: dict[tuple[str, str], list[CaseLine]] = {}
    for line in scorecard.cases:
        suites.setdefault((line.suite, line.arm), []).append(line)
    yield '<?xml version="1.0" encoding="utf-8"?>\n'
    counted = Counter(_element(line, observed) for line in scorecard.cases)
    yield f'<testsuites name="harness" {_counts(counted)} time="{max(0.0, scorecard.duration_s or 0.0):.3f}">\n'
    for (suite, arm), lines in suites.items():
        name = f"{suite}[{arm}]" if arm else suite
        counted = Counter(_element(line, observed) for line in lines)
        seconds = sum(_seconds(trials.get(line_key(line), {})) for line in lines)
        yield f'<testsuite name={_attribute(name)} {_counts(counted)} time="{seconds:.3f}"'
        yield f" timestamp={_attribute(manifest.created_at.removesuffix('Z'))}>\n"
        for line in lines:
            yield from _case(line, trials.get(line_key(line), {}), (suite, arm) in observed, _element(line, observed))
        yield "</testsuite>\n"
    yield "</testsuites>\n"


def _element(line: CaseLine, observed: set[tuple[str, str]]) -> str:
    if line.status == "failed":
        return "skipped" if (line.suite, line.arm) in observed else "failure"
    return {"errored": "error", "unreliable": "skipped", "not_run": "skipped", "decided": "skipped"}.get(
        line.status, ""
    )


def _counts(counted: Counter[str]) -> str:
    total = sum(counted.values())
    return f'tests="{total}" failures="{counted["failure"]}" errors="{counted["error"]}" skipped="{counted["skipped"]}"'


def _case(line: CaseLine, trials: Mapping[int, TrialNote], observed: bool, element: str) -> Iterator[str]:
    where = line.suite.replace("/", ".").replace(".py::", ".")
    yield f"<testcase classname={_attribute(where)} name={_attribute(case_name(line))}"
    yield f' time="{_seconds(trials):.3f}">\n'
    properties = {"area": line.area, "severity": line.severity if line.severity != "normal" else ""}
    if line.status == "unreliable" or line.passed + line.failed + line.errored + line.not_run > 1:
        properties["trials_passed"] = f"{line.passed} of {line.passed + line.failed + line.errored + line.not_run}"
    written = [
        f"<property name={_attribute(key)} value={_attribute(value)}/>" for key, value in properties.items() if value
    ]
    if written:
        yield f"<properties>{''.join(written)}</properties>\n"
    if element:
        prefix = {"unreliable": "unreliable", "not_run": "not run", "decided": "not needed"}.get(line.status, "")
        if observed and line.status == "failed":
            prefix = "failed, but this suite is only observed"
        message = ": ".join(part for part in (prefix, one_line(line.reason)) if part) or line.status
        kind = next((note.kind for note in trials.values() if note.kind), "") if element == "error" else line.status
        type_ = "" if element == "skipped" else f" type={_attribute(kind or line.status)}"
        body = "" if line.status in ("not_run", "decided") else escape(_trial_text(trials))
        yield f"<{element}{type_} message={_attribute(message)}>{body}</{element}>\n"
    yield "</testcase>\n"


def _trial_text(trials: Mapping[int, TrialNote]) -> str:
    bad = [(index, note) for index, note in sorted(trials.items()) if note.outcome != "passed"]
    parts = [f"trial {index} {note.outcome}: {note.message}" for index, note in bad[:MOST_TRIALS]]
    if len(bad) > MOST_TRIALS:
        parts.append(f"and {len(bad) - MOST_TRIALS} more trials")
    return bounded("\n\n".join(parts), TEXT_LIMIT)


def _seconds(trials: Mapping[int, TrialNote]) -> float:
    return sum(max(0.0, note.duration_s) for note in trials.values())


def _attribute(text: str) -> str:
    return quoteattr(visible(text))
