from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.runs.bench.machine import fingerprint
from harness.runs.bench.stored_times import StoredTimes, Timed, write_times

QUICK = ("--rounds", "3", "--samples", "3")
# So far apart that no busy machine can close the gap: nothing here depends on how fast it is.
MODULE = """
import time
def fast(): pass
def slow(): time.sleep(0.03)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_function_that_takes_far_longer_is_slower_and_the_other_way_round_faster(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "mine:fast", "mine:slow", "--rounds", "5", "--samples", "5"]) == 10
    assert ": slower" in capsys.readouterr().out
    assert main(["bench", "mine:slow", "mine:fast", "--rounds", "5", "--samples", "5"]) == 0
    assert ": faster" in capsys.readouterr().out


def test_a_limit_decides_with_three_answers(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "mine:slow", "mine:fast", *QUICK, "--at-most", "1.01"]) == 0
    capsys.readouterr()
    assert main(["bench", "mine:fast", "mine:slow", *QUICK, "--at-most", "1.01", "--json"]) == 10
    told = json.loads(capsys.readouterr().out)
    assert told["answer"] == "fail"
    assert len(told["rounds"]) == 3


def test_commands_are_compared_by_their_whole_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "true", "sleep 0.1", "--rounds", "4"]) == 10
    assert "sleep 0.1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["mine:fast"], "needs --save, --against or --append"),
        (["mine:fast", "sleep 1"], "compare like with like"),
        (["a", "b", "c"], "compares two sides, got 3"),
        (["mine:fast", "mine:slow", "--rounds", "1"], "--rounds lies between 2"),
        (["mine:fast", "mine:slow", "--at-most", "-1"], "ratio such as 1.05"),
        (["--series", "x", "mine:fast"], "measures nothing"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    assert main(["bench", *words]) == 4
    assert says in capsys.readouterr().err


def test_stored_times_are_compared_on_the_same_machine_only(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "mine:slow", *QUICK, "--save", "slow.json"]) == 0
    assert main(["bench", "mine:slow", *QUICK, "--against", "slow.json", "--at-most", "20"]) == 0
    capsys.readouterr()
    data = json.loads(Path("slow.json").read_text())
    data["machine_info"]["cpu"]["brand_raw"] = "Another 9000"
    Path("slow.json").write_text(json.dumps(data))
    assert main(["bench", "mine:slow", *QUICK, "--against", "slow.json"]) == 13
    assert "another machine (processor Another 9000 against" in capsys.readouterr().out


def test_two_files_of_times_are_compared_name_by_name(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw = random.Random(1)
    for name, level in (("before.json", 1.0), ("after.json", 1.3)):
        times = tuple(level * draw.lognormvariate(0, 0.02) for _ in range(40))
        timed = (Timed(name="a", times=times), Timed(name=f"only in {name}", times=times))
        write_times(here / name, StoredTimes(timed=timed, machine=fingerprint()))
    assert main(["bench", "before.json", "after.json"]) == 10
    out = capsys.readouterr().out
    assert out.startswith("a: B takes 1.28")
    assert "only in" not in out


def test_a_series_names_the_night_on_which_the_level_changed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "mine:fast", *QUICK, "--append", "nights.jsonl"]) == 0
    first = json.loads(Path("nights.jsonl").read_text())
    draw = random.Random(2)
    lines = []
    for night in range(20):
        level = (1.0 if night < 12 else 1.2) * draw.lognormvariate(0, 0.02)
        lines.append(json.dumps({**first, "median_s": level, "at": f"2026-01-{night + 1:02}", "commit": f"c{night}"}))
    Path("nights.jsonl").write_text("\n".join(lines))
    assert main(["bench", "--series", "nights.jsonl"]) == 10
    out = capsys.readouterr().out
    assert "20 nights" in out
    assert "2026-01-13: 1.2" in out
    assert "commit c12" in out


class Stream(BaseHTTPRequestHandler):
    """A role-only event at once, the first token after the time in the path."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if "broken" in self.path:
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self.wfile.write(b'data: {"choices": [{"delta": {"role": "assistant", "content": ""}}]}\n\n')
        self.wfile.flush()
        threading.Event().wait(float(self.path.split("/")[1]))
        self.wfile.write(b'data: {"choices": [{"delta": {"content": "yes"}}]}\r\n\r\ndata: [DONE]\n\n')

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Stream) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_endpoints_are_compared_by_their_first_token_and_not_by_the_role(
    here: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sides = [f"{address}/0.005/v1", f"{address}/0.05/v1"]
    assert main(["bench", *sides, *QUICK, "--json"]) == 10
    told: Any = json.loads(capsys.readouterr().out)
    assert told["seconds"][1] >= 0.05
    assert main(["bench", f"{address}/broken/v1", sides[1], *QUICK]) == 1
    assert "HTTP 503" in capsys.readouterr().err
