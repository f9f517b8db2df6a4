"""The end of a session is imported while the session waits, by the process that will judge and by nobody else."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

from harness.plugin.forethought import MODULES, forethought


def test_every_step_is_taken_once_and_then_nothing_is_left() -> None:
    script = (
        "import sys\n"
        "from types import SimpleNamespace\n"
        "from harness.plugin.forethought import MODULES, forethought\n"
        "step = forethought(SimpleNamespace())\n"
        "taken = 0\n"
        "while step():\n"
        "    taken += 1\n"
        "assert taken == len(MODULES), taken\n"
        "missing = [name for name in MODULES if name not in sys.modules]\n"
        "assert not missing, missing\n"
        "assert step() is False\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_all_that_is_named_exists() -> None:
    # A step that cannot be imported is left out in silence, so a renamed module would be lost here.
    for name in MODULES:
        __import__(name)


def test_a_worker_imports_nothing_for_a_judgement_that_it_does_not_make() -> None:
    assert forethought(SimpleNamespace(workerinput={})) is None
