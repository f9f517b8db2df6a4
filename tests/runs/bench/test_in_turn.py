from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.core.errors import HarnessError, UsageError
from harness.runs.bench.in_turn import compare_in_turn
from harness.runs.bench.sides import Checkout, CommandSide, FunctionSide


class Scripted:
    """A side whose times are known: a drift that both share, times its own factor."""

    def __init__(self, label: str, factor: float, log: list[str]) -> None:
        self.label, self.factor, self.log, self.started = label, factor, log, 0

    def start(self, cpu: int | None = None) -> None:
        self.started += 1

    def settle(self, seconds: float) -> int:
        return 7

    def sample(self, units: int) -> float:
        self.log.append(self.label)
        # Drifts by half from the first sample to the last.
        return self.factor * (1 + len(self.log) / 200) * (1 + 0.001 * (self.started % 3))

    def stop(self) -> None:
        self.log.append("stop")


def test_a_shared_drift_does_not_pass_for_a_difference_and_a_real_one_shows() -> None:
    log: list[str] = []
    same = compare_in_turn(Scripted("a", 1.0, log), Scripted("b", 1.0, log), rounds=10, samples=10)
    assert same.shift.answer == "not shown"
    log.clear()
    slower = compare_in_turn(Scripted("a", 1.0, log), Scripted("b", 1.1, log), rounds=10, samples=10)
    assert slower.shift.answer == "slower"
    assert slower.shift.ratio.value == pytest.approx(1.1, rel=0.02)
    assert slower.units == 7


def test_both_sides_are_sampled_in_turn_and_neither_always_comes_first() -> None:
    log: list[str] = []
    compare_in_turn(Scripted("a", 1.0, log), Scripted("b", 1.0, log), rounds=2, samples=20)
    samples = [word for word in log if word != "stop"]
    firsts = samples[::2]
    assert all({x, y} == {"a", "b"} for x, y in zip(samples[::2], samples[1::2], strict=True))
    assert 5 < firsts.count("a") < 35


def test_a_side_that_breaks_stops_both_and_nothing_is_concluded() -> None:
    class Breaking(Scripted):
        def sample(self, units: int) -> float:
            raise HarnessError("gone")

    log: list[str] = []
    with pytest.raises(HarnessError, match="gone"):
        compare_in_turn(Scripted("a", 1.0, log), Breaking("b", 1.0, log), rounds=3)
    assert log.count("stop") == 2


def module(tmp_path: Path, text: str) -> Path:
    (tmp_path / "mine.py").write_text(text)
    return tmp_path


def test_a_function_is_called_in_a_process_of_its_own_and_may_print(tmp_path: Path) -> None:
    tree = module(tmp_path, "import os\ndef f():\n    print('noise')\n    open('pid', 'w').write(str(os.getpid()))\n")
    side = FunctionSide("mine:f", tree)
    side.start()
    units = side.settle(0.001)
    assert units >= 1
    assert side.sample(units) > 0
    first = (tmp_path / "pid").read_text()
    side.stop()
    side.start()
    assert side.sample(1) > 0
    side.stop()
    assert (tmp_path / "pid").read_text() != first


def test_a_coroutine_function_is_awaited(tmp_path: Path) -> None:
    tree = module(tmp_path, "async def f():\n    open('ran', 'w').close()\n")
    side = FunctionSide("mine:f", tree)
    side.start()
    assert side.sample(2) > 0
    side.stop()
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("text", "spec", "says"),
    [
        ("", "mine:nothing", "AttributeError.*nothing"),
        ("x = 1", "mine:x", "not a function"),
        ("def f():\n    raise OSError('no disk')", "mine:f", "OSError: no disk"),
        ("import os\nos._exit(3)", "mine:f", r"ended by itself \(exit code 3\)"),
    ],
)
def test_a_function_that_cannot_be_called_says_why(tmp_path: Path, text: str, spec: str, says: str) -> None:
    side = FunctionSide(spec, module(tmp_path, text))
    with pytest.raises(HarnessError, match=says):
        side.start()
    side.stop()


def test_a_command_that_fails_is_no_time(tmp_path: Path) -> None:
    assert CommandSide("true", tmp_path).sample(1) > 0
    with pytest.raises(HarnessError, match="exit code 3: oh no"):
        CommandSide("sh -c 'echo oh no >&2; exit 3'", tmp_path).sample(1)
    with pytest.raises(HarnessError, match="cannot be started"):
        CommandSide("no-such-command-here", tmp_path).sample(1)


def test_a_commit_is_unpacked_beside_the_repository_which_stays_as_it_is(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        author = ["-c", "user.name=a", "-c", "user.email=a@example.invalid"]
        subprocess.run(["git", *author, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / "mine.py").write_text("def f(): return 1\n")
    git("add", ".")
    git("commit", "-qm", "one")
    (tmp_path / "mine.py").write_text("uncommitted\n")
    checkout = Checkout("HEAD", tmp_path)
    assert (checkout.tree / "mine.py").read_text() == "def f(): return 1\n"
    assert (tmp_path / "mine.py").read_text() == "uncommitted\n"
    checkout.close()
    assert not checkout.tree.exists()
    with pytest.raises(UsageError, match="no commit 'nowhere'"):
        Checkout("nowhere", tmp_path)
