"""DeepEval metrics as evaluators: the real DeepEval, the local model server over HTTP."""

from __future__ import annotations

import asyncio
import math
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("deepeval", reason='needs DeepEval: pip install "harness[deepeval]"')

from fixtures.judges import broken_json, rag, refusing
from harness import load_dataset
from harness.core.case import Case, Dataset, Expectation
from harness.core.errors import BudgetExhausted, UsageError
from harness.core.exchange import CURRENT, Reply, TrialContext
from harness.core.judges import JudgeRecord
from harness.core.record import Trial
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.evaluators import deepeval_metric
from harness.evaluators.judge.exam import examine
from harness.evaluators.judge.records import write_record

ROOT = Path(__file__).resolve().parents[2]
CONTEXT = ["Parcels ship within 3 days. Delivery is free above 50 euros.", "The office opens at 9."]


def case(**custom: Any) -> Case:
    given = {"context": CONTEXT, "reference": "Parcels ship within 3 days.", **custom}
    return Case(id="ship", input="How long do parcels take to ship?", expected=Expectation(custom=given))


def judged(metric: Any, answer: str, about: Case | None = None) -> Score:
    about = case() if about is None else about
    made: Score = asyncio.run(metric.evaluate(Trajectory.from_answer(answer, user=about.text), about))
    return made


def verdict(score: Score) -> Any:
    return score.evidence["judge"]["passes"]


class Scripted:
    """A model that answers by a function."""

    name = model = "scripted"
    purpose = "judge"

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.ended = 0
        self.started = 0

    async def complete(
        self, messages: Sequence[Mapping[str, Any]], *, tools: Sequence[Mapping[str, Any]] = (), **options: Any
    ) -> Reply:
        self.started += 1
        text = self.answer(str(messages[0]["content"]))
        if asyncio.iscoroutine(text):
            text = await text
        self.ended += 1
        return Reply(body={"choices": [{"message": {"role": "assistant", "content": text}}]})


def test_a_false_number_makes_an_answer_unfaithful_and_the_true_one_does_not() -> None:
    metric = deepeval_metric("FaithfulnessMetric", threshold=0.7, model=rag)
    right, wrong = judged(metric, "Parcels ship within 3 days."), judged(metric, "Parcels ship within 8 days.")
    assert (right.value, verdict(right)) == (1.0, True)
    assert (wrong.value, verdict(wrong)) == (0.0, False)


def test_the_class_and_its_name_are_the_same_metric() -> None:
    from deepeval.metrics import FaithfulnessMetric

    by_class = deepeval_metric(FaithfulnessMetric, threshold=0.7, model=rag)
    assert by_class.identity == deepeval_metric("FaithfulnessMetric", threshold=0.7, model=rag).identity
    assert by_class.identity != deepeval_metric("FaithfulnessMetric", threshold=0.8, model=rag).identity


def test_without_an_exam_a_metric_is_advisory_and_with_one_it_decides(tmp_path: Path) -> None:
    metric = deepeval_metric("FaithfulnessMetric", threshold=0.7, model=rag, records=tmp_path)
    assert judged(metric, "Parcels ship within 8 days.").passed is None
    write_record(tmp_path, JudgeRecord(identity=metric.identity, judge=metric.name, caught=30, cleared=30, rows=60))
    assert judged(metric, "Parcels ship within 8 days.").passed is False


def test_a_metric_takes_the_exam_of_every_judge_and_may_then_gate() -> None:
    metric = deepeval_metric("FaithfulnessMetric", threshold=0.99, include_reason=False, model=rag)
    rows = []
    for row in load_dataset(ROOT / "golden_datasets" / "rag_quality").cases:
        custom = row.expected.custom
        label = {**custom, "human": custom["labels"]["faithfulness"]}
        rows.append(replace(row, expected=Expectation(custom=label)))
    record = asyncio.run(examine(metric, Dataset(name="faithful", cases=tuple(rows)), probes=False))  # type: ignore[arg-type]
    assert (record.rows, record.caught, record.cleared) == (80, 64, 16)
    assert record.identity == metric.identity
    assert record.valid, record.problems


def test_a_metric_without_a_model_is_a_rule_and_decides() -> None:
    metric = deepeval_metric("ExactMatchMetric")
    assert judged(metric, "Parcels ship within 3 days.").passed is True
    assert judged(metric, "Soon.").passed is False


@pytest.mark.parametrize(("model", "told"), [(refusing, "refused"), (broken_json, "no usable reply in 4")])
def test_a_refusal_and_a_broken_reply_are_not_measured(model: Any, told: str) -> None:
    score = judged(deepeval_metric("FaithfulnessMetric", model=model), "Parcels ship within 3 days.")
    assert (score.value, score.passed, score.error_kind) == (None, None, "judge")
    assert told in score.reason


def test_a_mistaken_reply_is_handed_back_and_its_correction_counts() -> None:
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return "I think so" if len(asked) == 1 else '{"statements": []}'

    score = judged(deepeval_metric("AnswerRelevancyMetric", include_reason=False, model=Scripted(answer)), "Hello.")
    assert score.measured
    assert len(asked) == 2


def test_nan_is_not_measured() -> None:
    from deepeval.metrics import BaseMetric

    class Strange(BaseMetric):  # type: ignore[misc]
        def __init__(self, threshold: float = 0.5) -> None:
            self.threshold = threshold

        def measure(self, test_case: Any, *args: Any, **kwargs: Any) -> float:
            raise NotImplementedError

        async def a_measure(self, test_case: Any, *args: Any, **kwargs: Any) -> float:
            self.score = math.nan
            return self.score

        def is_successful(self) -> bool:
            return True

    score = judged(deepeval_metric(Strange), "Hello.")
    assert score.value is None
    assert score.passed is None
    assert "nan" in score.reason


def test_an_exception_in_one_metric_leaves_the_others_measured() -> None:
    broken = deepeval_metric("FaithfulnessMetric", model=Scripted(lambda prompt: 1 / 0))
    good = deepeval_metric("FaithfulnessMetric", model=rag)

    async def both() -> list[Score]:
        trajectory = Trajectory.from_answer("Parcels ship within 3 days.")
        return await asyncio.gather(broken.evaluate(trajectory, case()), good.evaluate(trajectory, case()))

    bad, fine = asyncio.run(both())
    assert bad.value is None
    assert "ZeroDivisionError" in bad.reason
    assert fine.value == 1.0


def test_the_end_of_the_money_passes_through_as_what_it_is() -> None:
    def answer(prompt: str) -> str:
        raise BudgetExhausted("no money left")

    with pytest.raises(BudgetExhausted):
        judged(deepeval_metric("FaithfulnessMetric", model=Scripted(answer)), "Hello there.")


def test_no_call_outlives_a_measurement_that_failed() -> None:
    async def slow() -> str:
        await asyncio.sleep(30)
        return "{}"

    def answer(prompt: str) -> Any:
        return slow() if '"truths"' in prompt else 1 / 0

    model = Scripted(answer)

    async def measure() -> int:
        metric = deepeval_metric("FaithfulnessMetric", model=model)
        await metric.evaluate(Trajectory.from_answer("Hello."), case())
        return len([task for task in asyncio.all_tasks() if task is not asyncio.current_task()])

    assert asyncio.run(measure()) == 0
    assert model.started == 2
    assert model.ended == 0


def test_what_the_case_lacks_is_said_and_nothing_is_asked() -> None:
    model = Scripted(lambda prompt: "{}")
    bare = Case(id="bare", input="How long?")
    score = judged(deepeval_metric("FaithfulnessMetric", model=model), "Soon.", bare)
    assert score.expected_nothing
    assert "context" in score.reason
    assert model.started == 0


def test_a_metric_without_a_judge_says_what_to_type() -> None:
    score = judged(deepeval_metric("FaithfulnessMetric"), "Soon.")
    assert not score.expected_nothing
    assert "model='litellm:" in score.reason


def test_an_instance_is_refused_because_trials_would_share_it() -> None:
    from deepeval.metrics import ExactMatchMetric

    with pytest.raises(UsageError, match="mix trials"):
        deepeval_metric(ExactMatchMetric())


def test_a_hundred_trials_at_once_keep_their_own_scores() -> None:
    metric = deepeval_metric("FaithfulnessMetric", include_reason=False, model=rag)

    async def many() -> list[Score]:
        answers = [f"Parcels ship within {3 if place % 2 else 8} days." for place in range(40)]
        return await asyncio.gather(*[metric.evaluate(Trajectory.from_answer(a), case()) for a in answers])

    assert [score.value for score in asyncio.run(many())] == [0.0, 1.0] * 20


def test_its_calls_are_counted_as_a_judges() -> None:
    class Counting:
        def __init__(self) -> None:
            self.purposes: list[str] = []

        async def call(self, exchange: Any, send: Any) -> Reply:
            self.purposes.append(exchange.purpose)
            reply: Reply = await send()
            return reply

    way = Counting()

    async def measure() -> Score:
        about = case()
        token = CURRENT.set(TrialContext(case=about, trial=Trial(index=0, seed=0), gateway=way))
        try:
            metric = deepeval_metric("FaithfulnessMetric", include_reason=False, model=rag)
            return await metric.evaluate(Trajectory.from_answer("Parcels ship within 3 days."), about)
        finally:
            CURRENT.reset(token)

    assert asyncio.run(measure()).value == 1.0
    assert way.purposes == ["judge"] * 3


def test_it_is_imported_on_use_without_telemetry_dotenv_and_traffic(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FROM_DOTENV=1\n")
    program = """
import asyncio, os, socket, sys
from harness.evaluators import deepeval_metric
metric = deepeval_metric("ExactMatchMetric")
assert "deepeval" not in sys.modules
sent = []
real = socket.socket.connect
def connect(self, address):
    sent.append(address)
    return real(self, address)
socket.socket.connect = connect
from harness import load_dataset
from harness.core.case import Case, Dataset, Expectation
from harness.core.trajectory import Trajectory
case = Case(id="a", input="?", expected=Expectation(answer="yes"))
score = asyncio.run(metric.evaluate(Trajectory.from_answer("yes"), case))
from deepeval.telemetry.client import telemetry_opt_out
assert score.passed is True and telemetry_opt_out() and "FROM_DOTENV" not in os.environ and not sent, sent
"""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("DEEPEVAL", "CONFIDENT"))}
    environment = {**kept, "PYTHONPATH": str(ROOT), "DEEPEVAL_TELEMETRY_OPT_OUT": "0"}
    made = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr[-2000:]
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


WITHOUT = "import sys; sys.modules['deepeval'] = None\n"
"""As on a machine without DeepEval."""


def test_without_deepeval_a_metric_is_not_measured_and_says_how_to_install_it(tmp_path: Path) -> None:
    program = """
import asyncio
from harness.core.case import Case
from harness.core.trajectory import Trajectory
from harness.evaluators import deepeval_metric
score = asyncio.run(deepeval_metric("ExactMatchMetric").evaluate(Trajectory.from_answer("a"), Case(id="a", input="?")))
assert score.value is None and not score.expected_nothing
print(score.reason)
"""
    made = python(WITHOUT + program, tmp_path)
    assert made.returncode == 0, made.stderr[-2000:]
    assert made.stdout.strip().endswith('pip install "harness[deepeval]"')


def test_without_deepeval_the_suite_is_skipped_and_says_how_to_install_it(tmp_path: Path) -> None:
    (tmp_path / "hidden.py").write_text("import sys\ndef pytest_configure(): sys.modules['deepeval'] = None\n")
    arguments = ["-p", "hidden", "-p", "no:cacheprovider", "-q", "-k", "parcel", f"--harness-runs={tmp_path / 'runs'}"]
    made = python(f"import pytest, sys; sys.exit(pytest.main(['suites/quality', *{arguments!r}]))", ROOT, tmp_path)
    assert 'pip install "harness[deepeval]"' in made.stdout, made.stdout[-2000:] + made.stderr[-2000:]
    assert "5 skipped" in made.stdout


def python(program: str, folder: Path, *more: Path) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HARNESS_", "PYTEST_"))}
    environment = {**kept, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *more)))}
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
