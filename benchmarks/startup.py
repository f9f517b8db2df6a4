"""What the plugin adds to a pytest session that has nothing to do with it."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.figures import Figure, Result
from benchmarks.sessions import ROOT, environment, run_process

PAIRS = {False: 21, True: 11}
"""By whether every installed plugin is loaded, which takes several times as long."""
COLD_PAIRS = 7
AT_MOST_MS = 20.0
ENTRY = "harness.plugin.entry"
THIRD_PARTY = """\
import sys
before = set(sys.modules)
import harness
names = {name.partition(".")[0] for name in set(sys.modules) - before}
print(" ".join(sorted(names - set(sys.stdlib_module_names) - {"harness"})))
"""


class Folder:
    """An empty folder with a byte-code cache of its own."""

    def __init__(self, made: str) -> None:
        self.empty = Path(made) / "empty"
        self.cache = Path(made) / "cache"
        self.empty.mkdir()
        (self.empty / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")

    def collect(self, *arguments: str, autoload: bool) -> tuple[float, float]:
        """Wall and CPU milliseconds of one ``pytest --collect-only``."""
        env = environment(PYTHONPYCACHEPREFIX=str(self.cache))
        if autoload:
            del env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        # DeepEval's plugin starts programs and may send telemetry; no arm of this comparison loads it.
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:deepeval", *arguments]
        status, wall, cpu, _, output = run_process(command, cwd=self.empty, env=env)
        if status != 5:
            raise RuntimeError(f"{' '.join(command)} ended with {status} instead of 5 (nothing collected):\n{output}")
        return wall * 1e3, cpu * 1e3

    def forget_harness(self) -> None:
        """As on the first run after installing: only the harness has not been compiled yet."""
        shutil.rmtree(self.cache / ROOT.relative_to("/"), ignore_errors=True)


def differences(folder: Folder, pairs: int, *, autoload: bool, cold: bool = False) -> tuple[float, float, float]:
    """Median wall and CPU difference with and without the plugin, and median wall time without, in milliseconds."""
    without = ("-p", f"no:{ENTRY}")
    with_it = () if autoload else ("-p", ENTRY)
    for _ in range(2):  # byte code, file caches
        folder.collect(*without, autoload=autoload)
        folder.collect(*with_it, autoload=autoload)
    wall, cpu, base = [], [], []
    for number in range(pairs):
        times = {}
        for arm in (without, with_it) if number % 2 else (with_it, without):
            if cold:
                folder.forget_harness()
            times[arm] = folder.collect(*arm, autoload=autoload)
        wall.append(times[with_it][0] - times[without][0])
        cpu.append(times[with_it][1] - times[without][1])
        base.append(times[without][0])
    return statistics.median(wall), statistics.median(cpu), statistics.median(base)


def third_party_of_import() -> str:
    """Names of third-party packages that ``import harness`` imports."""
    done = subprocess.run(
        [sys.executable, "-c", THIRD_PARTY], env=environment(), capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def run(scale: float = 1.0) -> Result:
    figures = []
    for autoload, what in ((False, "beside no other plugin"), (True, "beside every plugin installed here")):
        pairs = max(3, int(PAIRS[autoload] * scale))
        with tempfile.TemporaryDirectory() as made:
            wall, cpu, base = differences(Folder(made), pairs, autoload=autoload)
        figures += [
            Figure(
                what=f"wall time added, {what}",
                value=wall,
                unit="ms",
                at_most=AT_MOST_MS,
                ratio=wall / base,
                versus=f"the session without it ({base:.0f} ms)",
            ),
            Figure(what=f"CPU time added, {what}", value=cpu, unit="ms"),
        ]
    with tempfile.TemporaryDirectory() as made:
        wall, _, _ = differences(Folder(made), max(3, int(COLD_PAIRS * scale)), autoload=False, cold=True)
    figures.append(
        Figure(what="wall time added on the first run, while the harness is compiled", value=wall, unit="ms")
    )
    found = third_party_of_import()
    figures.append(
        Figure(
            what="third-party packages that `import harness` imports",
            value=float(len(found.split())),
            at_most=0.0,
            note=found,
        )
    )
    return Result(
        name="startup",
        title="What the plugin costs a session without golden cases",
        method=(
            "`pytest --collect-only` in an empty folder, with the plugin and with `-p no:harness.plugin.entry`, in "
            f"turns; median of the differences of {PAIRS[False]} pairs ({PAIRS[True]} beside every plugin). "
            "Byte code is cached in a folder of the benchmark's own; for the row that says so, the harness's part of "
            "it is deleted before each session."
        ),
        figures=tuple(figures),
        scale=scale,
    )
