"""Start-up costs nothing: this rots silently, so it is held by counting what is loaded, not by a clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run(code: str, *options: str, cwd: Path = ROOT) -> dict[str, list[str]]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    environ.pop("GITHUB_STEP_SUMMARY", None)
    done = subprocess.run(
        [sys.executable, *options, "-c", code], cwd=cwd, env=environ, capture_output=True, text=True, check=True
    )
    told: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return told


IMPORT = """
import json, sys
before = set(sys.modules)
import harness
print(json.dumps({"new": sorted(set(sys.modules) - before)}))
"""

SESSION = """
import json, sys
noted = []
sys.addaudithook(lambda event, args: noted.append(event) if event in WATCHED else None)
import pytest
code = pytest.main(["-q", "--collect-only", "-p", "no:cacheprovider", *OTHERS])
print(json.dumps({"code": [str(int(code))], "noted": noted, "loaded": sorted(sys.modules)}))
"""
WATCHED = ("subprocess.Popen", "os.posix_spawn", "os.fork", "socket.connect", "socket.getaddrinfo")


def test_importing_the_package_adds_no_third_party_module_and_takes_no_room() -> None:
    new = run(IMPORT)["new"]
    assert "harness" in new
    strange = [name for name in new if name.split(".")[0] not in sys.stdlib_module_names and name != "harness"]
    assert strange == []


def session(cwd: Path) -> dict[str, list[str]]:
    # Only this plugin: what others load or start is theirs.
    others = ["-p", "harness.plugin.entry"]
    code = f"import os\nos.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1'\nWATCHED={WATCHED!r}\nOTHERS={others!r}\n"
    return run(code + SESSION, cwd=cwd)


def test_a_session_on_an_empty_folder_loads_no_room_starts_no_process_and_opens_no_socket(tmp_path: Path) -> None:
    told = session(tmp_path)
    assert told["code"] == ["5"]
    assert told["noted"] == []
    ours = {name for name in told["loaded"] if name.startswith("harness")}
    assert "harness.plugin.entry" in ours
    rooms = {name for name in ours if name.split(".")[1:2] not in ([], ["plugin"], ["settings"])}
    assert rooms <= {"harness.core", "harness.core.errors"}, "the flags raise UsageError; nothing else is needed"
    assert not set(told["loaded"]) & {"aiohttp", "asyncio", "jinja2", "numpy", "scipy", "sqlite3", "yaml"}
    assert list(tmp_path.iterdir()) == []


def test_collecting_golden_tests_still_imports_neither_numbers_nor_networks(tmp_path: Path) -> None:
    folder = tmp_path / "golden_datasets" / "demo"
    folder.mkdir(parents=True)
    (folder / "cases.jsonl").write_text('{"id": "a", "input": "x", "expected": {"contains": ["x"]}}\n')
    (tmp_path / "pyproject.toml").write_text('[tool.harness]\nagent = "bot:answer"\n')
    (tmp_path / "bot.py").write_text("async def answer(text):\n    return text\n")
    (tmp_path / "test_demo.py").write_text(
        "import pytest\n\n@pytest.mark.golden('demo')\ndef test_demo(case, trajectory):\n    pass\n"
    )
    told = session(tmp_path)
    assert told["code"] == ["0"]
    assert told["noted"] == []
    assert not set(told["loaded"]) & {"aiohttp", "jinja2", "litellm", "numpy", "pandas", "scipy"}
