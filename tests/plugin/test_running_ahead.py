"""Cases awaited concurrently while pytest reports them one by one; counted inside the agent, never timed."""

from __future__ import annotations

import pytest

TRAJECTORY = """
@pytest.mark.golden("demo")
def test_echo(case, trajectory):
    assert trajectory.answer
"""


@pytest.mark.parametrize(
    "body",
    [
        TRAJECTORY,
        "@pytest.mark.golden('demo')\nasync def test_echo(case, agent):\n    assert (await agent(case)).answer\n",
        "@pytest.mark.golden('demo')\ndef test_echo(case, trajectory):\n    '''Only declared.'''\n",
    ],
    ids=["trajectory", "async body", "no body"],
)
def test_cases_are_awaited_together_and_never_more_than_the_fixed_window(counting, body):
    counting.cases(40)
    counting.test(body)
    session = counting.run("--harness-concurrency=7")
    assert session.tally == {"passed": 40}
    assert counting.peaks == [7]
    assert len(counting.calls) == 40


def test_the_adaptive_window_starts_with_32_at_once(counting):
    counting.cases(40)
    counting.test(TRAJECTORY)
    counting.run()
    assert 32 <= counting.peaks[0] <= 40


def test_a_window_of_one_is_one_after_the_other_in_the_order_of_collection(counting):
    counting.cases(6)
    counting.test(TRAJECTORY)
    counting.run("--harness-concurrency=1")
    assert counting.peaks == [1]
    assert [line.split()[0] for line in counting.calls] == [f"c{i:03d}" for i in range(6)]


def test_sync_agents_run_in_threads_side_by_side(counting):
    counting.cases(16)
    counting.test(TRAJECTORY)
    session = counting.run("--harness-agent=bot:plain", "--harness-concurrency=8")
    assert session.tally == {"passed": 16}
    assert counting.peaks == [8]
    assert all(line.endswith("False") for line in counting.calls), "none of them in the main thread"


def test_whole_async_bodies_that_call_the_agent_several_times_run_ahead(counting):
    counting.cases(12)
    counting.test(
        """
@pytest.mark.golden("demo")
async def test_twice(case, agent):
    first = await agent(case)
    second = await agent(case)
    assert first.answer == second.answer
"""
    )
    session = counting.run("--harness-concurrency=6")
    assert session.tally == {"passed": 12}
    assert counting.peaks == [6]
    assert len(counting.calls) == 24
    assert all(record.trajectory.metadata["agent_runs"] == 2 for record in session.records)


def test_a_test_with_function_scoped_fixtures_runs_in_its_own_place(counting):
    counting.cases(5)
    counting.test(
        """
@pytest.mark.golden("demo")
async def test_in_place(case, agent, tmp_path):
    assert not list(tmp_path.iterdir())
    (tmp_path / "mine").touch()
    assert (await agent(case)).answer
"""
    )
    session = counting.run()
    assert session.tally == {"passed": 5}
    assert counting.peaks == [1]


def test_module_fixtures_are_set_up_once_and_their_tests_run_ahead(counting):
    counting.cases(10)
    counting.test(
        """
made = []

@pytest.fixture(scope="module")
def world():
    made.append("world")
    yield {"made": len(made)}
    print("torn down after", len(made))

@pytest.mark.golden("demo")
async def test_async(case, agent, world):
    assert (await agent(case)).answer
    assert world == {"made": 1}

@pytest.mark.golden("demo")
def test_plain(case, trajectory, world):
    assert trajectory.answer
    assert world == {"made": 1}
"""
    )
    for name in ("test_async", "test_plain"):
        counting.forget_calls()
        session = counting.run("--harness-concurrency=5", "-k", name)
        assert session.tally == {"passed": 10, "deselected": 10}
        assert counting.peaks == [5], name
    counting.forget_calls()
    assert counting.run("--harness-concurrency=5").tally == {"passed": 20}
    assert counting.peaks == [5]


def test_an_agent_fixture_of_module_scope_is_the_agent_of_all_that_run_ahead_with_it(counting):
    counting.cases(6)
    counting.test(
        """
import bot

@pytest.fixture(scope="module")
def agent():
    return bot.plain

@pytest.mark.golden("demo")
async def test_async(case, agent):
    assert (await agent(case)).answer

@pytest.mark.golden("demo")
def test_declared(case, trajectory):
    assert trajectory.answer
"""
    )
    session = counting.run("-k", "test_async", "--harness-concurrency=3")
    assert session.tally == {"passed": 6, "deselected": 6}, session.out
    assert counting.peaks == [3]
    assert len(counting.calls) == 6


def test_two_tests_of_one_module_share_the_window(counting):
    counting.cases(6)
    counting.test(TRAJECTORY + TRAJECTORY.replace("test_echo", "test_again"))
    counting.run("--harness-concurrency=9")
    assert counting.peaks == [9]


def test_a_plain_body_that_calls_the_agent_itself_works_in_its_own_place(counting):
    counting.cases(4)
    counting.test(
        """
@pytest.mark.golden("demo", evaluators=[])
def test_plain(case, agent, evaluate):
    first = agent(case)
    second = agent("something else")
    assert second.answer == "something else"
    from harness.evaluators import Contains
    (score,) = evaluate(Contains(), trajectory=first)
    assert score.passed
"""
    )
    session = counting.run()
    assert session.tally == {"passed": 4}, session.out
    assert counting.peaks == [1]
    assert len(counting.calls) == 8


def test_an_overridden_agent_fixture_is_the_agent_of_its_tests(counting):
    counting.cases(3)
    (counting.root / "conftest.py").write_text(
        "import pytest\n\n@pytest.fixture\ndef agent():\n    async def mine(text):\n        return 'mine ' + text\n"
        "    return mine\n"
    )
    counting.test(
        """
@pytest.mark.golden("demo")
async def test_awaited(case, agent):
    assert (await agent(case)).answer == "mine " + case.input
"""
    )
    session = counting.run()
    assert session.tally == {"passed": 3}, session.out
    assert counting.calls == []


def test_an_agent_that_has_to_be_opened_is_opened_once_and_closed_at_the_end(project):
    project.cases(20)
    project.agent(
        """
import pathlib
from harness import Trajectory

class Desk:
    name = "desk"
    log = pathlib.Path(__file__).parent / "log.txt"

    def note(self, text):
        with self.log.open("a") as file:
            file.write(text + "\\n")

    async def __aenter__(self):
        self.note("opened")
        return self

    async def __aexit__(self, *error):
        self.note("closed")

    async def run(self, case, trial):
        return Trajectory.from_answer(case.input)

desk = Desk()
"""
    )
    project.test(TRAJECTORY)
    assert project.run("--harness-agent=bot:desk").code == 0
    assert (project.root / "log.txt").read_text() == "opened\nclosed\n"


def test_an_agent_that_cannot_be_closed_is_a_note_and_changes_no_result(project):
    project.cases(2)
    project.agent(
        """
from harness import Trajectory

class Desk:
    name = "desk"

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        raise OSError("the browser is gone")

    async def run(self, case, trial):
        return Trajectory.from_answer(case.input)

desk = Desk()
"""
    )
    project.test(TRAJECTORY)
    session = project.run("--harness-agent=bot:desk")
    assert session.code == 0
    assert "note: closing the agents raised OSError: the browser is gone" in session.out


def test_records_of_different_suites_in_one_session_keep_their_own_names(counting):
    counting.cases(3)
    counting.test(TRAJECTORY, name="suites/first/test_a.py")
    counting.test(TRAJECTORY, name="suites/second/test_a.py")
    session = counting.run("suites", "--import-mode=importlib")
    assert {record.suite for record in session.records} == {
        "suites/first/test_a.py::test_echo",
        "suites/second/test_a.py::test_echo",
    }
    assert {record.area for record in session.records} == {"first", "second"}
    assert not session.manifest.partial
