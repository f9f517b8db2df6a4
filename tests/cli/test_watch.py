"""``harness watch``: exit codes, the series and its alarm, with judges of the local model server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.commands.watch_series import fall, read_series, shares
from harness.core.errors import FormatError

JUDGES = """
from fixtures.judges import good, refusing
from harness.evaluators import AnswerRelevance
relevant = AnswerRelevance(model=good)
mute = AnswerRelevance(model=refusing)
priced = AnswerRelevance(model="openai:gpt-4o@http://127.0.0.1:9/v1")
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.harness]\n")
    (tmp_path / "watched.py").write_text(JUDGES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def chats(path: Path, count: int, said: str) -> str:
    asked = "How long do parcels take?"
    lines = [
        {"id": f"c{n}", "model": "b" if n % 4 == 0 else "a",
         "messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]}
        for n in range(count)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


RIGHT = "Parcels take long."
WRONG = "Our office has a garden."


def test_a_tenth_of_every_stratum_is_judged_and_kept(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", chats(place / "a.jsonl", 80, RIGHT), "--judge", "watched:relevant"]) == 0
    said = capsys.readouterr().out
    assert "8 of 80 conversations drawn, by model: a 6 of 60, b 2 of 20" in said
    assert "the series begins here" in said
    (line,) = read_series(place / "reports" / "watch.jsonl")
    assert (line["judged"], line["passed"], line["pass_rate"]) == (8, 8, 1.0)


def test_a_fall_of_the_pass_rate_is_an_alarm_with_its_own_code(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judge = ["--judge", "watched:relevant", "--rate", "100"]
    assert main(["watch", chats(place / "a.jsonl", 30, RIGHT), *judge]) == 0
    assert main(["watch", chats(place / "a.jsonl", 30, RIGHT), *judge]) == 0
    assert main(["watch", chats(place / "b.jsonl", 30, WRONG), *judge]) == 10
    assert "ALARM: the pass rate fell by -100.0 points" in capsys.readouterr().out
    assert [line["alarm"] for line in read_series(place / "reports" / "watch.jsonl")] == [False, False, True]


def test_a_judge_that_says_nothing_is_no_good_news(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", chats(place / "a.jsonl", 20, RIGHT), "--judge", "watched:mute"]) == 11
    assert "3 not measured, the first: the judge refused" in capsys.readouterr().out


def test_the_end_of_the_money_has_its_own_code_and_is_kept(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = chats(place / "a.jsonl", 20, RIGHT)
    code = main(["watch", log, "--judge", "watched:priced", "--mode", "live", "--budget-usd", "0"])
    assert code == 12, capsys.readouterr()
    (line,) = read_series(place / "reports" / "watch.jsonl")
    assert (line["judged"], line["stopped"]) == (0, "budget")


def test_in_replay_no_provider_is_called_and_nothing_is_kept(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", chats(place / "a.jsonl", 20, RIGHT), "--judge", "watched:priced"]) == 4
    assert "--mode live" in capsys.readouterr().err
    assert not (place / "reports" / "watch.jsonl").exists()


def test_a_dry_look_judges_and_writes_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", chats(place / "a.jsonl", 20, RIGHT), "--judge", "watched:relevant", "--dry"]) == 0
    assert "3 of 20 conversations drawn" in capsys.readouterr().out
    assert not (place / "reports").exists()


@pytest.mark.parametrize(
    ("more", "told", "code"),
    [(["--rate", "0"], "--rate", 4), (["--drop", "-1"], "--drop", 4), (["--judge", "watched:none"], "none", 4)],
)
def test_what_was_typed_wrongly_is_named(
    place: Path, capsys: pytest.CaptureFixture[str], more: list[str], told: str, code: int
) -> None:
    assert main(["watch", chats(place / "a.jsonl", 20, RIGHT), "--judge", "watched:relevant", *more]) == code
    assert told in capsys.readouterr().err


def test_a_log_that_is_not_there_cannot_be_read(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "none.jsonl", "--judge", "watched:relevant"]) == 4
    assert "none.jsonl: cannot be read" in capsys.readouterr().err


def line(judged: int, rate: float, identity: str = "x") -> dict[str, Any]:
    return {"identity": identity, "judged": judged, "pass_rate": rate}


def test_only_the_same_judge_is_compared_and_a_small_move_is_no_alarm() -> None:
    assert not fall([line(100, 1.0, "other")], line(100, 0.1)).fell
    assert not fall([line(100, 0.9)], line(20, 0.8)).fell
    assert fall([line(100, 0.9)], line(100, 0.5)).fell
    assert not fall([line(100, 0.9)], line(100, 0.5), drop=0.5).fell


def test_the_rate_is_weighted_by_the_strata_of_the_log() -> None:
    made = shares(["a"] * 90 + ["b"] * 10, [("a", True, 1.0), ("b", False, 0.0)], sampled=2)
    assert made["pass_rate"] == pytest.approx(0.9)


def test_a_torn_last_line_is_left_out_and_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text(json.dumps(line(3, 1.0)) + '\n{"judged": 3, "ide')
    assert len(read_series(path)) == 1
    path.write_text('{"id": 1}\n{"id": 2}\n')
    with pytest.raises(FormatError, match="--series"):
        read_series(path)
