"""Golden cases as pytest items: named, selected, reported and captured as any other test."""

from __future__ import annotations

import xml.etree.ElementTree as ET

ECHO = """
@pytest.mark.golden("demo")
def test_echo(case, trajectory):
    assert trajectory.answer
"""


def test_each_case_is_an_item_named_after_it_and_selected_by_its_name(project):
    project.cases(4)
    project.test(ECHO)

    listed = project.run("--collect-only", "-q")
    assert [line for line in listed.out.splitlines() if "::" in line] == [
        f"test_demo.py::test_echo[c{i:03d}]" for i in range(4)
    ]
    assert listed.folders == [], "listing runs nothing and leaves nothing"

    by_id = project.run("test_demo.py::test_echo[c002]")
    assert by_id.code == 0
    assert list(by_id.outcomes) == ["c002"]
    assert by_id.manifest.partial

    by_keyword = project.run("-k", "c001 or c003")
    assert by_keyword.tally == {"passed": 2, "deselected": 2}
    assert sorted(by_keyword.outcomes) == ["c001", "c003"]
    assert by_keyword.manifest.partial


def test_marks_select_golden_items_and_the_golden_mark_itself_does(project):
    project.cases(2)
    project.test(
        """
@pytest.mark.golden("demo")
def test_fast(case, trajectory):
    assert trajectory.answer

@pytest.mark.slow
@pytest.mark.golden("demo")
def test_slow(case, trajectory):
    assert trajectory.answer

def test_plain():
    pass
"""
    )
    (project.root / "pytest.ini").write_text("[pytest]\nmarkers = slow: slow ones\n")
    assert {record.suite for record in project.run("-m", "slow").records} == {"test_demo.py::test_slow"}
    assert project.run("-m", "golden").tally == {"passed": 4, "deselected": 1}
    assert project.run("-m", "not golden").tally == {"passed": 1, "deselected": 4}


def test_an_assertion_is_introspected_and_shown_with_its_values(project):
    project.cases(2)
    project.test(
        """
@pytest.mark.golden("demo", evaluators=[])
def test_echo(case, trajectory):
    wanted = {"input 000": "input 000"}.get(case.input, "something else")
    assert trajectory.answer == wanted
"""
    )
    session = project.run()
    assert session.tally == {"failed": 1, "passed": 1}
    assert session.code == 10
    assert "AssertionError: assert 'input 001' == 'something else'" in session.out
    assert ">       assert trajectory.answer == wanted" in session.out
    assert "test_demo.py:7: AssertionError" in session.out
    assert "FAILED test_demo.py::test_echo[c001] - " in session.out
    (failed,) = [record for record in session.records if record.outcome == "failed"]
    assert "assert 'input 001' == 'something else'" in failed.failure


def test_what_a_body_prints_is_shown_with_its_own_failure_and_no_other(project):
    project.cases(3)
    project.test(
        """
@pytest.mark.golden("demo", evaluators=[])
def test_plain(case, trajectory):
    print("printed for", case.id)
    assert case.id != "c001"

@pytest.mark.golden("demo", evaluators=[])
def test_own_place(case, trajectory, tmp_path):
    print("in place for", case.id)
    assert case.id != "c002"
"""
    )
    session = project.run()
    assert session.out.count("printed for c001") == 1
    assert session.out.count("in place for c002") == 1
    for other in ("printed for c000", "printed for c002", "in place for c000", "in place for c001"):
        assert other not in session.out


def test_a_body_may_skip_and_the_case_is_then_not_run_and_never_passed(project):
    project.cases(3)
    project.test(
        """
@pytest.mark.golden("demo")
def test_echo(case, trajectory):
    if case.id == "c001":
        pytest.skip("no such thing here")

@pytest.mark.golden("demo")
async def test_async(case, agent, tmp_path):
    if case.id == "c001":
        pytest.skip("not here either")
    await agent(case)
"""
    )
    session = project.run("-rs")
    assert session.tally == {"passed": 4, "skipped": 2}
    assert "no such thing here" in session.out
    assert "not here either" in session.out
    assert sorted(told.outcome for told in session.records) == ["not_run"] * 2 + ["passed"] * 4
    assert session.code == 11, "two trials that nobody measured leave the gate undecided"


def test_the_first_failure_stops_the_session_with_x(counting):
    counting.cases(120)
    counting.test(
        """
@pytest.mark.golden("demo", evaluators=[])
def test_echo(case, trajectory):
    assert case.id != "c003"
"""
    )
    session = counting.run("-x", "--harness-concurrency=8")
    assert session.tally == {"failed": 1, "passed": 3}
    assert session.code != 0
    assert len(counting.calls) <= 4 + 2 * 8, "at most the window was begun beyond the failing case"
    measured = {record.case_id for record in session.records}
    assert {"c000", "c001", "c002", "c003"} <= measured
    assert not any(record.outcome == "errored" for record in session.records), "cancelled trials are no records"


def test_lf_runs_the_failed_cases_again_and_only_them(project):
    project.cases(4)
    project.test(
        """
import pathlib
@pytest.mark.golden("demo", evaluators=[])
def test_echo(case, trajectory):
    assert case.id != "c002" or pathlib.Path("fixed").exists()
"""
    )
    assert project.run(quiet=project.lean).tally == {"failed": 1, "passed": 3}
    (project.root / "fixed").touch()
    again = project.run("--lf", quiet=project.lean)
    assert again.tally["passed"] == 1
    assert list(again.outcomes) == ["c002"]
    assert again.manifest.partial


def test_junit_durations_and_verbose_lines_know_every_case(project):
    project.cases(3)
    project.test(
        """
@pytest.mark.golden("demo", evaluators=[])
def test_echo(case, trajectory):
    assert case.id != "c001"
"""
    )
    session = project.run("-v", "--junitxml=out.xml", "--durations=3", "--durations-min=0")
    for name, word in (("c000", "PASSED"), ("c001", "FAILED"), ("c002", "PASSED")):
        assert any(f"test_echo[{name}] {word}" in line for line in session.out.splitlines())
    assert session.out.count("s call ") == 3
    suite = ET.parse(project.root / "out.xml").getroot().find("testsuite")
    assert suite.get("tests") == "3"
    assert suite.get("failures") == "1"
    assert {case.get("name") for case in suite.iter("testcase")} == {f"test_echo[c{i:03d}]" for i in range(3)}


def test_parametrize_makes_arms_that_are_records_of_their_own(project):
    project.cases(2)
    project.test(
        """
@pytest.mark.parametrize("style", ["short", "long"])
@pytest.mark.golden("demo")
def test_echo(case, trajectory, style):
    assert style in ("short", "long")
    assert trajectory.answer
"""
    )
    session = project.run("-v")
    assert session.code == 0
    assert {record.key for record in session.records} == {
        ("test_demo.py::test_echo", f"style={style}", f"c00{i}", 0) for style in ("short", "long") for i in (0, 1)
    }
    assert {(planned.arm, planned.cases) for planned in session.manifest.planned} == {
        ("style=short", 2),
        ("style=long", 2),
    }
    assert "[c000-short]" in session.out or "[short-c000]" in session.out


def test_ordinary_fixtures_classes_and_autouse_work_beside_the_harness_ones(project):
    project.cases(2)
    project.test(
        """
made = []

@pytest.fixture(scope="module")
def once():
    made.append("once")
    yield "shared"

@pytest.fixture
def each(case, tmp_path):
    (tmp_path / "input").write_text(case.input)
    return tmp_path / "input"

@pytest.mark.golden("demo")
def test_fixture_sees_the_case(case, trajectory, each):
    assert each.read_text() == case.input == trajectory.answer

@pytest.mark.golden("demo")
async def test_module_scope(case, agent, once):
    assert (await agent(case)).answer
    assert once == "shared" and made == ["once"]

class TestDesk:
    @pytest.fixture(autouse=True)
    def prepared(self):
        self.ready = True

    @pytest.mark.golden("demo")
    def test_method(self, case, trajectory):
        assert self.ready and trajectory.answer

    @pytest.mark.golden("demo")
    async def test_async_method(self, case, agent):
        assert self.ready and (await agent(case)).answer

def test_plain(tmp_path):
    assert tmp_path.exists()
"""
    )
    session = project.run()
    assert session.tally == {"passed": 9}
    assert session.code == 0
    assert {record.suite for record in session.records} == {
        "test_demo.py::test_fixture_sees_the_case",
        "test_demo.py::test_module_scope",
        "test_demo.py::TestDesk::test_method",
        "test_demo.py::TestDesk::test_async_method",
    }


def test_skipif_xfail_and_usefixtures_keep_their_meaning(project):
    project.cases(2)
    project.test(
        """
@pytest.fixture
def noted():
    with open("noted.txt", "a") as file:
        file.write("x")

@pytest.mark.skipif(True, reason="never here")
@pytest.mark.golden("demo")
def test_skipped(case, trajectory):
    assert False

@pytest.mark.usefixtures("noted")
@pytest.mark.golden("demo")
def test_with(case, trajectory):
    assert trajectory.answer

@pytest.mark.xfail(reason="known")
@pytest.mark.golden("demo", evaluators=[])
def test_known(case, trajectory):
    assert False
"""
    )
    session = project.run("-rsx")
    assert session.tally == {"passed": 2, "skipped": 2, "xfailed": 2}
    assert (project.root / "noted.txt").read_text() == "xx"
    assert session.code != 0, "what xfail excuses for pytest the gate still sees"


def test_a_mark_on_the_module_or_the_class_makes_its_tests_golden(project):
    project.cases(2)
    project.test("pytestmark = pytest.mark.golden('demo')\ndef test_echo(case, trajectory):\n    pass\n")
    project.test(
        "@pytest.mark.golden('demo')\nclass TestAll:\n    def test_echo(self, case, trajectory):\n        pass\n",
        name="test_other.py",
    )
    assert project.run().tally == {"passed": 4}


def test_the_nearest_golden_mark_wins(project):
    project.cases(2)
    project.cases(3, name="other")
    project.test(
        "pytestmark = pytest.mark.golden('demo')\n"
        "@pytest.mark.golden('other')\ndef test_echo(case, trajectory):\n    pass\n"
    )
    assert len(project.run().records) == 3
