"""The verdict is the exit code: pytest's own codes keep their meaning, red is never turned green."""

from __future__ import annotations

import signal

import pytest

PASSING = """
@pytest.mark.golden("demo")
def test_echo(case, trajectory):
    assert trajectory.answer
"""


def test_0_a_gate_that_says_pass_and_its_reports(project):
    project.cases(3)
    project.test(PASSING)
    session = project.run()
    assert session.code == 0
    written = {path.name for path in session.folder.iterdir()}
    assert {"manifest.json", "trials-main.jsonl", "scorecard.html", "scorecard.json", "summary.md"} <= written
    assert session.manifest.finished_at
    assert session.manifest.exit_reason == ""
    assert str(session.folder.relative_to(project.root) / "scorecard.html") in session.out


def test_1_a_failing_test_of_another_kind_stays_red_beside_a_passing_gate(project):
    project.cases(3)
    project.test(PASSING + "\ndef test_plain():\n    assert False\n")
    session = project.run()
    assert session.code == 1
    assert "\u2713 PASS" in session.out, "the gate is judged all the same"


def test_2_ctrl_c_in_the_middle_keeps_what_was_finished_and_is_inconclusive(counting, until):
    counting.cases(400)
    counting.test(PASSING)
    process = counting.start("--harness-concurrency=4")
    until(lambda: len(counting.calls) > 40, "forty calls of the agent")
    process.send_signal(signal.SIGINT)
    session = counting.finish(process)
    assert session.code == 2, session.out
    assert session.manifest.exit_reason == "interrupted"
    assert "INCONCLUSIVE" in session.out
    assert f"--harness-resume={session.folder.name}" in session.out, "it says how to go on"
    finished = [record for record in session.records if record.outcome == "passed"]
    assert 30 <= len(finished) < 400
    assert len(finished) >= len(counting.calls) - 4, "at most the window is lost"
    assert (session.folder / "scorecard.html").exists()


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--harness-concurrency=0", "concurrency must be 'auto' or a whole number from 1 to 1000, got '0'"),
        ("--harness-trials=many", "trials must be a whole number of at least 1, got 'many'"),
        ("--harness-mode=liev", "did you mean 'live'?"),
        ("--harness-budget-usd=-1", "budget_usd must be an amount in US dollars of at least 0"),
        ("--harness-resume=latest", "there are no runs"),
        ("--harness-agent=bot:anser", "answer"),
        ("--harness-agent=nothing", "it has no colon"),
    ],
)
def test_4_a_flag_that_cannot_be_meant_is_a_usage_error_before_anything_runs(counting, flag, said):
    counting.cases(2)
    counting.test(PASSING)
    session = counting.run(flag)
    assert session.code == 4, session.out
    assert said in session.out
    assert "Traceback" not in session.out
    assert counting.calls == []


def test_4_a_flag_is_checked_even_where_no_golden_test_is(project):
    project.test("def test_plain():\n    pass\n")
    assert project.run("--harness-seed=x").code == 4


def test_4_a_key_of_the_table_that_does_not_exist_is_named_with_its_line(project):
    project.cases(1)
    project.test(PASSING)
    project.setting(concurency="8")
    session = project.run()
    assert session.code == 4
    assert "unknown key 'concurency' in [tool.harness]; did you mean 'concurrency'?" in session.out
    assert "pyproject.toml:5" in session.out


def test_4_every_mistake_in_the_rules_is_listed_with_file_and_line_before_anything_runs(counting):
    counting.cases(2)
    counting.test(PASSING)
    counting.rules(
        '[[rule]]\nname = "a"\nkind = "treshold"\n\n[[rule]]\nname = "b"\nkind = "threshold"\nat_last = 0.9\n'
    )
    session = counting.run()
    assert session.code == 4, session.out
    assert "release.toml:3" in session.out
    assert "did you mean 'threshold'" in session.out
    assert "release.toml:8" in session.out
    assert "did you mean 'at_least'" in session.out
    assert counting.calls == []
    assert session.folders == [], "nothing is left behind"


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ("golden()", "takes exactly one source"),
        ("golden('demo', trails=3)", "did you mean 'trials'?"),
        ("golden('demo', trials=0)", "trials must be a whole number of at least 1, got 0"),
        ("golden('demo', pass_rate=95)", "pass_rate must be a share above 0 and at most 1, got 95"),
        ("golden('demo', observe=True, pass_rate=0.5)", "drop one of them"),
        ("golden('demo', tags=['nonesuch'])", "selects no case"),
        ("golden('demmo')", "demmo"),
        ("golden('demo', evaluators=[str])", "give str()"),
    ],
)
def test_4_a_marker_that_cannot_be_meant_is_an_error_with_the_fix(counting, marker, said):
    counting.cases(2)
    counting.test(f"@pytest.mark.{marker}\ndef test_echo(case, trajectory):\n    pass\n")
    session = counting.run()
    assert session.code == 4
    assert said in session.out
    assert "Traceback" not in session.out
    assert counting.calls == []


def test_4_all_bad_rows_of_a_dataset_are_listed_in_one_error(counting):
    counting.cases(
        [
            {"id": "good", "input": "x"},
            {"id": "", "input": "x"},
            {"id": "no input"},
            {"id": "odd", "input": "x", "expected": {"contians": ["x"]}},
            {"id": "good", "input": "twice"},
        ]
    )
    counting.test(PASSING)
    session = counting.run()
    assert session.code == 4
    for line in (2, 3, 4, 5):
        assert f"cases.jsonl:{line}" in session.out
    assert session.out.count("ERROR collecting") == 1
    assert counting.calls == []


def test_4_a_mistake_that_concerns_every_test_is_told_in_full_once(project):
    project.cases(1)
    for name in ("test_a.py", "test_b.py", "test_c.py"):
        project.test(PASSING, name=name)
    session = project.run("--harness-agent=bot:anser")
    assert session.code == 4
    assert session.out.count("cmd:program") == 1
    assert session.out.count("the same mistake as in test_a.py::test_echo") == 2


def test_5_no_test_at_all(project):
    project.test("")
    assert project.run().code == 5


def test_5_a_selection_that_leaves_no_case(project):
    project.cases(2)
    project.test(PASSING)
    session = project.run("-k", "nonesuch")
    assert session.code == 5
    assert session.folders == []


def test_10_the_gate_failed(project):
    project.cases(40)
    project.agent("async def answer(text):\n    return 'no'\n")
    project.test(PASSING.replace('"demo"', '"demo", pass_rate=0.9'))
    session = project.run()
    assert session.tally == {"unreliable": 40}
    assert session.code == 10
    assert "FAIL" in session.out


def test_11_too_few_cases_to_decide(project):
    project.cases(3)
    project.test(PASSING.replace('"demo"', '"demo", pass_rate=0.9'))
    session = project.run()
    assert session.tally == {"passed": 3}
    assert session.code == 11, "3 of 3 does not show 90 %"
    assert "more case" in session.out


def test_11_a_rule_whose_suite_is_gone_is_inconclusive_never_pass(project):
    project.cases(3)
    project.test(PASSING, name="suites/a/test_a.py")
    project.rules('[[rule]]\nname = "lost"\nkind = "threshold"\nsuite = "suites/lost"\nat_least = 0.5\n')
    assert project.run("suites").code == 11
    assert project.run("suites/a").code == 0, "a partial run was not asked about it"


def test_12_the_money_cap_stops_the_run(project):
    project.cases([{"id": f"c{i:02d}", "input": "x" * 400} for i in range(30)])
    project.agent(
        """
from decimal import Decimal
from harness.core.exchange import Exchange, Reply, gateway
from harness.core.usage import Usage

async def answer(text):
    async def send():
        usage = Usage(input_tokens=1000, output_tokens=1000)
        return Reply(body={"choices": [{"message": {"role": "assistant", "content": "ok"}}]}, usage=usage)
    exchange = Exchange(provider="here", operation="chat", model="desk-x", body={"messages": [text]}, local=True,
                        input_tokens_at_most=1000, output_tokens_at_most=1000)
    reply = await gateway().call(exchange, send)
    return reply.body["choices"][0]["message"]["content"]
"""
    )
    project.setting('[tool.harness.prices]\n"desk-*" = { input = 100.0, output = 100.0 }\n')
    project.test(PASSING.replace('"demo"', '"demo", evaluators=[]'))
    session = project.run("--harness-budget-usd=1.1", "--harness-concurrency=1")
    assert session.code == 12, session.out
    assert session.manifest.exit_reason == "budget"
    paid = [record for record in session.records if record.outcome == "passed"]
    assert len(paid) == 5, "0.20 dollars each"
    assert {record.error.kind for record in session.records if record.outcome == "errored"} == {"budget"}
    assert "--harness-budget-usd" in session.out

    rest = project.run("--harness-budget-usd=100", f"--harness-resume={session.folder.name}")
    assert rest.code == 0, rest.out
    assert len(rest.records) == 30
    assert all(record.outcome == "passed" for record in rest.records)
