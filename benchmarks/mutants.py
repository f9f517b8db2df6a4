"""Mutate one room of the harness and keep mutmut's exported counts: ``python -m benchmarks.mutants stats OUT``.

mutmut reads its settings from the pyproject.toml of the folder it runs in, one list of files for all. So each room is
mutated in a copy of the repository of its own, with its own tests, and nothing of this one is touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPIED = (
    "harness",
    "tests",
    "fixtures",
    "suites",
    "golden_datasets",
    "reports",
    "conftest.py",
    "README.md",
    "pyproject.toml",
)
SETTINGS = """
[tool.mutmut]
source_paths = ["harness"]
only_mutate = ["harness/{room}/*"]
also_copy = {also}
pytest_add_cli_args = ["-n0", "-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = ["tests/{room}"]
"""


def mutate(room: str, out: Path) -> int:
    """Mutate ``harness/<room>`` to the end; the counts go to ``out/mutmut-cicd-stats.json``."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "copy"
        folder.mkdir()
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "runs", "measured"))
            else:
                shutil.copy(source, folder / name)
        also = [name for name in COPIED if name not in ("harness", "tests", "pyproject.toml")]
        with (folder / "pyproject.toml").open("a") as file:
            file.write(SETTINGS.format(room=room, also=str(also).replace("'", '"')))
        mutmut = str(Path(sys.executable).with_name("mutmut"))
        # The mutants stand before the installed package, so that they are what the tests import. The folder is there
        # before mutmut starts: Python remembers a place on its path that was missing, and never looks there again.
        (folder / "mutants").mkdir()
        environment = {**os.environ, "PYTHONPATH": str(folder / "mutants")}
        for arguments in (["run", "--max-children", str(os.cpu_count() or 1)], ["export-cicd-stats"]):
            code = subprocess.run([mutmut, *arguments], cwd=folder, env=environment, check=False).returncode
            if code:
                return code
        out.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "mutants" / "mutmut-cicd-stats.json", out)
    return 0


if __name__ == "__main__":
    sys.exit(mutate(sys.argv[1], Path(sys.argv[2])))
