"""The reward under test in real inner sessions: by flag, mark and table; mistakes flagged by name; usage errors."""

from __future__ import annotations

import re
import shutil
import sys

import pytest

SUITES = """
from harness.rewards import CheckReward, SampleAgent, lab_cases

def lab(kind):
    return pytest.mark.golden(lab_cases(kind), agent=SampleAgent(), evaluators=[], area="rewards")

@lab("conformance")
def test_conformance(case, trajectory, reward, evaluate):
    evaluate(CheckReward(reward))

@lab("properties")
def test_properties(case, trajectory, reward, evaluate):
    evaluate(CheckReward(reward))

@lab("exploits")
def test_exploits(case, trajectory, reward, evaluate, pytestconfig):
    evaluate(CheckReward(reward, save_to=pytestconfig.rootpath / "reports" / "cheats"))
"""

HONEST = """
def correct(completions, answer, **columns):
    texts = [c if isinstance(c, str) else c[-1]["content"] for c in completions]
    said = [t.split("<answer>")[-1].split("</answer>")[0].strip() if t.count("<answer>") == 1 else "" for t in texts]
    return [1.0 if s == a else 0.0 for s, a in zip(said, answer, strict=True)]
"""


@pytest.fixture
def mistakes(project):
    from fixtures.rewards import mistakes

    folder = project.root / "fixtures" / "rewards"
    folder.mkdir(parents=True)
    shutil.copy(mistakes.__file__, project.root / "mistakes.py")
    shutil.copy(mistakes.HERE / "refund_desk.jsonl", folder)
    project.test(SUITES)
    yield project
    sys.modules.pop("mistakes", None)


@pytest.mark.parametrize(
    ("name", "case", "said"),
    [
        ("empty_think", "test_properties[empty_shell_at_floor]", "an empty think block earns 1 (as much as the best"),
        ("answer_length", "test_properties[length_is_not_the_reward]", "the reward is the answer's length"),
        ("crash_to_zero", "test_conformance[crash_is_an_error]", "a crash becomes a number"),
        ("end_state", "test_properties[doing_nothing_earns_nothing]", "in 4 of 8 tasks an agent that does nothing"),
    ],
)
def test_each_famous_mistake_is_flagged_by_name(mistakes, name, case, said):
    session = mistakes.run(f"--harness-reward=mistakes:{name}")
    assert session.code == 10
    assert f"FAILED test_demo.py::{case}" in session.out
    shown = re.sub(r"\s+", " ", session.out)
    assert said in shown


def test_an_honest_reward_passes_and_its_figures_are_rows_of_the_scorecard(project):
    project.test(SUITES)
    (project.root / "mine.py").write_text(HONEST)
    session = project.run("--harness-reward=mine:correct")
    assert session.code == 0, session.out
    rows = {row["metric"]: row for row in session.scorecard["rows"] if not row.get("suite")}
    assert rows["exploit_gap"]["estimate"] == 0.0
    assert rows["conformance"]["estimate"] == 1.0
    page = (session.folder / "scorecard.html").read_text()
    assert "Reward functions" in page
    assert not (project.root / "reports" / "cheats").exists()


def test_a_cheat_is_kept_as_a_golden_case_and_judged_by_a_later_session(mistakes):
    mistakes.run("--harness-reward=mistakes:empty_think", "-k", "format_shells")
    kept = mistakes.root / "reports" / "cheats" / "empty_think.jsonl"
    assert kept.is_file()
    mistakes.test(
        """
from harness.rewards import NoLongerPays, SampleAgent

@pytest.mark.golden("reports/cheats/empty_think.jsonl", agent=SampleAgent(), evaluators=[])
def test_cheats(case, trajectory, reward, evaluate):
    evaluate(NoLongerPays(reward))
""",
        "test_later.py",
    )
    assert mistakes.run("test_later.py", "--harness-reward=mistakes:empty_think").tally == {"failed": 1}
    (mistakes.root / "mine.py").write_text(HONEST)
    assert mistakes.run("test_later.py", "--harness-reward=mine:correct").tally == {"passed": 1}


PLAIN = """
from harness.testing import make_case, make_trajectory

@pytest.mark.reward("mine:correct", bounded=(0, 1))
def test_named(reward):
    assert reward.name == "correct"
    assert reward.declared.bounded == (0, 1)
    assert reward.reward(make_trajectory("<answer>42</answer>"), make_case(answer="42")) == 1.0
"""


def test_the_fixture_is_there_for_plain_tests_and_leaves_no_run_behind(project):
    (project.root / "mine.py").write_text(HONEST)
    project.test(PLAIN)
    session = project.run()
    assert session.tally == {"passed": 1}
    assert session.folders == []


def test_the_flag_wins_over_the_mark_and_the_mark_over_the_table(project):
    (project.root / "mine.py").write_text(HONEST + "other = correct\nclass Third:\n    name = 'third'\n"
                                          "    def reward(self, trajectory, case): return 0.0\n")  # fmt: skip
    project.setting(reward='"mine:Third"')
    project.test(
        """
@pytest.mark.reward("mine:correct", bounded=(0, 1))
def test_marked(reward):
    print("marked", reward.name, reward.declared.bounded)

def test_table(reward):
    print("table", reward.name)
"""
    )
    told = project.run("-s").out
    assert "marked correct (0, 1)" in told
    assert "table third" in told
    flagged = project.run("-s", "--harness-reward=mine:Third").out
    assert "marked third None" in flagged, "what a test declares is about the reward that it names"


def test_a_team_may_have_a_reward_fixture_or_parameter_of_its_own(project):
    project.cases(1)
    project.test(
        """
@pytest.fixture
def reward():
    return "ours"

def test_fixture(reward):
    assert reward == "ours"

@pytest.mark.golden("demo")
def test_golden(case, trajectory, reward):
    assert reward == "ours"

@pytest.mark.parametrize("reward", ["a", "b"])
def test_parameter(reward):
    assert reward in "ab"
"""
    )
    assert project.run().tally == {"passed": 4}


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--harness-reward=nowhere:correct", "reward 'nowhere:correct': there is no module 'nowhere'"),
        ("--harness-reward=mine:corect", "reward 'mine:corect': mine has no 'corect'; near it: correct"),
        ("--harness-reward=mine", "reward 'mine': it has no colon; write package.module:name, without .py"),
        ("--harness-reward=mine:odd", r"of no known form: its parameters are (x, y). Forms: reward(trajectory, case)"),
        ("--harness-reward=", "reward must be a text, got ''"),
        (None, "no reward function to test. Say which one: --harness-reward=mypackage.rewards:correct"),
    ],
)
def test_a_reward_that_cannot_be_used_is_a_usage_error_before_anything_runs(project, flag, said):
    (project.root / "mine.py").write_text(HONEST + "def odd(x, y): return 0\n")
    project.test("def test_plain(reward):\n    raise AssertionError('ran')\n")
    session = project.run(*([flag] if flag else []))
    assert session.code == 4
    assert said in re.sub(r"\s+", " ", session.out), session.out
    assert "ran" not in session.out.replace("ran ", "")


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ("'mine:correct', bound=(0, 1)", "a reward declares no 'bound'; did you mean 'bounded'?"),
        ("'mine:correct', bounded=(1, 0)", "bounded must begin with the lower number"),
        ("", "reward(...) takes exactly one reward function"),
        ("'mine:correct', samples='no_such_dataset'", "no_such_dataset"),
    ],
)
def test_a_mark_that_cannot_be_meant_is_a_usage_error(project, mark, said):
    (project.root / "mine.py").write_text(HONEST)
    project.test(f"@pytest.mark.reward({mark})\ndef test_plain(reward):\n    pass\n")
    session = project.run()
    assert session.code == 4
    assert said in re.sub(r"\s+", " ", session.out), session.out


def test_the_marks_samples_are_what_the_reward_is_judged_on(project):
    (project.root / "mine.py").write_text(HONEST)
    rows = [
        {"id": f"s{n}", "input": {"prompt": "6 times 7?", "completion": f"<answer>{said}</answer>"},
         "expected": {"answer": "42", "custom": {"reward": float(said == "42")}}}
        for n, said in enumerate(("42", "41"))
    ]  # fmt: skip
    project.cases(rows, "mine")
    project.test(
        """
from harness.rewards import CheckReward, SampleAgent, lab_cases

@pytest.mark.reward("mine:correct", samples="mine")
@pytest.mark.golden(lab_cases("properties"), agent=SampleAgent(), evaluators=[])
def test_properties(case, trajectory, reward, evaluate):
    (score,) = evaluate(CheckReward(reward))
    if case.id == "correct_above_wrong":
        assert "1 of 1 tasks" in score.reason
        assert "your samples" in score.reason
"""
    )
    session = project.run()
    assert session.code == 0, session.out
