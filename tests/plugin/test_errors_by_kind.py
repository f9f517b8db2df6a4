"""What could not be measured is errored by the boundary that broke: no pass, no fail, and never in the others' way."""

from __future__ import annotations

from fixtures.model_server import ThreadedModelServer

# What the agent does is what the case says.
HOSTILE = """
import asyncio, sys, time
from harness import Trajectory

async def answer(text):
    if text == "raise":
        raise ValueError("the agent's own fault")
    if text == "exit":
        sys.exit("the agent leaves")
    if text == "exit in a task":
        async def leave():
            sys.exit("a task leaves")
        await asyncio.create_task(leave())
    if text == "interrupt":
        raise KeyboardInterrupt
    if text == "cancel itself":
        raise asyncio.CancelledError
    if text == "own timeout":
        async with asyncio.timeout(0.01):
            await asyncio.sleep(10)
    if text == "none":
        return None
    if text == "number":
        return 42
    if text == "empty":
        return ""
    if text == "hang":
        await asyncio.sleep(3600)
    if text == "stubborn":
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                pass
    return text

def plain(text):
    if text == "exit":
        sys.exit("the agent leaves")
    if text == "hang":
        time.sleep(3600)
    if text == "stop iteration":
        raise StopIteration
    return text
"""

TEST = """
@pytest.mark.golden("demo", evaluators=[])
def test_answers(case, trajectory):
    assert trajectory.answer
"""


def rows(*inputs: str, **more: object) -> list[dict[str, object]]:
    return [{"id": text.replace(" ", "-"), "input": text, **more} for text in inputs]


def test_whatever_an_agent_raises_or_returns_is_its_own_error_and_the_others_go_on(project):
    broken = ("raise", "exit", "exit in a task", "interrupt", "cancel itself", "own timeout", "none", "number")
    project.agent(HOSTILE)
    project.cases(rows("first", *broken, "empty", "last"))
    project.test(TEST)
    session = project.run("-v")
    assert session.outcomes == {
        "first": "passed",
        **{text.replace(" ", "-"): "errored(agent)" for text in broken},
        "empty": "failed",
        "last": "passed",
    }
    assert "test_answers[raise] ERROR" in session.out
    assert "agent: the agent's own fault" in session.out
    assert session.tally == {"passed": 2, "failed": 1, "error": 8}, "errors are counted apart from failures"
    assert session.code == 10
    by_id = {record.case_id: record for record in session.records}
    assert "ValueError" in by_id["raise"].error.detail, "the engineer gets the traceback"
    assert "return statement" in by_id["none"].error.message
    assert by_id["raise"].error.type == "ValueError"


def test_errors_alone_leave_the_gate_undecided_and_the_session_red(project):
    project.agent(HOSTILE)
    project.cases(rows("raise", "fine"))
    project.test(TEST)
    assert project.run().code == 1, "an error is red by itself where no rate decides"
    project.test(TEST.replace("evaluators=[]", "evaluators=[], pass_rate=0.5"))
    session = project.run()
    assert session.code == 11, "and where one does, the gate may not say pass"
    assert session.tally == {"passed": 1, "error": 1}


def test_a_plain_agent_that_exits_is_an_error_of_its_own_trial(project):
    project.agent(HOSTILE)
    project.cases(rows("exit", "stop iteration", "fine"))
    project.test(TEST)
    session = project.run("--harness-agent=bot:plain")
    assert session.outcomes == {"exit": "errored(agent)", "stop-iteration": "errored(agent)", "fine": "passed"}


def test_hanging_agents_end_at_their_deadline_and_the_session_ends(project):
    project.agent(HOSTILE)
    project.cases(rows("hang", "fine"))
    project.test(TEST.replace("evaluators=[]", "evaluators=[], deadline_s=0.3"))
    for agent in ("bot:answer", "bot:plain"):
        session = project.run(f"--harness-agent={agent}")
        assert session.outcomes == {"hang": "errored(timeout)", "fine": "passed"}, agent
        assert "the trial's deadline of 0.3 s passed" in session.out
        assert session.code == 1


def test_the_flag_sets_the_deadline_and_outranks_the_marker(project):
    project.agent(HOSTILE)
    project.cases(rows("hang"))
    project.test(TEST.replace("evaluators=[]", "evaluators=[], deadline_s=3000"))
    assert project.run("--harness-deadline-s=0.2").outcomes == {"hang": "errored(timeout)"}


def test_an_agent_that_refuses_to_be_cancelled_is_abandoned_and_the_session_ends(project):
    project.agent(HOSTILE)
    project.cases(rows("stubborn", "fine"))
    project.test(TEST.replace("evaluators=[]", "evaluators=[], deadline_s=0.2"))
    session = project.run_apart()
    assert session.outcomes == {"stubborn": "errored(timeout)", "fine": "passed"}
    assert session.code == 1
    assert "refuses" in session.out


def test_a_broken_evaluator_is_not_measured_and_does_not_block_the_others(project):
    project.cases(rows("one", "two"))
    project.test(
        """
from harness import Score

class Broken:
    name = "broken"
    def evaluate(self, trajectory, case):
        raise ZeroDivisionError("no judgement today")

class Leaves:
    name = "leaves"
    def evaluate(self, trajectory, case):
        raise SystemExit("evaluators may leave, too")

class WrongType:
    name = "wrong_type"
    async def evaluate(self, trajectory, case):
        return 0.7

class Sound:
    name = "sound"
    def evaluate(self, trajectory, case):
        return Score.passed_if("sound", True, "1 of 1")

@pytest.mark.golden("demo", evaluators=[Broken(), Leaves(), WrongType(), Sound()])
def test_judged(case, trajectory):
    pass
"""
    )
    session = project.run()
    assert session.outcomes == {"one": "errored(harness)", "two": "errored(harness)"}
    for record in session.records:
        scores = {score.name: score for score in record.scores}
        assert scores["sound"].passed is True
        for name, why in (("broken", "no judgement today"), ("leaves", "may leave"), ("wrong_type", "instead of")):
            assert scores[name].value is None, "not measured is not a number"
            assert why in scores[name].reason
            assert scores[name].error_kind == "harness"
    assert session.code == 1


def test_a_failed_evaluator_outweighs_a_broken_one(project):
    project.cases(rows("one"))
    project.test(
        """
from harness import Score

class Broken:
    name = "broken"
    def evaluate(self, trajectory, case):
        raise ZeroDivisionError

class No:
    name = "no"
    def evaluate(self, trajectory, case):
        return Score.passed_if("no", False, "0 of 1")

@pytest.mark.golden("demo", evaluators=[Broken(), No()])
def test_judged(case, trajectory):
    pass
"""
    )
    assert project.run().outcomes == {"one": "failed"}


def test_a_body_that_breaks_is_an_error_of_the_harness_side_and_its_assertion_is_a_failure(project):
    project.cases(rows("error", "assertion", "fail", "exit", "agent"))
    project.agent("async def answer(text):\n    if text == 'agent':\n        raise OSError('gone')\n    return text\n")
    body = """
@pytest.mark.golden("demo", evaluators=[])
{kind} test_{name}(case, {fixture}):
    if case.input == "agent":
        {run}
    if case.input == "error":
        raise LookupError("the test is broken")
    if case.input == "fail":
        pytest.fail("said so")
    if case.input == "exit":
        raise SystemExit("left")
    assert case.input != "assertion"
"""
    project.test(
        body.format(kind="def", name="plain", fixture="trajectory", run="pass")
        + body.format(kind="async def", name="awaited", fixture="agent", run="await agent(case)")
        + body.format(kind="def", name="own_place", fixture="trajectory, tmp_path", run="pass")
    )
    session = project.run()
    for name in ("plain", "awaited", "own_place"):
        told = {
            record.case_id: record.outcome if record.error is None else f"{record.outcome}({record.error.kind})"
            for record in session.records
            if record.suite.endswith(name)
        }
        assert told == {
            "error": "errored(harness)",
            "assertion": "failed",
            "fail": "failed",
            "exit": "errored(harness)",
            "agent": "errored(agent)",
        }, name
    assert session.out.count("the test's body raised LookupError: the test is broken") >= 3
    assert "said so" in session.out


def test_a_trial_that_nothing_judged_is_never_a_pass(project):
    project.cases(rows("no expectation"))
    project.test("@pytest.mark.golden('demo')\ndef test_nothing(case, trajectory):\n    pass\n")
    session = project.run()
    assert session.outcomes == {"no-expectation": "errored(harness)"}
    assert "nothing judged this trial" in session.out
    assert session.code == 1


def test_a_provider_that_is_down_is_an_error_of_the_provider(project):
    with ThreadedModelServer() as server:
        url = server.url
    project.cases(rows("one", "two"))
    project.test(TEST)
    session = project.run(f"--harness-agent=openai:echo@{url}", "--harness-mode=live", "--harness-deadline-s=20")
    assert set(session.outcomes.values()) == {"errored(provider)"}
    assert session.code == 1


def test_keep_errors_lets_a_body_judge_a_broken_run(project):
    project.agent(HOSTILE)
    project.cases(rows("raise"))
    project.test(
        """
@pytest.mark.golden("demo", evaluators=[])
async def test_survives(case, agent):
    trajectory = await agent(case, keep_errors=True)
    assert trajectory.error.kind == "agent"
    assert (await agent("again")).answer == "again"
"""
    )
    assert project.run().outcomes == {"raise": "passed"}
