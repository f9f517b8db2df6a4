"""``harness load`` as typed: figures, verdicts, exit codes, exports, and mistakes with their remedy."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli import main
from harness.runs.load.serving import MockServer


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with MockServer(ttft=0.01, gap=0.002, tokens=10) as mock:
        yield mock.url


def typed(*words: object) -> int:
    return main(["load", *map(str, words)])


def test_a_load_run_says_its_figures_and_leaves_its_exports(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = typed(url, "--rate", 40, "--duration", 1.5, "--out", tmp_path / "run", "--budget", "ttft_p50_s=5")
    out = capsys.readouterr().out
    assert "open loop, poisson 40/s" in out
    assert "time to first token" in out
    assert "ttft_p50_s" in out
    # On a machine that is too busy to measure, the answer is inconclusive and never a wrong pass or fail.
    assert code == (11 if "CLIENT-LIMITED" in out else 0)
    page = (tmp_path / "run" / "load.html").read_text()
    assert "<svg" in page
    assert "http://" not in page.replace("http://127.0.0.1", "").replace("http://www.w3.org", "")
    said = json.loads((tmp_path / "run" / "summary.json").read_text())
    figure = said["runs"][0]["figures"]["ttft_p95_s"]
    assert figure["low"] <= figure["value"] <= figure["high"]
    assert "from due" in figure["meaning"]
    rows = list(csv.DictReader((tmp_path / "run" / "requests.csv").read_text().splitlines()))
    assert len(rows) == said["runs"][0]["due"]
    assert float(rows[0]["ttft_s"]) > 0.009


def test_json_is_the_only_thing_said(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed(url, "--streams", 2, "--requests", 6, "--out", tmp_path / "run", "--json")
    said = json.loads(capsys.readouterr().out)
    assert said["runs"][0]["good"] == 6


def test_a_kept_run_is_judged_again_by_other_budgets(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(url, "--streams", 4, "--requests", 80, "--duration", 5, "--out", tmp_path / "run")
    capsys.readouterr()
    code = typed("--read", tmp_path / "run", "--budget", "ttft_p50_s=0.0001")
    out = capsys.readouterr().out
    assert code == (11 if "CLIENT-LIMITED" in out else 10)
    assert "80 of 80 requests good" in out


def test_a_sweep_finds_the_knee_of_a_server_with_one_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # One reply of 50 ms at a time: 20 a second and no more.
    with MockServer(ttft=0.045, gap=0.001, tokens=5, slots=1) as mock:
        typed(mock.url, "--sweep", "4,60", "--arrivals", "constant", "--duration", 2, "--out", tmp_path / "s", "--json")
    said = json.loads(capsys.readouterr().out)
    kept = {level["rate"]: level["kept_up"] for level in said["levels"]}
    assert kept[60] in (False, None)
    assert kept[4] in (True, None)
    if None not in kept.values():
        assert said["knee"] == 4
    assert "<svg" in (tmp_path / "s" / "load.html").read_text()


def test_calibration_says_this_machines_error(capsys: pytest.CaptureFixture[str]) -> None:
    typed("--calibrate", "--streams", 3, "--duration", 1)
    out = capsys.readouterr().out
    assert "ttft error p50" in out
    assert out.splitlines()[1].split()[0] == "3"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "harness load http://127.0.0.1:8000/v1"),
        (["U", "--rate", "0"], "above 0"),
        (["U", "--rate", "5", "--streams", "2"], "give one of them"),
        (["U", "--arrivals", "gamma"], "needs --rate"),
        (["--budget", "ttft_p95_s=1", "U"], "the address goes before the flags"),
        (["U", "--rate", "1", "--budget", "ttft_p95=1"], "did you mean ttft_p95_s"),
        (["U", "--rate", "1", "--budget", "goodput=2"], "a share between 0 and 1"),
        (["U", "--rate", "9", "--good", "ttft_p95_s=1"], "no figure of a single request"),
        (["U", "--body", "[1]"], "a JSON object"),
        (["U", "--header", "nocolon"], "NAME: VALUE"),
        (["U", "--sweep", "a,b"], "rates such as"),
        (["--read", "nowhere"], "no load run"),
    ],
)
def test_a_mistake_is_a_usage_error_that_says_what_to_type(
    words: list[str], said: str, tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    short = ["--requests", "1", "--duration", "1"] if "U" in words else []
    assert typed(*[url if word == "U" else word for word in words], *short) == 4
    assert said in capsys.readouterr().err
