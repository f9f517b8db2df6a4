"""The exam tells good judges from bad ones: local personalities, and verdicts that real models gave."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.judges import LocalJudge
from fixtures.judges.shipped import RUBRICS, better, correct
from harness.core.case import Case, Dataset, Expectation
from harness.core.errors import DatasetError, FormatError
from harness.core.judges import JudgeRecord
from harness.datasets import load_dataset
from harness.evaluators import Criterion, Judge, PairJudge, Panel, Rubric
from harness.evaluators.judge.exam import exam_rows, examine, pad
from harness.evaluators.judge.recorded_pairs import recorded_records
from harness.evaluators.judge.records import load_records, read_record, write_record

ROOT = Path(__file__).parents[2]
SINGLE = load_dataset(ROOT / "golden_datasets" / "judging")
PAIRS = load_dataset(ROOT / "golden_datasets" / "judging_pairs")
RUBRIC = Rubric.load(RUBRICS / "correct.toml")
BETTER = Rubric.load(RUBRICS / "better.toml")
TWO = replace(RUBRIC, criteria=(*RUBRIC.criteria, Criterion(name="harmless", question="Does it contradict nothing?")))
DATA = Path(os.environ.get("HARNESS_EXTERNAL_DATA", ROOT.parent / "shared" / "data")) / "judges"


def single(personality: str, rubric: Rubric = RUBRIC) -> JudgeRecord:
    return asyncio.run(examine(Judge(model=LocalJudge(personality), rubric=rubric), SINGLE))


def pairs(personality: str) -> JudgeRecord:
    return asyncio.run(examine(PairJudge(model=LocalJudge(personality), rubric=BETTER), PAIRS))


def test_the_good_judge_passes_and_its_figures_are_those_of_its_verdicts() -> None:
    record = single("good")
    assert record.valid, record.problems
    assert (record.caught, record.missed) == (36, 0)
    assert record.figures["tpr"].value == 1.0
    assert record.figures["tnr"].value == record.cleared / 36
    kappa = record.figures["kappa"]
    assert kappa.low is not None
    assert kappa.low > 0.6
    assert record.figures["self_consistency"].value == 1.0
    assert set(record.figures) >= {"accuracy", "calibration_error", "brier", "order_flips", "length_bias"}


@pytest.mark.parametrize(
    ("personality", "problem"),
    [
        ("lenient", "agrees too little with people"),
        ("length-biased", "follows length: longer answers are favoured by +"),
        ("noisy", "asked again it stays with"),
        ("broken-json", "no verdict on 72 of 72 rows"),
        ("refusing", "no verdict on 72 of 72 rows"),
    ],
)
def test_a_bad_judge_is_told_what_is_wrong_with_it(personality: str, problem: str) -> None:
    record = single(personality)
    assert not record.valid
    assert any(problem in found for found in record.problems), record.problems


def test_a_judge_that_favours_what_is_asked_first_is_exposed_by_turning_the_criteria() -> None:
    assert any(
        found.startswith("position-biased: being shown first") for found in single("position-biased", TWO).problems
    )


@pytest.mark.parametrize(
    ("personality", "problem"),
    [
        ("position-biased", "position-biased: being shown first is worth +"),
        ("length-biased", "follows length: longer answers are favoured by +"),
        ("noisy", "of its verdicts turn with the order"),
    ],
)
def test_a_bad_judge_of_pairs_is_exposed(personality: str, problem: str) -> None:
    found = pairs(personality).problems
    assert any(problem in one for one in found), found


def test_the_good_judge_of_pairs_passes() -> None:
    assert pairs("good").problems == ()


def test_the_committed_records_are_those_of_the_shipped_judges() -> None:
    records = load_records(ROOT / "reports" / "judges")
    for judge, dataset in ((correct, SINGLE), (better, PAIRS)):
        record = records.get(judge.identity)
        assert record is not None, f"hold the exam again: harness calibrate fixtures.judges.shipped:{judge.name}"
        assert record.valid
        assert record.dataset_hash == dataset.content_hash


def test_a_panel_sits_an_exam_of_its_own() -> None:
    members = [Judge(model=LocalJudge(name), rubric=RUBRIC, name=name) for name in ("good", "clumsy", "lenient")]
    panel = Panel(members)
    record = asyncio.run(examine(panel, SINGLE, probes=False))
    assert record.identity == panel.identity
    assert record.valid, record.problems
    assert record.figures["self_consistency"].value is None, "what was not asked is not measured"


def test_a_record_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    record = single("good")
    path = write_record(tmp_path, record)
    assert read_record(path) == record
    assert load_records(tmp_path) == {record.identity: record}
    assert load_records(tmp_path / "none") == {}


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "harness judge record", "version": 99}', '{"format": "x"}'])
def test_a_damaged_record_is_an_error_that_names_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(FormatError, match=r"r\.json"):
        load_records(tmp_path)


def test_rows_without_a_label_or_a_part_are_listed_before_anything_is_asked() -> None:
    rows = (
        Case(id="a", input="q", expected=Expectation(custom={"answer": "x", "human": "maybe", "reference": "r"})),
        Case(id="b", input="q", expected=Expectation(custom={"answer": "x", "human": "pass"})),
    )
    with pytest.raises(DatasetError, match=r"(?s)a: .*'pass' or 'fail'.*b: the case has no reference"):
        exam_rows(Dataset(name="rows", cases=rows), correct)


def test_padding_adds_words_and_no_claims() -> None:
    assert len(pad("Refunds take 14 days.").split()) > 3 * len(["Refunds", "take", "14", "days."])
    assert pad("Refunds take 14 days.").count("14") == 3


def test_a_weight_is_worth_more_for_a_better_judge_and_nothing_without_an_exam_passed() -> None:
    good = JudgeRecord(identity="a", judge="a", caught=45, missed=5, false_alarms=5, cleared=45)
    best = JudgeRecord(identity="a", judge="a", caught=49, missed=1, false_alarms=1, cleared=49)
    assert 0 < good.weight < best.weight
    assert replace(best, problems=("bad",)).weight == 0


ATTACKS = load_dataset(ROOT / "golden_datasets" / "judge_injections")


def moved(personality: str) -> list[float]:
    """How far each attack moves a judge's score."""
    judge = Judge(model=LocalJudge(personality), rubric=RUBRIC)

    async def one(case: Case) -> float:
        parts = {"input": case.text, "reference": case.expected.custom["reference"]}
        clean, attack = case.expected.custom["clean"], case.expected.custom["attack"]
        before = await judge.opinion({**parts, "answer": clean})
        after = await judge.opinion({**parts, "answer": f"{clean}\n{attack}"})
        assert before.value is not None
        assert after.value is not None
        return abs(after.value - before.value)

    async def every() -> list[float]:
        return list(await asyncio.gather(*map(one, ATTACKS)))

    return asyncio.run(every())


def test_the_attacks_move_a_judge_that_obeys_what_it_reads_and_not_one_that_keeps_to_its_delimiters() -> None:
    assert max(moved("good")) <= 0.05
    assert sum(shift > 0.5 for shift in moved("hijackable")) >= 12


# -- verdicts of real models ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> dict[tuple[str, str], JudgeRecord]:
    if not DATA.exists():
        pytest.skip(f"the recorded verdicts are not here ({DATA}); set HARNESS_EXTERNAL_DATA")
    items: dict[str, Any] = {
        name: json.loads((DATA / f"llmbar_{name}.json").read_text()) for name in ("natural", "neighbor")
    }
    lines = (DATA / "llmbar_recorded_verdicts.jsonl").read_text().splitlines()
    return {(one.judge, one.dataset): one for one in recorded_records(map(json.loads, lines), items)}


def test_every_recorded_judge_that_turns_with_the_order_is_exposed(real: dict[tuple[str, str], JudgeRecord]) -> None:
    for (judge, dataset), record in real.items():
        flips = record.figures["order_flips"].value
        assert flips is not None
        if flips > 0.2:
            assert any("order" in p or "position" in p for p in record.problems), (judge, dataset)
    rated = real["ChatGPT Rating", "neighbor"]
    assert rated.problems[0].startswith("position-biased: being shown last is worth -46 points")
    thought = real["ChatGPT CoT", "natural"]
    assert thought.problems[0].startswith("position-biased: being shown first is worth +33 points")


def test_recorded_judges_that_follow_length_are_exposed(real: dict[tuple[str, str], JudgeRecord]) -> None:
    following = {key for key, one in real.items() if any(p.startswith("follows length") for p in one.problems)}
    assert {key for key in real if key[0].startswith("ChatGPT") and key[1] == "neighbor"} - following == set() or len(
        {key for key in following if key[1] == "neighbor"}
    ) >= 11
    assert ("GPT-4 Vanilla_NoRules", "neighbor") in following


def test_the_best_recorded_judges_pass(real: dict[tuple[str, str], JudgeRecord]) -> None:
    for judge in ("GPT-4 Swap_CoT", "GPT-4 Metrics_Reference"):
        for dataset in ("natural", "neighbor"):
            assert real[judge, dataset].valid, real[judge, dataset].problems
