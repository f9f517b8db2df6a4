from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.commands.init import write_project

AGENT = """
from harness import ModelCall, Trajectory, Usage

def answer(question):
    (SPOOR).touch()
    calls = (ModelCall(model="tiny", usage=Usage(input_tokens=1000, output_tokens=500)),)
    return Trajectory.from_answer("9 to 18").with_(model_calls=calls)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose agent calls a priced model and leaves a trace when it is run."""
    root = tmp_path / "evals"
    write_project(root)
    with (root / "pyproject.toml").open("a") as file:
        file.write('\n[tool.harness.prices]\n"tiny" = { input = 1.0, output = 2.0 }\n')
    spoor = f"__import__('pathlib').Path({str(root / 'was-run')!r})"
    (root / "fixtures/agent.py").write_text(AGENT.replace("SPOOR", spoor))
    return root


def test_a_run_is_priced_from_the_last_one_without_running_the_agent(project: Path, session: Any) -> None:
    session("suites", cwd=project)
    (project / "was-run").unlink()
    runs = sorted(path.name for path in (project / "reports/runs").iterdir() if path.is_dir())
    done = session("suites", "--harness-estimate", "--harness-budget-usd=0.03", cwd=project)
    # 1,000 tokens at 1 dollar and 500 at 2 dollars a million: 0.002 per trial, 14 and 3 trials.
    assert "17 trials of 2 suites; nothing was run" in done.stdout, done.stdout + done.stderr
    assert "$0.0280" in done.stdout
    assert "total: $0.0340" in done.stdout
    assert "the money cap of $0.0300 will be reached" in done.stdout
    assert not (project / "was-run").exists()
    assert runs == sorted(path.name for path in (project / "reports/runs").iterdir() if path.is_dir())


def test_a_model_without_a_price_is_named_and_not_counted_as_free(project: Path, session: Any) -> None:
    done = session("suites", "--harness-estimate", "--harness-agent=openai:nobody-knows-it", cwd=project)
    assert "nobody-knows-it" in done.stdout, done.stdout + done.stderr
    assert "total: at least, for 2 of 2 suites have no price: unknown" in done.stdout


def test_without_history_the_model_of_the_spec_is_priced_by_stated_assumptions(project: Path, session: Any) -> None:
    done = session("suites", "--harness-estimate", "--harness-agent=openai:tiny", cwd=project)
    assert "no history" in done.stdout, done.stdout + done.stderr
    assert "likely" in done.stdout
    assert not (project / "reports/runs").exists()
