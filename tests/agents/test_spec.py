from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.agents.command_line import CommandAgent
from harness.agents.function import FunctionAgent
from harness.agents.http import HttpAgent
from harness.agents.litellm_model import LiteLLMModel
from harness.agents.openai_compatible import OpenAICompatible
from harness.agents.spec import FORMS, agent_from, agent_from_spec, model_from_spec
from harness.agents.tool_loop import ToolLoop
from harness.core.case import Case
from harness.core.contracts import Agent, Model
from harness.core.errors import UsageError
from harness.core.record import Trial
from harness.core.trajectory import Trajectory

MODULE = """
from harness.core.trajectory import Trajectory

def answer(prompt, style="plain"):
    return f"{style} {prompt}"

class Own:
    name = "own"

    def __init__(self, word="yes"):
        self.word = word

    async def run(self, case, trial):
        return Trajectory.from_answer(self.word)

ready = Own("ready")

class Callable:
    def __call__(self, prompt):
        return "called"

class Nameless:
    async def run(self, case, trial):
        ...

class Foreign:
    name = "foreign"

    async def run(self, user_prompt, *, deps=None):
        ...

class Chat:
    name = "chat"

    async def complete(self, messages, *, tools=(), **options):
        ...

class Angry:
    def __init__(self):
        raise OSError("no disk")

class nested:
    inner = ready

number = 7
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    path = list(sys.path)
    package = tmp_path / "spec_test_app"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "agents.py").write_text(MODULE)
    (package / "broken.py").write_text("x = 1\nraise RuntimeError('half written')\n")
    (package / "needy.py").write_text("import spec_test_no_such_library\n")
    yield tmp_path
    sys.path[:] = path
    for name in [name for name in sys.modules if name.startswith("spec_test_app")]:
        del sys.modules[name]


def answer(agent: Agent) -> str | None:
    return asyncio.run(agent.run(Case(id="c", input="hi"), Trial.of("c", 0))).answer


@pytest.mark.parametrize(
    ("attribute", "options", "expected"),
    [
        ("answer", {}, "plain hi"),
        ("answer", {"style": "loud"}, "loud hi"),
        ("ready", {}, "ready"),
        ("Own", {}, "yes"),
        ("Own", {"word": "no"}, "no"),
        ("Callable", {}, "called"),
        ("nested.inner", {}, "ready"),
    ],
)
def test_python_objects_become_agents(project: Path, attribute: str, options: dict[str, Any], expected: str) -> None:
    agent = agent_from_spec(f"spec_test_app.agents:{attribute}", root=project, options=options)
    assert isinstance(agent, Agent)
    assert answer(agent) == expected


def test_a_function_is_called_by_its_spec(project: Path) -> None:
    agent = agent_from_spec("spec_test_app.agents:answer", root=project)
    assert isinstance(agent, FunctionAgent)
    assert agent.name == "spec_test_app.agents:answer"


@pytest.mark.parametrize(
    ("spec", "options", "words"),
    [
        ("spec_test_ap.agents:answer", {}, "there is no module 'spec_test_ap'; near it: spec_test_app"),
        ("spec_test_app.agent:answer", {}, "no module 'spec_test_app.agent'; near it: spec_test_app.agents"),
        ("spec_test_app.agents:anser", {}, "has no 'anser'; near it: answer"),
        ("spec_test_app.agents:nested.outer", {}, "spec_test_app.agents.nested has no 'outer'; .*inner"),
        ("spec_test_app.broken:x", {}, r"raised RuntimeError: half written \(broken.py, line 2\)"),
        ("spec_test_app.needy:x", {}, "needs 'spec_test_no_such_library', which is not installed"),
        ("spec_test_app/agents.py:answer", {}, "without .py"),
        ("spec_test_app.agents", {}, "it has no colon"),
        ("spec_test_app.agents:", {}, "nothing follows its colon"),
        ("", {}, "it has no colon"),
        ("spec_test_app.agents:number", {}, "int is neither an agent"),
        ("spec_test_app.agents:Nameless", {}, "has run.. but no name"),
        ("spec_test_app.agents:Foreign", {}, r"does not take \(case, trial\)"),
        ("spec_test_app.agents:Angry", {}, "making it raised OSError: no disk"),
        ("spec_test_app.agents:Own", {"wrd": 1}, r"'wrd' \(options it takes: word\)"),
        ("spec_test_app.agents:ready", {"word": "x"}, "already made, which takes no options; got word"),
        ("spec_test_app.agents:answer", {"tone": "x"}, "takes no option 'tone'"),
        ("cmd:", {}, "names no program"),
        ("cmd:echo 'x", {}, "cannot be split"),
        ("cmd:echo", {"speed": 1}, "'speed' .options it takes: argv, timeout_s"),
        ("http://", {}, "not an http"),
        ("http://h/x", {"speed": 1}, "'speed'"),
        ("litellm:", {}, "names no model; write litellm:MODEL"),
        ("openai:", {}, "names no model"),
        ("openai:m", {"timeout_s": -1}, "timeout_s"),
        ("replay:runs/x", {}, "the plugin, which resolves replay"),
    ],
)
def test_a_spec_that_fails_says_what_failed_and_what_would_work(
    project: Path, spec: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        agent_from_spec(spec, root=project, options=options)
    text = str(caught.value)
    assert text.startswith(f"spec {spec!r}: ")
    assert all(form in text for form in FORMS)


def test_an_openai_spec_names_model_and_address() -> None:
    agent = agent_from_spec("openai:org/model@v2@http://127.0.0.1:8/v1", options={"system": "Be brief.", "top_p": 0.1})
    assert isinstance(agent, ToolLoop)
    model = agent.model
    assert isinstance(model, OpenAICompatible)
    assert (model.model, model.url) == ("org/model@v2", "http://127.0.0.1:8/v1/chat/completions")
    assert (agent.system, model.options) == ("Be brief.", {"top_p": 0.1})


def test_an_openai_spec_without_address_means_openai() -> None:
    model = model_from_spec("openai:gpt-x")
    assert isinstance(model, OpenAICompatible)
    assert model.url == "https://api.openai.com/v1/chat/completions"


def test_the_openai_key_is_read_from_the_environment_at_the_call(fakes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> str:
        async with fakes.serve(fakes.completion("yes")) as server:
            agent = agent_from_spec(f"openai:m@{server.url}/v1")
            monkeypatch.setenv("OPENAI_API_KEY", "sk-late")
            happened = await agent.run(Case(id="c", input="x"), Trial.of("c", 0))
            assert happened.answer == "yes"
            return str(server.headers[0]["Authorization"])

    assert asyncio.run(main()) == "Bearer sk-late"


def test_a_litellm_spec_is_a_loop_over_litellm() -> None:
    agent = agent_from_spec("litellm:anthropic/claude", options={"max_steps": 3, "temperature": 0, "stream": True})
    assert isinstance(agent, ToolLoop)
    assert isinstance(agent.model, LiteLLMModel)
    assert (agent.max_steps, agent.model.options, agent.model.stream) == (3, {"temperature": 0}, True)


def test_an_http_spec_is_a_service() -> None:
    agent = agent_from_spec("https://agents.example/ask", options={"headers": {"X": "y"}})
    assert isinstance(agent, HttpAgent)
    assert agent.provider == "agents.example"


def test_a_cmd_spec_is_split_like_a_shell_and_runs_at_the_root(tmp_path: Path) -> None:
    code = "import os; print(os.getcwd())"
    agent = agent_from_spec(f'cmd:{sys.executable} -c "{code}"', root=tmp_path)
    assert isinstance(agent, CommandAgent)
    assert answer(agent) == str(tmp_path.resolve())


def test_a_model_for_a_judge_says_so_in_the_accounts(project: Path) -> None:
    model = model_from_spec("openai:m", purpose="judge")
    assert isinstance(model, OpenAICompatible)
    assert model.purpose == "judge"
    own = model_from_spec("spec_test_app.agents:Chat", root=project)
    assert isinstance(own, Model)
    assert own.name == "chat"


@pytest.mark.parametrize("spec", ["http://h/x", "cmd:echo", "spec_test_app.agents:Own"])
def test_an_agent_is_no_model(project: Path, spec: str) -> None:
    with pytest.raises(UsageError, match=r"not a model|is no model"):
        model_from_spec(spec, root=project)


def test_an_agent_can_be_given_as_what_it_is(project: Path) -> None:
    class Own:
        name = "own"

        async def run(self, case: Case, trial: Trial) -> Trajectory:
            return Trajectory.from_answer("own")

    def shout(prompt: str) -> str:
        return prompt.upper()

    own = Own()
    assert agent_from(own) is own
    assert answer(agent_from(Own)) == "own"
    assert (answer(agent_from(shout)), agent_from(shout).name) == ("HI", "shout")
    assert answer(agent_from("spec_test_app.agents:answer", root=project, options={"style": "x"})) == "x hi"
    with pytest.raises(UsageError, match=r"^agent 7: int is neither"):
        agent_from(7)


def test_a_chat_model_is_played_by_a_tool_loop(fakes: Any) -> None:
    async def main() -> Any:
        async with fakes.serve(fakes.completion("yes")) as server:
            model = OpenAICompatible(base_url=server.url, model="m")
            agent = agent_from(model, options={"system": "Be brief."})
            happened = await agent.run(Case(id="c", input="x"), Trial.of("c", 0))
            return agent.name, happened.answer, server.bodies[0]["messages"][0]["content"]

    assert asyncio.run(main()) == ("m", "yes", "Be brief.")


def test_reading_a_spec_imports_nothing_heavy() -> None:
    code = (
        "import sys; from harness.agents.spec import agent_from_spec as a; "
        "[a(s) for s in ('litellm:x/y', 'openai:m', 'http://h/x', 'cmd:echo')]; "
        "print([m for m in ('aiohttp', 'litellm', 'numpy', 'scipy', 'yarl', 'jsonschema') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
