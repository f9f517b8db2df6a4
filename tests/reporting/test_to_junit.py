"""junit.xml: errors kept apart from failures, valid whatever an agent wrote."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from harness.core.record import PlannedSuite, Run
from harness.core.scorecard import CaseLine, Scorecard
from harness.reporting.to_junit import junit_parts
from harness.reporting.walk import TrialNote, Walk
from tests.reporting.builders import DESK, TOOLS, make_run, make_scorecard, record


def parsed(run: Run, scorecard: Scorecard) -> ElementTree.Element:
    with Walk(run, scorecard, page_bytes=0) as walk:
        text = "".join(junit_parts(run.manifest, scorecard, walk.trials))
    return ElementTree.fromstring(text.encode("utf-8"))


def test_errors_failures_and_skips_are_counted_apart(run: Run, scorecard: Scorecard) -> None:
    root = parsed(run, scorecard)
    # 3 failed, 2 errored; 1 unreliable and 2 not run are skipped.
    counts = {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "90", "failures": "3", "errors": "2", "skipped": "3"}
    for name, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert root.get(name) == str(len(root.findall(f".//{element}")))
        assert sum(int(suite.get(name) or 0) for suite in root) == int(root.get(name) or 0)


def test_one_suite_a_test_suite_and_one_case_a_test_case(run: Run, scorecard: Scorecard) -> None:
    root = parsed(run, scorecard)
    assert {suite.get("name") for suite in root} == {line.suite for line in scorecard.cases}
    assert all(len(suite) == 30 for suite in root)


def test_an_error_carries_the_boundary_and_a_failure_every_failing_trial(run: Run, scorecard: Scorecard) -> None:
    root = parsed(run, scorecard)
    error = root.find(".//testcase[@name='tool-003']/error")
    failure = root.find(".//testcase[@name='refund-004']/failure")
    assert error is not None
    assert error.get("type") == "provider"
    assert failure is not None
    assert [f"trial {index} failed" in (failure.text or "") for index in range(4)] == [True, True, True, False]


def test_an_unreliable_case_is_skipped_with_its_numbers(run: Run, scorecard: Scorecard) -> None:
    case = parsed(run, scorecard).find(".//testcase[@name='refund-009']")
    assert case is not None
    skipped, share = case.find("skipped"), case.find("properties/property[@name='trials_passed']")
    assert skipped is not None
    assert (skipped.get("message") or "").startswith("unreliable")
    assert share is not None
    assert share.get("value") == "2 of 3"


def test_a_failing_case_of_an_observed_suite_is_not_a_failure() -> None:
    run = make_run([record("c", outcome="failed")], planned=(PlannedSuite(suite=DESK, cases=1, observe=True),))
    root = parsed(run, make_scorecard(run))
    assert root.get("failures") == "0"
    assert root.get("skipped") == "1"


def test_arms_of_one_suite_stay_apart() -> None:
    run = make_run([record("c", arm="a"), record("c", arm="b", outcome="failed")])
    assert [suite.get("name") for suite in parsed(run, make_scorecard(run))] == [f"{DESK}[a]", f"{DESK}[b]"]


@given(st.text(st.characters(codec=None), max_size=60))
def test_any_text_leaves_the_file_valid_xml(text: str) -> None:
    case = CaseLine(suite=TOOLS + text, case_id=text, arm=text, area=text, status="errored", reason=text)
    note = TrialNote("errored", text, text, 1.0, None)
    parts = junit_parts(
        make_run([]).manifest,
        Scorecard(run_id="r", rows=(), cases=(case,)),
        {(case.suite, case.arm, case.case_id): {0: note}},
    )
    assert ElementTree.fromstring("".join(parts).encode("utf-8")).get("errors") == "1"
