"""Several trials of a case: each its own record, one item, and a report that tells unreliable from wrong."""

from __future__ import annotations

# Fails the trials that a case's input names: "1,2" fails the second and the third.
FLAKY = """
async def answer(case, trial):
    return "bad" if str(trial.index) in str(case.input).split(",") else "good"
"""


def golden(options: str = "") -> str:
    return f"""
@pytest.mark.golden("demo", trials=3, evaluators=[]{options})
def test_reliable(case, trajectory, trial):
    assert trajectory.answer == "good"
"""


ROWS = [{"id": "never", "input": "-"}, {"id": "once", "input": "1"}, {"id": "always", "input": "0,1,2"}]


def test_every_trial_is_a_record_with_its_own_seed_that_comes_back_with_the_same_run_seed(counting):
    counting.cases(3)
    counting.test("@pytest.mark.golden('demo', trials=4)\ndef test_echo(case, trajectory):\n    pass\n")
    session = counting.run("--harness-seed=7")
    assert session.tally == {"passed": 3}, "one item per case, whatever the number of trials"
    assert sorted((record.case_id, record.trial) for record in session.records) == [
        (f"c00{i}", trial) for i in range(3) for trial in range(4)
    ]
    seeds = {(record.case_id, record.trial): record.seed for record in session.records}
    assert len(set(seeds.values())) == 12
    assert {int(line.split()[2]) for line in counting.calls} == set(seeds.values()), "the agent was told its seed"
    (planned,) = session.manifest.planned
    assert (planned.cases, planned.trials) == (3, 4)

    again = counting.run("--harness-seed=7")
    other = counting.run("--harness-seed=8")
    assert {(record.case_id, record.trial): record.seed for record in again.records} == seeds
    assert not {record.seed for record in other.records} & set(seeds.values())


def test_the_command_line_outranks_the_marker_and_one_trial_is_the_default(counting):
    counting.cases(2)
    counting.test("@pytest.mark.golden('demo', trials=2)\ndef test_echo(case, trajectory):\n    pass\n")
    assert len(counting.run("--harness-trials=5").records) == 10
    counting.test("@pytest.mark.golden('demo')\ndef test_echo(case, trajectory):\n    pass\n")
    assert len(counting.run().records) == 2


def test_without_a_criterion_one_failing_trial_fails_the_case(project):
    project.agent(FLAKY)
    project.cases(ROWS)
    project.test(golden())
    session = project.run("-rA")
    assert session.tally == {"passed": 1, "failed": 2}
    assert session.code == 10
    assert "1 of 3 trials failed" in session.out
    assert "3 of 3 trials failed" in session.out
    assert "trial 1 of 3" in session.out, "the failing trial is named"
    assert sum(record.outcome == "failed" for record in session.records) == 4


def test_with_a_declared_rate_a_failing_case_is_unreliable_and_the_rate_decides(project):
    project.agent(FLAKY)
    project.cases([*ROWS, *({"id": f"good{i}", "input": "-"} for i in range(40))])
    project.test(golden(", pass_rate=0.8"))
    session = project.run("-v")
    assert session.tally == {"passed": 41, "unreliable": 2}
    assert "test_reliable[once] UNRELIABLE" in session.out
    assert session.code == 0, session.out

    project.cases(ROWS)
    few = project.run()
    assert "u" in few.out.split("test_demo.py ")[1].split()[0]
    assert few.code in (10, 11), "three cases with a rate of 5/9 do not show 80 %"


def test_a_must_pass_case_is_red_at_once_even_where_a_rate_decides(project):
    project.agent(FLAKY)
    project.cases(
        [{"id": "vital", "input": "2", "severity": "must_pass"}, *({"id": f"g{i}", "input": "-"} for i in range(60))]
    )
    project.test(golden(", pass_rate=0.8"))
    session = project.run()
    assert session.tally == {"failed": 1, "passed": 60}
    assert session.code == 10
    assert "must-pass" in session.out


def test_an_observed_suite_never_gates(project):
    project.agent(FLAKY)
    project.cases(ROWS)
    project.test(golden(", observe=True") + golden().replace("test_reliable", "test_gating").replace("demo", "fine"))
    project.cases([{"id": "fine", "input": "-"}], name="fine")
    session = project.run()
    assert session.tally == {"unreliable": 2, "passed": 2}
    assert session.code == 0, session.out


def test_a_rule_of_the_gate_makes_a_suite_statistical_without_touching_the_test(project):
    project.agent(FLAKY)
    project.cases([*ROWS, *({"id": f"good{i}", "input": "-"} for i in range(40))])
    project.test(golden())
    project.rules('[[rule]]\nname = "behaviour"\nkind = "threshold"\nsuite = "test_demo.py"\nat_least = 0.8\n')
    session = project.run()
    assert session.tally == {"passed": 41, "unreliable": 2}
    assert session.code == 0
    assert "behaviour" in session.out


def test_a_skipped_trial_among_others_is_never_a_pass_of_the_case_in_the_gate(project):
    project.agent(FLAKY)
    project.cases([{"id": "only", "input": "-"}])
    project.test(
        """
@pytest.mark.golden("demo", trials=3, evaluators=[])
def test_one(case, trajectory, trial):
    if trial.index == 1:
        pytest.skip("not this one")
"""
    )
    session = project.run()
    assert sorted(record.outcome for record in session.records) == ["not_run", "passed", "passed"]
    assert session.code == 11
