"""Any DeepEval metric as an evaluator, with one of our models as its judge.

::

    from harness.evaluators import deepeval_metric

    faithful = deepeval_metric("FaithfulnessMetric", threshold=0.7, model="litellm:openai/gpt-4o")
    complete = deepeval_metric(
        "GEval", name="completeness", criteria="Every fact of the expected output is said.",
        evaluation_params=["actual_output", "expected_output"], model="litellm:openai/gpt-4o",
    )

    @pytest.mark.golden("rag_quality", evaluators=[faithful, complete])

- A metric object is made for each trial, and measures on the running loop (``a_measure``); none shares state.
- Its questions go through the gateway of the trial: replay, money cap, limits and cost are those of every judge.
- NaN, an exception, a reply that does not fit and a refusal are *not measured*; other evaluators go on.
- A metric that asks a model is a judge: without a valid exam record (``harness calibrate``) it is advisory.
- DeepEval puts the judged text into its prompts without delimiters; for hostile text prefer our own judges.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness.core.case import Case, canonical_json
from harness.core.contracts import Model
from harness.core.errors import Broken, UsageError
from harness.core.judges import JudgeRecord, judge_home
from harness.core.score import Score
from harness.core.shown import shorten
from harness.core.trajectory import Trajectory
from harness.evaluators.deepeval_case import OUR_NAMES, conversation, from_parts, single_turn
from harness.evaluators.deepeval_model import Way, llm_class
from harness.evaluators.deepeval_quiet import INSTALL, DeepEvalMissing, deepeval
from harness.evaluators.deepeval_reading import needs, nothing, plain, read, silent
from harness.evaluators.judge.asking import as_judge, described
from harness.evaluators.judge.opinion import Opinion
from harness.evaluators.judge.records import load_records
from harness.evaluators.judge.rubric import Criterion, Rubric
from harness.evaluators.judge.scoring import human_label, score_of
from harness.evaluators.outcome import cannot_judge


class DeepEvalMetric:
    """See the module's sentence; made by :func:`deepeval_metric`."""

    version = "1"

    def __init__(
        self,
        metric: Any,
        *,
        model: Model | str | None,
        label: str,
        options: Mapping[str, Any] | None,
        records: Path | None,
        arguments: Mapping[str, Any],
    ) -> None:
        self._metric = metric
        self._given = model
        self._records = records
        self.arguments = dict(arguments)
        self.options = {"temperature": 0, **(options or {})}
        self.metric_name = metric if isinstance(metric, str) else str(getattr(metric, "__name__", metric))
        self.name = label or plain(str(self.arguments.get("name") or self.metric_name))

    def __repr__(self) -> str:
        return f"deepeval_metric({self.metric_name!r}, name={self.name!r}, model={self.model_name!r})"

    @property
    def model_name(self) -> str:
        """The model as reports show it."""
        return str(self._described["model"])

    @cached_property
    def _described(self) -> dict[str, Any]:
        return {"model": "", "endpoint": ""} if self._given is None else described(self._given)

    @cached_property
    def method(self) -> dict[str, Any]:
        """Everything that could change a verdict; what :attr:`identity` is the hash of."""
        try:
            release = version("deepeval")
        except PackageNotFoundError:
            release = "not installed"
        return {
            **self._described,
            "metric": self.metric_name,
            "deepeval": release,
            "arguments": {
                key: str(value) if isinstance(value, type) else value for key, value in self.arguments.items()
            },
            "sampling": self.options,
        }

    @cached_property
    def identity(self) -> str:
        """Hash of model, metric, its arguments, DeepEval's release and sampling: 32 hexadecimal digits."""
        return hashlib.sha256(canonical_json(self.method).encode("utf-8", "surrogatepass")).hexdigest()[:32]

    @property
    def record(self) -> JudgeRecord | None:
        """The record of this metric's exam, as the project has it now."""
        folder = self._records if self._records is not None else judge_home().records
        return None if folder is None else load_records(folder).get(self.identity)

    @cached_property
    def rubric(self) -> Rubric:
        """The metric as far as an exam has to know it: its name, what it is shown, from where on it passes."""
        metric = self._made(None)
        shows = dict.fromkeys(OUR_NAMES[item] for item in needs(metric) if item in OUR_NAMES)
        threshold = getattr(metric, "threshold", None)
        return Rubric(
            name=self.name,
            criteria=(Criterion(name="score", question=f"DeepEval's {self.metric_name}."),),
            shows=tuple(shows) or ("input", "answer"),
            pass_at=min(1.0, max(0.0, float(0.5 if threshold is None else threshold))),
        )

    @cached_property
    def asks_a_model(self) -> bool:
        """Whether the metric takes a model; one that does not is a rule, and decides."""
        return "model" in inspect.signature(self._class.__init__).parameters

    @cached_property
    def _class(self) -> Any:
        if not isinstance(self._metric, str):
            return self._metric
        module = deepeval("deepeval.metrics")
        found = getattr(module, self._metric, None)
        if not isinstance(found, type):
            known = [name for name in dir(module) if name.endswith("Metric") and not name.startswith("Base")]
            raise UsageError(f"DeepEval has no metric {self._metric!r}; it has {', '.join([*known, 'GEval'])}")
        return found

    async def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """The metric's score, in DeepEval's own unit (0 worst, 1 best)."""
        if (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        try:
            many = issubclass(self._class, deepeval("deepeval.metrics.base_metric").BaseConversationalMetric)
            made = conversation(trajectory, case) if many else single_turn(trajectory, case)
            rule = not self.asks_a_model
            opinion = await self._opinion(made)
        except DeepEvalMissing as missing:
            return Score.not_measured(self.name, str(missing), kind="harness", version=self.version)
        except _Absent as absent:
            return Score.not_measured(self.name, str(absent), expected_nothing=True, version=self.version)
        if not rule:
            return score_of(self, opinion, human=human_label(case, trajectory))
        if opinion.value is None:
            return Score.not_measured(self.name, opinion.why, kind="harness", version=self.version)
        return Score.of(
            self.name,
            opinion.value,
            shorten(opinion.reason, 600) or f"{opinion.value:.3g} of 1, passes from {self.rubric.pass_at:g} on",
            passed=opinion.passes,
            version=self.version,
        )

    async def opinion(
        self, parts: Mapping[str, str], *, trial: int = 0, reverse: bool = False, samples: int | None = None
    ) -> Opinion:
        """What the metric makes of these texts (``input``, ``answer``, ``reference``, ``context``), for exams.

        :param trial: has no part in DeepEval's prompts.
        :param reverse: the contexts in the opposite order.
        :param samples: one is taken.
        :raises Broken: what the way to the model raises.
        """
        given = dict(parts)
        if reverse and "context" in given:
            given["context"] = "\n\n".join(reversed(given["context"].split("\n\n")))
        return await self._opinion(from_parts(given))

    async def _opinion(self, test_case: Any) -> Opinion:
        if self._given is None and self.asks_a_model:
            return nothing(
                f"{self.metric_name} asks a model and none was named; "
                f"write deepeval_metric({self.metric_name!r}, model='litellm:PROVIDER/MODEL')"
            )
        way = None if self._given is None or not self.asks_a_model else Way(as_judge(self._given), self.options)
        metric = self._made(way)
        absent = [
            OUR_NAMES.get(name, name)
            for name in needs(metric)
            if hasattr(test_case, name) and getattr(test_case, name) is None
        ]
        if absent:
            raise _Absent(f"{self.metric_name} needs {', '.join(absent)}; the case and the run have none")
        try:
            await metric.a_measure(test_case, **silent(type(metric)))
        except Exception as error:
            if way is not None and way.broken is not None:
                raise way.broken from error
            if isinstance(error, Broken):
                raise
            told: BaseException = error if way is None or way.no_answer is None else way.no_answer
            return nothing(f"{self.metric_name}: {type(told).__name__}: {shorten(str(told), 400)}")
        finally:
            if way is not None:
                await way.close()
        if way is not None and (way.no_answer or way.broken):
            if way.broken is not None:
                raise way.broken
            return nothing(f"{self.metric_name}: {shorten(str(way.no_answer), 400)}")
        return read(metric, self.metric_name)

    def _made(self, way: Way | None) -> Any:
        """A fresh metric, as it keeps what it measured."""
        arguments = dict(self.arguments)
        if "evaluation_params" in arguments:
            words = deepeval("deepeval.test_case").SingleTurnParams
            arguments["evaluation_params"] = [
                words(item) if isinstance(item, str) else item for item in arguments["evaluation_params"]
            ]
        if self.asks_a_model:
            arguments["model"] = llm_class()(Way(_Nobody(), {}) if way is None else way, self.model_name or "none")
        for name, value in (("async_mode", True), ("verbose_mode", False)):
            if name in inspect.signature(self._class.__init__).parameters:
                arguments.setdefault(name, value)
        try:
            return self._class(**arguments)
        except TypeError as error:
            raise UsageError(f"deepeval_metric({self.metric_name!r}): {error}") from error


def deepeval_metric(
    metric: Any,
    *,
    model: Model | str | None = None,
    label: str = "",
    options: Mapping[str, Any] | None = None,
    records: Path | None = None,
    **arguments: Any,
) -> DeepEvalMetric:
    """A DeepEval metric as an evaluator.

    :param metric: the metric's class, or its name in ``deepeval.metrics``; by name, DeepEval is imported on use.
    :param model: the judge: one of our models or the spec of one. A metric without a model is not measured.
    :param label: the evaluator's name; default: ``deepeval_`` and the metric's.
    :param options: sampling parameters; default: temperature 0.
    :param records: folder of exam records; default: the session's.
    :param arguments: the metric's own (``threshold``, ``include_reason``, ...).
    :raises UsageError: for an instance of a metric, which would mix the trials that run at the same time.
    """
    if not isinstance(metric, (str, type)):
        raise UsageError(
            f"deepeval_metric takes the class or the name of a metric, got an instance of {type(metric).__name__}: "
            f"it would mix trials. Write deepeval_metric({type(metric).__name__!r}, threshold=...) ({INSTALL})"
        )
    for name in ("async_mode", "system_one_model", "eval_mode"):
        if name in arguments:
            raise UsageError(
                f"deepeval_metric: {name} is not taken; metrics run on our loop with model= as their judge"
            )
    return DeepEvalMetric(metric, model=model, label=label, options=options, records=records, arguments=arguments)


class _Absent(Exception):
    """The case has nothing for this metric."""


class _Nobody:
    name = "none"

    async def complete(self, messages: Any, *, tools: Any = (), **options: Any) -> Any:
        raise UsageError("no model was named")
