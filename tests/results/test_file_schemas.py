"""Contracts of the files: a schema of each, a museum of every format that opens for ever, and consumers' examples."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.core.baseline import BASELINE_VERSION, Baseline
from harness.core.errors import UsageError
from harness.guardrails.audit_log.verification import verify
from harness.reporting.to_json import FORMAT_VERSION
from harness.results.file_schemas import FOLDER, NAMES, file_schema
from harness.results.reader import open_run
from harness.results.schema import JOURNAL, MANIFEST, VERSIONS
from harness.sensitivity.attack import VERSION as SENSITIVITY_VERSION
from harness.sensitivity.store import read

MUSEUM = Path(__file__).parent / "museum"
RELEASES = sorted(path for path in MUSEUM.iterdir() if path.is_dir())
RUN = MUSEUM / "0.1.0" / "run"


def entries(path: Path) -> list[Any]:
    text = path.read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else [json.loads(text)]


def kind_of(path: Path) -> str:
    starts = {"trials-": "journal", "manifest": "manifest", "scorecard": "scorecard", "baseline": "baseline",
              "audit": "audit_log", "sensitivity": "sensitivity"}  # fmt: skip
    return next(kind for start, kind in starts.items() if path.name.startswith(start))


FILES = sorted(path for path in MUSEUM.rglob("*.json*") if path.suffix in (".json", ".jsonl"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(MUSEUM)))
def test_a_file_of_the_museum_is_what_its_schema_says(path: Path) -> None:
    validator = jsonschema.Draft202012Validator(file_schema(kind_of(path)))
    wrong = [error.message[:300] for entry in entries(path) for error in validator.iter_errors(entry)]
    assert not wrong


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid_itself_and_closed_to_what_it_does_not_know(name: str) -> None:
    schema = file_schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert not jsonschema.Draft202012Validator(schema).is_valid({"anything": 1})
    assert not jsonschema.Draft202012Validator(schema).is_valid([])


def test_every_schema_that_is_shipped_has_a_name_and_every_name_a_schema() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == {f"{name}.schema.json" for name in NAMES}
    with pytest.raises(UsageError, match="there is case, journal"):
        file_schema("scorecards")


def test_the_museum_has_every_version_that_this_harness_writes() -> None:
    seen = Counter()
    for path in FILES:
        head = entries(path)[0]
        seen[kind_of(path), head.get("version", head.get("format_version", head.get("format")))] += 1
    now = {("journal", VERSIONS[JOURNAL]), ("manifest", VERSIONS[MANIFEST]), ("scorecard", FORMAT_VERSION),
           ("baseline", BASELINE_VERSION), ("sensitivity", SENSITIVITY_VERSION),
           ("audit_log", "harness-audit-1")}  # fmt: skip
    assert now - set(seen) == set(), "put a file of the new version into tests/results/museum/<release>/"


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_a_run_of_every_release_opens(release: Path) -> None:
    run = open_run(release / "run")
    assert Counter(record.outcome for record in run.records) == {"passed": 4, "failed": 2}
    assert run.manifest.planned_trials == 6
    assert all(record.trajectory is not None for record in run.records)
    attacks, notices = read(release / "run")
    assert len(attacks) == 6
    assert not notices


@pytest.mark.parametrize("path", [p for p in FILES if kind_of(p) == "baseline"], ids=lambda path: path.name)
def test_a_baseline_of_every_format_opens(path: Path) -> None:
    baseline = Baseline.from_text(path.read_text("utf-8"))
    assert {name: case.passes for cases in baseline.suites.values() for name, case in cases.items()} == {
        "greets": 2, "number": 2, "wrong": 0,
    }  # fmt: skip


@pytest.mark.parametrize("path", [p for p in FILES if kind_of(p) == "audit_log"], ids=lambda path: path.name)
def test_an_audit_log_of_every_format_can_be_verified(path: Path) -> None:
    found = verify(path)
    assert found.ok, found


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("journal", {"outcome": "maybe"}),
        ("journal", {"cost_usd": 0.1}),
        ("journal", {"surprise": 1}),
        ("manifest", {"format": "other"}),
        ("manifest", {"planned": {}}),
        ("scorecard", {"answer": "perhaps"}),
        ("scorecard", {"cases": [{"suite": "s"}]}),
        ("baseline", {"suites": {"s": {"c": ["hash"]}}}),
        ("baseline", {"version": 3}),
        ("audit_log", {"action": "shrug"}),
        ("sensitivity", {"faults": {"loop": {"fate": "ran away"}}}),
    ],
)
def test_a_schema_refuses_a_file_that_says_something_else(name: str, change: dict[str, Any]) -> None:
    path = next(p for p in FILES if kind_of(p) == name)
    good = entries(path)[-1]
    validator = jsonschema.Draft202012Validator(file_schema(name))
    assert validator.is_valid(good)
    assert not validator.is_valid({**good, **change})


# -- what consumers do, with nothing of the harness: if one of these has to change, so does the format's version -------


def test_a_consumer_counts_passes_from_the_journal() -> None:
    lines = map(json.loads, (RUN / "trials-main.jsonl").read_text("utf-8").splitlines())
    found = (line for line in lines if "format" not in line)
    trials = {(d["suite"], d.get("arm", ""), d["case_id"], d["trial"]): d["outcome"] for d in found}
    assert Counter(trials.values())["passed"] / len(trials) == pytest.approx(4 / 6)


def test_a_consumer_reads_the_verdict_and_a_rate_with_its_interval_from_the_scorecard() -> None:
    card = json.loads((RUN / "scorecard.json").read_text("utf-8"))
    assert card["answer"] in ("pass", "fail", "inconclusive")
    rate = next(row for row in card["rows"] if row["metric"] == "pass_rate" and row["suite"])
    assert rate["low"] < rate["estimate"] < rate["high"]
    assert (rate["n"], rate["of"]) == (6, 6)


def test_a_consumer_reads_the_conversation_of_a_failed_trial() -> None:
    lines = map(json.loads, (RUN / "trials-main.jsonl").read_text("utf-8").splitlines())
    failed = next(d for d in lines if d.get("outcome") == "failed")
    assert failed["trajectory"]["messages"][-1]["role"] == "assistant"
    assert failed["failure"].startswith("exact_match")


def test_a_consumer_reads_the_kill_rate_from_the_scorecard() -> None:
    told = json.loads((RUN / "scorecard.json").read_text("utf-8"))["sensitivity"]
    assert 0 < told["killed"] <= told["judged"]
