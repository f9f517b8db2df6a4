"""No gate rests on a judge that has not passed an exam: in real sessions, with a judge behind a real local server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.judges import LocalJudge
from fixtures.model_server import ThreadedModelServer
from fixtures.model_server.judges import JUDGES as JUDGE_POLICIES
from harness.cli import main
from harness.core.judges import JudgeRecord
from harness.evaluators import Criterion, Judge, Rubric
from harness.evaluators.judge.records import write_record

JUDGES = """
from fixtures.judges import LocalJudge
from harness.evaluators import Criterion, Judge, Rubric

RUBRIC = Rubric(
    name="right",
    criteria=(Criterion(name="right", question="Does it say what the reference says?"),),
    shows=("input", "reference", "answer"),
)
judge = Judge(model=LocalJudge("good"), rubric=RUBRIC)
refusing = Judge(model=LocalJudge("refusing"), rubric=RUBRIC)
"""
SUITE = """
from judges import judge, refusing

@pytest.mark.golden("demo", evaluators=[judge])
def test_judged(case, trajectory):
    pass
"""
RULE = """
[[rule]]
name = "right enough"
kind = "{kind}"
metric = "{metric}"
at_least = 0.5
"""


def the_judge() -> Judge:
    rubric = Rubric(
        name="right",
        criteria=(Criterion(name="right", question="Does it say what the reference says?"),),
        shows=("input", "reference", "answer"),
    )
    return Judge(model=LocalJudge("good"), rubric=rubric)


def examined(root: Path, *problems: str, right: int = 49) -> Path:
    """A record of the judge's exam in the project."""
    wrong = 50 - right
    record = JudgeRecord(
        identity=the_judge().identity, judge="right", model="judge-good", rows=100, caught=right, missed=wrong,
        false_alarms=wrong, cleared=right, problems=problems,
    )  # fmt: skip
    return write_record(root / "reports" / "judges", record)


@pytest.fixture
def judged(project: Any) -> Any:
    """20 cases whose answers are right but for as many as a test says."""
    project.agent(JUDGES, name="judges.py")
    project.agent("def answer(case, trial):\n    return case.expected.custom['says']\n")

    def cases(wrong: int = 0, human: bool = False) -> None:
        rows = []
        for n in range(40):
            days = 90 if n < wrong else 14
            says = f"Refund {n} takes {days} days."
            custom = {"reference": f"Refund {n} takes 14 days.", "says": says}
            if human:
                custom |= {"answer": says, "human": "fail" if n < wrong or n == 39 else "pass"}
            rows.append({"id": f"c{n}", "input": f"How long does refund {n} take?", "expected": {"custom": custom}})
        project.cases(rows)

    project.judged_cases = cases
    cases()
    project.test(SUITE)
    return project


def verdict(session: Any, rule: str) -> dict[str, Any]:
    return next(one for one in session.scorecard["verdicts"] if one["rule"] == rule)


def test_a_judge_without_an_exam_passes_nothing(judged: Any) -> None:
    session = judged.run()
    assert session.code != 0, session.out
    assert set(session.outcomes.values()) == {"errored(judge)"}
    assert "harness calibrate" in session.out
    assert session.scorecard["answer"] == "inconclusive"


def test_a_judge_without_an_exam_fails_nothing_that_others_judge(judged: Any) -> None:
    judged.judged_cases(wrong=40)
    judged.test(SUITE.replace("    pass", "    assert trajectory.answer"))
    session = judged.run()
    assert session.code == 0, session.out
    assert session.scorecard["judges"][0]["valid"] is False
    assert session.scorecard["judges"][0]["deciding"] == 0


def test_an_observed_suite_may_be_watched_by_a_judge_without_an_exam(judged: Any) -> None:
    judged.test(SUITE.replace("evaluators=[judge]", "evaluators=[judge], observe=True"))
    assert set(judged.run().outcomes.values()) == {"passed"}


def test_a_judge_with_an_exam_decides(judged: Any) -> None:
    examined(judged.root)
    assert judged.run().code == 0
    judged.judged_cases(wrong=3)
    session = judged.run()
    assert session.code in (1, 10)
    assert sum(outcome == "failed" for outcome in session.outcomes.values()) == 3


def test_a_judge_that_failed_its_exam_is_advisory_again(judged: Any) -> None:
    examined(judged.root, "follows length")
    session = judged.run()
    assert set(session.outcomes.values()) == {"errored(judge)"}


def test_another_prompt_rubric_or_sampling_is_another_judge_and_has_no_exam(judged: Any) -> None:
    examined(judged.root)
    judged.agent(JUDGES.replace("Does it say what", "Does it say all that"), name="judges.py")
    assert set(judged.run().outcomes.values()) == {"errored(judge)"}


@pytest.mark.parametrize("kind", ["threshold", "judged_pass_rate"])
def test_a_rule_on_a_judge_without_an_exam_is_advisory(judged: Any, kind: str) -> None:
    judged.test(SUITE.replace("    pass", "    assert trajectory.answer"))
    judged.rules(RULE.format(kind=kind, metric="right"))
    session = judged.run()
    told = verdict(session, "right enough")
    assert told["advisory"] is True
    assert "may not gate" in told["reason"]


def test_a_rule_on_a_judge_with_an_exam_gates(judged: Any) -> None:
    examined(judged.root)
    judged.rules(RULE.format(kind="judged_pass_rate", metric="right"))
    session = judged.run()
    told = verdict(session, "right enough")
    assert told["answer"] == "pass", told
    assert "advisory" not in told
    assert "corrected by its exam" in told["reason"]
    judged.judged_cases(wrong=36)
    told = verdict(judged.run(), "right enough")
    assert told["answer"] == "fail", told


def test_human_labels_on_the_same_answers_correct_the_rate(judged: Any) -> None:
    examined(judged.root)
    judged.judged_cases(wrong=4, human=True)
    judged.rules(RULE.format(kind="judged_pass_rate", metric="right"))
    told = verdict(judged.run(), "right enough")
    assert "corrected by 40 human labels" in told["reason"]
    assert "0.875" in told["reason"]


def test_a_record_that_is_withdrawn_after_the_run_leaves_the_gate_undecided(judged: Any) -> None:
    record = examined(judged.root)
    session = judged.run()
    assert session.code == 0
    record.unlink()
    assert main(["gate", "latest", "--root", str(judged.root)]) == 11


def test_a_judge_that_gives_no_verdict_leaves_the_trial_not_measured(judged: Any) -> None:
    judged.test(SUITE.replace("evaluators=[judge]", "evaluators=[refusing]"))
    session = judged.run()
    assert set(session.outcomes.values()) == {"errored(judge)"}
    assert session.scorecard["judges"][0]["unmeasured"] == 40


def test_the_hit_rate_of_the_cache_is_on_the_scorecard(judged: Any) -> None:
    examined(judged.root)
    assert judged.run().scorecard["judges"][0]["hit_rate"] == 0.0
    session = judged.run()
    assert session.scorecard["judges"][0]["hit_rate"] == 1.0
    page = (session.folder / "scorecard.html").read_text()
    assert "From the cache" in page
    assert judged.run("--harness-judge-cache=off").scorecard["judges"][0]["hit_rate"] == 0.0


def test_a_judge_works_in_many_processes_with_one_cache(judged: Any) -> None:
    pytest.importorskip("xdist")
    examined(judged.root)
    session = judged.run_apart("-p", "xdist", "-n", "2")
    assert session.code == 0, session.out
    assert session.scorecard["judges"][0]["verdicts"] == 40
    assert judged.run().scorecard["judges"][0]["hit_rate"] == 1.0


def test_verdicts_are_recorded_and_replayed_when_the_judge_is_gone(judged: Any) -> None:
    spec = JUDGES.replace('model=LocalJudge("good")', 'model="openai:judge-good@URL"')
    with ThreadedModelServer(policies=JUDGE_POLICIES) as server:
        judged.agent(spec.replace("URL", server.url), name="judges.py")
        examined(judged.root)
        session = judged.run("--harness-mode=record", "--harness-judge-cache=off")
        assert session.code == 0, session.out
        assert server.server.traffic.requests == 40
    again = judged.run("--harness-judge-cache=off")
    assert again.code == 0, again.out
    assert again.scorecard["judges"][0]["verdicts"] == 40
    assert all(record.scores[0].value == 1.0 for record in again.records)


def test_a_judges_cost_is_counted_apart_from_the_agents(judged: Any) -> None:
    judged.setting('[tool.harness.prices]\n"judge-*" = { input = 1.0, output = 2.0 }\n')
    examined(judged.root)
    session = judged.run()
    assert float(session.scorecard["totals"]["judge_cost_usd"]) > 0
    assert all(record.cost_usd is None for record in session.records)


# -- judging a stored run ---------------------------------------------------------------------------------------------


def test_a_stored_run_is_judged_anew_without_its_agent(judged: Any, capsys: pytest.CaptureFixture[str]) -> None:
    judged.judged_cases(wrong=5)
    judged.test(
        SUITE.replace("evaluators=[judge]", "evaluators=[]").replace("    pass", "    assert trajectory.answer")
    )
    first = judged.run()
    assert first.code == 0
    judged.agent("def answer(case, trial):\n    raise RuntimeError('the agent was run')\n")
    examined(judged.root)
    code = main(["judge", first.folder.name, "--judge", "judges:judge", "--root", str(judged.root)])
    said = capsys.readouterr().out
    assert code == 10, said
    assert "0.0% of 40 verdicts from the cache" in said
    newest = judged.folders[-1]
    assert newest != first.folder
    card = json.loads((newest / "scorecard.json").read_text())
    assert card["totals"]["outcomes"] == {"passed": 35, "failed": 5, "errored": 0, "not_run": 0}
    assert main(["judge", first.folder.name, "--judge", "judges:judge", "--root", str(judged.root)]) == 10
    assert "100.0% of 40 verdicts from the cache; no call to the model" in capsys.readouterr().out
    assert json.loads((first.folder / "scorecard.json").read_text())["totals"]["outcomes"]["failed"] == 0


def test_judging_a_stored_run_with_another_judge_undoes_what_the_first_one_failed(
    judged: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    examined(judged.root)
    judged.judged_cases(wrong=5)
    assert judged.run().code in (1, 10)
    capsys.readouterr()
    assert main(["judge", "latest", "--judge", "judges:refusing", "--root", str(judged.root)]) == 11
    card = json.loads((judged.folders[-1] / "scorecard.json").read_text())
    assert card["totals"]["outcomes"] == {"passed": 0, "failed": 0, "errored": 40, "not_run": 0}


def test_labels_of_people_reach_the_corrected_rate(judged: Any, tmp_path: Path) -> None:
    examined(judged.root)
    judged.rules(RULE.format(kind="judged_pass_rate", metric="right"))
    assert judged.run().code == 0
    labels = tmp_path / "labels.jsonl"
    labels.write_text(
        "".join(json.dumps({"case": f"c{n}", "human": "pass" if n else "fail"}) + "\n" for n in range(30))
    )
    arguments = ["judge", "latest", "--judge", "judges:judge", "--labels", str(labels), "--root", str(judged.root)]
    assert main(arguments) == 0
    card = json.loads((judged.folders[-1] / "scorecard.json").read_text())
    assert "30 human labels" in next(v["reason"] for v in card["verdicts"] if v["rule"] == "right enough")


def test_a_provider_is_not_called_by_a_command_unless_it_is_told_to(
    judged: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    examined(judged.root)
    assert judged.run().code == 0
    rubric = judged.root / "r.toml"
    rubric.write_text('name = "r"\n[[criteria]]\nname = "r"\nquestion = "Is it?"\n')
    before = judged.folders
    spec = "openai:m@http://127.0.0.1:9/v1"
    assert main(["judge", "--judge", spec, "--rubric", str(rubric), "--root", str(judged.root)]) in (4, 1)
    assert "add --mode live" in capsys.readouterr().err
    assert judged.folders == before, "a run that was not judged leaves no folder"


def test_an_exam_from_the_command_line_writes_the_record_that_lets_the_judge_gate(
    judged: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = []
    for n in range(44):
        right = n % 2 == 0
        custom = {
            "reference": f"Refund {n} takes 14 days.",
            "answer": f"Refund {n} takes {14 if right else 90} days.",
            "human": "pass" if right else "fail",
        }
        rows.append({"id": f"e{n}", "input": "How long?", "expected": {"custom": custom}})
    judged.cases(rows, name="exam")
    assert main(["calibrate", "judges:judge", "exam", "--root", str(judged.root)]) == 0
    said = capsys.readouterr().out
    assert "exam passed: it may gate" in said
    assert "Cohen's kappa with people" in said
    assert judged.run().code == 0
    assert main(["calibrate", "judges:refusing", "exam", "--root", str(judged.root)]) == 10
    assert "exam failed: it is advisory" in capsys.readouterr().out
