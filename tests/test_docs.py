"""The docs are true: their code runs, their output is what comes out, their links lead somewhere, nothing is left out.

How a page is read (the words behind a fence's language are not shown by renderers):

- A page is a story, told in a folder of its own; ``<!-- in: repository -->`` tells it in a copy of this repository
  in which the shipped suites have run once.
- ```` ```python file=NAME ```` (or any language) is written to ``NAME``. Other ``python`` blocks are run, one after
  the other in one namespace; ``text of=python`` behind one is what it printed. ``skip="why"`` is not run.
- ``console``: lines with ``$`` are run, what follows is the output. ``$ echo $?`` shows the exit code, which is 0
  where it is not shown.
- Output is compared line by line; run ids, times, durations and dates are taken out of both sides, ``...`` stands for
  anything within a line, and alone for any number of lines.

``python tests/test_docs.py`` writes the generated table of ``docs/settings.md`` anew.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from asyncio import new_event_loop, run_coroutine_threadsafe
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
MEASURED = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "docs" / "benchmarks").rglob("*.md"))
"""Pages that the benchmarks write: what they show takes minutes, so only their links are followed here."""
PAGES = ["README.md", *sorted({p.relative_to(ROOT).as_posix() for p in (ROOT / "docs").rglob("*.md")} - {*MEASURED})]
COPIED = ("suites", "suites_nightly", "golden_datasets", "fixtures", "reports", "pyproject.toml")
FENCE = re.compile(r"^```(\S+)([^\n]*)\n(.*?)^```$", re.M | re.S)
OPTIONS_MARK = "<!-- options: written by tests/test_docs.py -->"


# -- reading pages --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block."""

    language: str
    words: dict[str, str]
    text: str
    line: int


def blocks_of(page: str) -> list[Block]:
    text = (ROOT / page).read_text("utf-8")
    found = []
    for match in FENCE.finditer(text):
        words = dict(word.split("=", 1) for word in shlex.split(match[2]))
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(language=match[1], words=words, text=match[3], line=line))
    return found


def commands_in(text: str) -> list[tuple[str, str]]:
    """Each command of a console block with its expected output."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line)
    return [(command, "\n".join(output)) for command, output in found]


# -- comparing output -----------------------------------------------------------------------------------------------

STEADY = (
    (r"\d{8}-\d{6}-[0-9a-f]{4,}", "RUN"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?Z?", "DATE"),
    (r"\bin \d+\.\d+s( \(\d+:\d+:\d+\))?", "in TIME"),
    (r"(?<![\w.])\d+(\.\d+)? (µs|ms|s|min|h)\b", "TIME"),
    (r"={2,}", "=="),
    (r"[ \t]+", " "),
)


def steady(text: str) -> list[str]:
    for pattern, instead in STEADY:
        text = re.sub(pattern, instead, text)
    return [line.strip() for line in text.strip().splitlines() if line.strip()]


def fits(expected: str, actual: str) -> bool:
    pattern = ""
    for line in steady(expected):
        if line == "...":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += "[^\n]*".join(re.escape(part) for part in line.split("...")) + "\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in steady(actual))) is not None


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        ("4 passed in 0.19s", "4 passed in 12.30s", True),
        ("4 passed in 0.19s", "5 passed in 0.19s", False),
        ("one\n...\nlast", "one\ntwo\nthree\nlast", True),
        ("one\nlast", "one\ntwo\nlast", False),
        ("$0.01 ... done", "$0.01 and done", True),
        ("reports/runs/20260131-143000-5f3a", "reports/runs/20261120-110744-0fc1", True),
        ("", "an output that the page hides", False),
    ],
)
def test_only_what_changes_from_run_to_run_is_left_out_of_a_comparison(expected: str, actual: str, same: bool) -> None:
    assert fits(expected, actual) is same


# -- running ----------------------------------------------------------------------------------------------------------


def environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HARNESS_", "PYTEST_", "GITHUB_", "OPENAI_"))}
    # Other plugins of this machine would print lines of their own, and take time to load.
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p harness.plugin.entry -p no:cacheprovider"}
    fixed = {**alone, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "PYTHONUTF8": "1", "NO_COLOR": "1"}
    return {**kept, **fixed, **more}


def run(command: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    program, *arguments = shlex.split(command)
    start = {"pytest": ["-m", "pytest"], "harness": ["-m", "harness.cli"], "python": []}
    assert program in start, f"a docs command starts with pytest, harness or python, got {command!r}"
    argv = [sys.executable, *start[program], *arguments]
    return subprocess.run(
        argv, cwd=folder, env=environment(**more), capture_output=True, encoding="utf-8", timeout=120, check=False
    )


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the shipped suites need, in which they have run once, as ``pytest suites``."""
    folder = tmp_path_factory.mktemp("docs") / "repository"
    folder.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "runs"))
        else:
            shutil.copy(ROOT / name, folder / name)
    done = run("pytest suites", folder)
    (folder / "first-run.txt").write_text(done.stdout, "utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_a_page_runs_and_prints_what_the_page_says(
    page: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = blocks_of(page)
    folder = tmp_path
    if "<!-- in: repository -->" in (ROOT / page).read_text("utf-8"):
        folder = request.getfixturevalue("repository")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    modules = set(sys.modules)
    names: dict[str, Any] = {"__name__": "page"}
    printed = ""
    for block in blocks:
        where = f"{page}:{block.line}"
        if "skip" in block.words:
            continue
        if "file" in block.words:
            target = folder / block.words["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, "utf-8")
        elif block.language == "python":
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile("\n" * block.line + block.text, str(ROOT / page), "exec", dont_inherit=True), names)
            printed = out.getvalue()
        elif block.words.get("of") == "python":
            assert fits(block.text, printed), f"{where} printed:\n{printed}"
        elif block.language == "console":
            play(block, folder, where)
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


def play(block: Block, folder: Path, where: str) -> None:
    code: int | None = 0
    command = ""
    output = ""
    for command, expected in [*commands_in(block.text), ("", "")]:
        if command == "echo $?":
            assert expected.strip() == str(code), f"{where}: exit code {code}, the page says {expected}\n{output}"
            code = 0
            continue
        assert code == 0, f"{where}: a command ended with {code} and the page does not show it\n{output}"
        if not command:
            continue
        if command.startswith("cd "):
            folder = folder / command[3:]
            continue
        done = run(command, folder)
        code, output = done.returncode, done.stdout + done.stderr
        assert fits(expected, output), f"{where}: $ {command}\nprinted (exit code {code}):\n{output}"


# -- the lines of the README ------------------------------------------------------------------------------------------


class Places:
    """What the README's command lines need to run on any machine."""

    def __init__(self, repository: Path, base: Path, request: pytest.FixtureRequest) -> None:
        self.repository = repository
        self.base = base
        self.request = request

    @property
    def newest(self) -> str:
        return sorted(path.name for path in (self.repository / "reports/runs").iterdir() if path.is_dir())[-1]

    @property
    def oldest(self) -> str:
        return sorted(path.name for path in (self.repository / "reports/runs").iterdir() if path.is_dir())[0]


def readme_lines() -> list[str]:
    found = [block for block in blocks_of("README.md") if block.words.get("lines") == "tested"]
    assert len(found) == 1, "the README has one block of command lines, marked lines=tested"
    lines = [line.split("  #")[0].strip() for line in found[0].text.splitlines() if line.strip()]
    return [line for line in lines if not line.startswith("#")]


@pytest.fixture
def places(repository: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Places:
    return Places(repository, tmp_path, request)


def suites(places: Places) -> None:
    # Already run by the fixture, which asserts the exit code.
    text = (places.repository / "first-run.txt").read_text("utf-8")
    assert "✓ PASS" in text
    assert "scorecard: reports/runs/" in text


def own_agent(places: Places) -> None:
    package = places.base / "mypackage"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "agent.py").write_text("async def answer(messages):\n    return messages[-1]['content']\n")
    path = os.pathsep.join([str(ROOT), str(places.base)])
    done = run("pytest suites --harness-agent=mypackage.agent:answer", places.repository, PYTHONPATH=path)
    # An agent that repeats what it is told must not be released.
    assert done.returncode == 10, done.stdout + done.stderr
    assert "✗ FAIL" in done.stdout


def litellm_model(places: Places) -> None:
    """Only the small talk: the line's meaning is that LiteLLM is reached and billed, not that 135 trials are."""
    pytest.importorskip("litellm")
    from fixtures.model_server.policies import say
    from fixtures.model_server.running import ThreadedModelServer

    with ThreadedModelServer(policies={"gpt-4o-mini": lambda body: say("I am a model that has no tools.")}) as server:
        done = run(
            "pytest suites/support_desk/test_small_talk.py --harness-agent=litellm:openai/gpt-4o-mini "
            "--harness-mode=live",
            places.repository,
            OPENAI_API_BASE=server.url,
            OPENAI_BASE_URL=server.url,
            OPENAI_API_KEY="sk-not-a-key",
        )
        asked = server.server.traffic.requests
    assert asked >= 8
    assert done.returncode == 10, done.stdout + done.stderr
    assert "8 of 8 trials measured; $0.0" in done.stdout, "the price comes from LiteLLM's own map"


def http_service(places: Places) -> None:
    """Only the small talk, on a port that is free: the line's meaning is that a service is asked."""
    from aiohttp import web

    asked: list[Any] = []

    async def chat(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.json_response({"answer": asked[-1]["input"]})

    with serving(chat) as port:
        done = run(
            f"pytest suites/support_desk/test_small_talk.py --harness-agent=http://127.0.0.1:{port}/chat "
            "--harness-mode=live",
            places.repository,
        )
    assert len(asked) == 8
    assert done.returncode == 10, done.stdout + done.stderr


@contextlib.contextmanager
def serving(handler: Any) -> Iterator[int]:
    """A handler of ``POST /chat`` on a free port of this machine."""
    from aiohttp import web

    loop = new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    app = web.Application()
    app.router.add_post("/chat", handler)
    runner = web.AppRunner(app)

    async def start() -> int:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return int(runner.addresses[0][1])

    try:
        yield run_coroutine_threadsafe(start(), loop).result(30)
    finally:
        run_coroutine_threadsafe(runner.cleanup(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


@pytest.fixture(scope="session")
def replayed(repository: Path) -> subprocess.CompletedProcess[str]:
    """``pytest suites/recorded`` with a recording of two trials."""
    runs = repository / "runs.json"
    chat = '{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}'
    runs.write_text(
        f'[{{"id": "a", "success": true, "messages": [{chat}]}}, {{"id": "a", "success": false, "messages": [{chat}]}}]'
    )
    return run("pytest suites/recorded --harness-replay=runs.json", repository)


@pytest.fixture(scope="session")
def small_talk(repository: Path) -> subprocess.CompletedProcess[str]:
    """A part of the suites, run after the whole."""
    return run("pytest suites/support_desk/test_small_talk.py", repository)


def recorded_runs(places: Places) -> None:
    done: subprocess.CompletedProcess[str] = places.request.getfixturevalue("replayed")
    # Recorded runs are observed, so that they were measured is what the session says; the rate is in the scorecard.
    assert done.returncode == 0, done.stdout + done.stderr
    assert "50.0%" in done.stdout


def gate(places: Places) -> None:
    done = run(f"harness gate {places.oldest} --rules reports/release.toml", places.repository)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS" in done.stdout


def report(places: Places) -> None:
    page = places.repository / "reports/runs" / places.oldest / "scorecard.html"
    page.unlink()
    done = run(f"harness report {places.oldest}", places.repository)
    assert done.returncode == 0, done.stdout + done.stderr
    assert page.is_file()


def compare(places: Places) -> None:
    assert "8 of 8 trials measured" in places.request.getfixturevalue("small_talk").stdout
    done = run(f"harness compare {places.oldest} {places.newest}", places.repository)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_small_talk" in done.stdout


def init(places: Places) -> None:
    done = run("harness init DIR", places.base)
    assert done.returncode == 0, done.stdout + done.stderr
    done = run("pytest suites", places.base / "DIR")
    assert done.returncode == 0, done.stdout + done.stderr


LINES = {
    "pytest suites": suites,
    "pytest suites --harness-agent=mypackage.agent:answer": own_agent,
    "pytest suites --harness-agent=litellm:openai/gpt-4o-mini --harness-mode=live": litellm_model,
    "pytest suites --harness-agent=http://127.0.0.1:8000/chat --harness-mode=live": http_service,
    "pytest suites/recorded --harness-replay=runs.json": recorded_runs,
    "harness gate RUN --rules reports/release.toml": gate,
    "harness report RUN": report,
    "harness compare OLD NEW": compare,
    "harness init DIR": init,
}
"""What runs each command line of the README; a line without a runner fails the test below."""


@pytest.mark.parametrize("line", LINES)
def test_every_command_line_of_the_readme_does_what_it_says(line: str, places: Places) -> None:
    assert line in readme_lines()
    LINES[line](places)


def test_no_command_line_of_the_readme_is_left_untried() -> None:
    assert sorted(readme_lines()) == sorted(LINES)


# -- nothing is left out ----------------------------------------------------------------------------------------------


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def anchors(path: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text("utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", [*PAGES, *MEASURED, "CHANGELOG.md", "fixtures/README.md"])
def test_every_relative_link_leads_somewhere(name: str) -> None:
    text = FENCE.sub("", (ROOT / name).read_text("utf-8"))
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, fragment = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        if not target.exists() or (fragment and target.suffix == ".md" and fragment not in anchors(target)):
            dead.append(link)
    assert dead == []


def test_every_page_is_reached_from_the_index() -> None:
    reached = set(re.findall(r"\]\(([^)#\s]+\.md)", page("index.md")))
    known = {p.removeprefix("docs/") for p in PAGES if p.startswith("docs/")} - {"index.md"}
    assert known - reached == set()


def test_every_evaluator_is_described() -> None:
    from harness import evaluators

    classes = [name for name in evaluators.__all__ if name[0].isupper()]
    assert [name for name in classes if f"| `{name}` |" not in page("evaluators.md")] == []


def test_every_kind_of_gate_rule_is_shown_in_toml() -> None:
    from harness.gates.rules_file import KINDS

    assert [kind for kind in KINDS if f'kind = "{kind}"' not in page("scorecard-and-gates.md")] == []


def test_every_field_of_every_gate_rule_is_described() -> None:
    from dataclasses import fields

    from harness.gates.rules_file import KINDS

    text = page("scorecard-and-gates.md")
    missing = [f"{kind}.{item.name}" for kind, rule in KINDS.items() for item in fields(rule) if item.name not in text]
    assert missing == []


def test_every_check_of_a_reward_and_everything_that_can_be_declared_is_described() -> None:
    from dataclasses import fields

    from harness.rewards import CONFORMANCE, FAMILIES, PROPERTIES, Declared
    from harness.rewards.declared import INTERFACES
    from harness.rewards.mutator_changes import OPERATORS

    text = " ".join(page("rewards.md").split())
    named = [*CONFORMANCE, *PROPERTIES, *INTERFACES, *(item.name for item in fields(Declared))]
    assert [name for name in named if f"`{name}`" not in text] == []
    assert [words for words in (*FAMILIES, *OPERATORS) if words not in text] == []


def test_every_importer_is_described() -> None:
    from harness.datasets.importers import FORMATS

    assert [form for form in FORMATS if f'`"{form}:' not in page("datasets.md")] == []


def test_every_expectation_is_described() -> None:
    from dataclasses import fields

    from harness import Expectation

    assert [item.name for item in fields(Expectation) if f"`{item.name}`" not in page("datasets.md")] == []


def test_every_argument_of_the_golden_mark_is_described() -> None:
    from dataclasses import fields

    from harness.plugin.marker import Golden

    assert [item.name for item in fields(Golden) if f"`{item.name}`" not in page("running.md")] == []


def test_every_error_kind_is_described() -> None:
    from harness.core.errors import ERROR_KINDS

    assert [kind for kind in ERROR_KINDS if f"| `{kind}` |" not in page("results.md")] == []


def test_every_exit_code_is_described() -> None:
    from harness.plugin import judging

    codes = [0, 1, 2, 3, 4, 5, judging.GATE_FAILED, judging.INCONCLUSIVE, judging.BUDGET, judging.NO_BASELINE]
    assert [code for code in codes if f"| {code} |" not in page("running.md")] == []


def test_every_command_is_described() -> None:
    from harness.cli import COMMANDS

    text = "".join((ROOT / name).read_text("utf-8") for name in PAGES)
    assert [name for name in COMMANDS if f"harness {name}" not in text] == []


def test_every_public_name_is_mentioned() -> None:
    import harness

    text = "".join((ROOT / name).read_text("utf-8") for name in PAGES)
    assert [name for name in harness.__all__ if not re.search(rf"\b{name}\b", text)] == []


def test_the_reference_agents_personas_are_all_told() -> None:
    from fixtures.support_desk.personas import PERSONAS

    assert [name for name in PERSONAS if f"| `{name}` |" not in page("reference-agent.md")] == []


@pytest.mark.parametrize("name", [name for name in PAGES if "/decisions/" in name])
def test_every_decision_names_a_test_that_exists(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    guards = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", text)
    assert "**Guarded by**" in text
    assert guards
    missing = [f"{path}::{test}" for path, test in guards if f"def {test}(" not in _source(path)]
    assert missing == []


def _source(path: str) -> str:
    return (ROOT / path).read_text("utf-8") if (ROOT / path).is_file() else ""


def test_a_part_of_the_suites_is_judged_by_what_was_asked_for(
    small_talk: subprocess.CompletedProcess[str], replayed: subprocess.CompletedProcess[str]
) -> None:
    assert small_talk.returncode == 11, "the release gate asks for 60 cases, and eight were run"
    assert replayed.returncode == 0, "rules about suites that were not asked for do not decide"
    assert "not judged: this partial run" in " ".join(replayed.stdout.split())


def test_the_lock_file_has_hashes_and_names_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in text
    pins = re.findall(r"^([a-z0-9._-]+)==.*?(?=^\S|\Z)", text, re.M | re.S | re.I)
    blocks = re.split(r"^(?=[a-zA-Z0-9])", text, flags=re.M)[1:]
    assert len(blocks) == len(pins) > 20
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def settings_table() -> str:
    """The table of every option, from the table that the flags are made from."""
    from harness.settings import OPTIONS

    rows = ["| flag | variable | `[tool.harness]` | default | what it does |", "|---|---|---|---|---|"]
    for option in OPTIONS:
        shown = option.metavar or "|".join(option.choices)
        flag = f"`{option.flag_name}={shown}`" if shown else f"`{option.flag_name}`"
        flag = flag if option.flag else "none"
        variable = f"`{option.variable}`" if option.flag else "none"
        key = f"`{option.name}`" if option.table else "not there"
        default = "none" if option.default in (None, False) else f"`{option.default}`"
        cells = (flag, variable, key, default, option.help)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def test_the_table_of_settings_is_the_one_the_flags_are_made_from() -> None:
    told = page("settings.md").split(OPTIONS_MARK)[1].strip()
    assert told == settings_table(), "write it anew: python tests/test_docs.py"


if __name__ == "__main__":
    path = ROOT / "docs" / "settings.md"
    before, _, after = path.read_text("utf-8").split(OPTIONS_MARK)
    path.write_text(f"{before}{OPTIONS_MARK}\n\n{settings_table()}\n\n{OPTIONS_MARK}{after}", "utf-8")
