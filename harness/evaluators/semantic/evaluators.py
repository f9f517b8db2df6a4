"""Faithfulness, answer relevance, context precision and recall, completeness, tone, task completion.

::

    evaluators = [Faithfulness(model="litellm:openai/gpt-4o"), Completeness()]

With a ``model`` each is a :class:`~harness.evaluators.judge.judge.Judge` with its own rubric, so it has an identity, an
exam (``harness calibrate``) and a cache, and is advisory without a valid record. Without one it follows its offline
rule where there is an honest one; else it is not measured and says what it needs. An offline value fails a trial only
where you said from which value on it passes (``pass_at=``).

A case's context is what the agent says it retrieved (``metadata["context"]`` of the trajectory), else the case's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

from harness.core.case import Case
from harness.core.contracts import Model
from harness.core.errors import ErrorKind, UsageError
from harness.core.exchange import CURRENT
from harness.core.score import Score
from harness.core.shown import shorten
from harness.core.trajectory import Trajectory
from harness.evaluators.deepeval_case import contexts, reference
from harness.evaluators.judge.judge import Judge
from harness.evaluators.judge.opinion import Opinion
from harness.evaluators.judge.rubric import Rubric
from harness.evaluators.judge.scoring import human_label, score_of
from harness.evaluators.outcome import cannot_judge
from harness.evaluators.semantic import rubrics
from harness.evaluators.semantic.offline import average_precision, facts_said, supported

OFFLINE = "offline-1"
"""Version of offline scores; a judge's are never compared with them."""


class Semantic:
    """What the seven share.

    :param model: the judge: one of our models or the spec of one; None: the offline rule.
    :param pass_at: from which value on the work passes; default: the rubric's for a judge, none offline.
    :param more: further parameters of :class:`~harness.evaluators.judge.judge.Judge` (``samples``, ``options``, ...).
    """

    rubric: ClassVar[Rubric]
    needs: ClassVar[str] = ""
    """What an offline answer would need beside a model; empty: there is no offline rule."""

    def __init__(self, *, model: Model | str | None = None, pass_at: float | None = None, **more: Any) -> None:
        if pass_at is not None and not 0 <= pass_at <= 1:
            raise UsageError(f"{type(self).__name__}: pass_at is a share from 0 to 1, got {pass_at!r}")
        self.model = model
        self.pass_at = pass_at
        self._more = more
        self.name = str(more.get("name") or self.rubric.name)

    @cached_property
    def judge(self) -> Judge:
        """The judge behind it; what ``harness calibrate`` examines.

        :raises UsageError: there is no model.
        """
        if self.model is None:
            raise UsageError(f"{type(self).__name__} has no model; give it one: model='litellm:PROVIDER/MODEL'")
        rubric = self.rubric if self.pass_at is None else replace(self.rubric, pass_at=self.pass_at)
        return Judge(model=self.model, rubric=rubric, **self._more)

    async def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """The judge's score, or that of the offline rule."""
        if (broken := cannot_judge(self.name, trajectory)) is not None:
            return broken
        if self.model is not None:
            return await self._judged(trajectory, _with_context(case, trajectory))
        made = self._offline(trajectory, case)
        if isinstance(made, str):
            # A case without facts or marks expects nothing; what no case could satisfy was declared in vain.
            quiet = bool(self.needs)
            kind: ErrorKind | None = None if quiet else "judge"
            return Score.not_measured(self.name, made, kind=kind, expected_nothing=quiet, version=OFFLINE)
        value, reason = made
        passed = None if self.pass_at is None else value >= self.pass_at
        return Score.of(self.name, value, f"{reason} (offline rule)", passed=passed, version=OFFLINE)

    async def _judged(self, trajectory: Trajectory, case: Case) -> Score:
        return await self.judge.evaluate(trajectory, case)

    def _offline(self, trajectory: Trajectory, case: Case) -> tuple[float, str] | str:
        """Value and arithmetic, or why there is none."""
        also = f", or {self.needs}" if self.needs else "; no offline rule could answer this"
        return f"{self.name} needs a judge (model='litellm:PROVIDER/MODEL'){also}"


class Faithfulness(Semantic):
    """Does the answer follow from the context? Offline: the share of its sentences that the context supports."""

    rubric = rubrics.FAITHFULNESS
    needs = "a context"

    def _offline(self, trajectory: Trajectory, case: Case) -> tuple[float, str] | str:
        texts = contexts(trajectory, case)
        if not texts:
            return "faithfulness needs a context: expected.custom['context'] or the trajectory's metadata['context']"
        if trajectory.answer is None:
            return "the agent gave no final answer"
        return _share(*supported(trajectory.answer, texts), "sentences of the answer have support in the context")


class AnswerRelevance(Semantic):
    """Does the answer speak to what was asked? There is no offline rule."""

    rubric = rubrics.ANSWER_RELEVANCE


class ContextPrecision(Semantic):
    """Do useful texts stand before useless ones? Average precision over the ranks, one verdict per text.

    Offline: over the texts that the case marks, ``expected.custom["relevant"]`` (texts, or their numbers from 0).
    """

    rubric = rubrics.CONTEXT_PRECISION
    needs = "expected.custom['relevant'] with the texts that a person found relevant"

    def _offline(self, trajectory: Trajectory, case: Case) -> tuple[float, str] | str:
        marked = case.expected.custom.get("relevant")
        texts = contexts(trajectory, case)
        if not isinstance(marked, (list, tuple)) or not texts:
            return super()._offline(trajectory, case)
        return _ranked([place in marked or text in marked for place, text in enumerate(texts)])

    async def _judged(self, trajectory: Trajectory, case: Case) -> Score:
        texts, wanted = contexts(trajectory, case), reference(case)
        if not texts or wanted is None:
            missing = "context" if not texts else "reference"
            return Score.not_measured(self.name, f"the case has no {missing}", expected_nothing=True)
        context = CURRENT.get()
        trial = 0 if context is None else context.trial.index
        asked = [
            self.judge.opinion({"input": case.text, "reference": wanted, "context": text}, trial=trial)
            for text in texts
        ]
        found = await asyncio.gather(*asked, return_exceptions=True)
        opinions = [one for one in found if isinstance(one, Opinion)]
        for one in found:
            if isinstance(one, BaseException):
                raise one
        return score_of(self.judge, self._together(opinions), human=human_label(case, trajectory))

    def _together(self, opinions: list[Opinion]) -> Opinion:
        asked, cached = sum(one.asked for one in opinions), sum(one.cached for one in opinions)
        lost = next((one for one in opinions if one.value is None), None)
        if lost is not None:
            return replace(lost, asked=asked, cached=cached)
        value, _ = _ranked([bool(one.passes) for one in opinions])
        sure = min(one.confidence or 0.0 for one in opinions)
        ballots = opinions[0].ballots
        passes = value >= self.judge.rubric.pass_at
        return Opinion(value=value, passes=passes, confidence=sure, ballots=ballots, asked=asked, cached=cached)


class ContextRecall(Semantic):
    """Could the reference be written from the context? Offline: the share of its sentences that it supports."""

    rubric = rubrics.CONTEXT_RECALL
    needs = "a context and a reference"

    def _offline(self, trajectory: Trajectory, case: Case) -> tuple[float, str] | str:
        texts, wanted = contexts(trajectory, case), reference(case)
        if not texts or wanted is None:
            return "context_recall needs a context and a reference: expected.custom['context'] and ['reference']"
        return _share(*supported(wanted, texts), "sentences of the reference have support in the context")


class Completeness(Semantic):
    """Does the answer say what the reference says? Offline: the share of ``expected.custom["facts"]`` that it says."""

    rubric = rubrics.COMPLETENESS
    needs = "expected.custom['facts'], a list of facts, each a text or a list of accepted wordings"

    def _offline(self, trajectory: Trajectory, case: Case) -> tuple[float, str] | str:
        if trajectory.answer is None:
            return "the agent gave no final answer"
        found = facts_said(trajectory.answer, case.expected.custom.get("facts"))
        return super()._offline(trajectory, case) if found is None else _share(*found, "facts are said")


class Tone(Semantic):
    """Does the answer keep a tone? There is no offline rule.

    :param wanted: the tone in words.
    """

    rubric = rubrics.tone("")

    def __init__(self, wanted: str, **more: Any) -> None:
        if not wanted.strip():
            raise UsageError("Tone needs the tone in words, such as Tone('friendly, brief, no slang')")
        super().__init__(**more)
        self.rubric = rubrics.tone(wanted)  # type: ignore[misc]


class TaskCompletion(Semantic):
    """Has the agent done what the user set? Offline: whether the world ended in the case's ``expected.state``."""

    rubric = rubrics.TASK_COMPLETION
    needs = "expected.state with the end state of the agent's world"

    def _offline(self, trajectory: Trajectory, case: Case) -> tuple[float, str] | str:
        if case.expected.state is None:
            return super()._offline(trajectory, case)
        from harness.evaluators.end_state import EndState

        made = EndState().evaluate(trajectory, case)
        return made.reason if made.value is None else (made.value, made.reason)


def _share(yes: list[str], no: list[str], what: str) -> tuple[float, str] | str:
    if not yes and not no:
        return "there is no sentence to judge"
    beside = f"; not: {shorten(no[0], 160)}" if no else ""
    return len(yes) / (len(yes) + len(no)), f"{len(yes)} of {len(yes) + len(no)} {what}{beside}"


def _ranked(relevant: list[bool]) -> tuple[float, str]:
    value = average_precision(relevant)
    if value is None:
        return 0.0, f"none of {len(relevant)} texts is relevant"
    return value, f"average precision over {sum(relevant)} relevant of {len(relevant)} texts"


def _with_context(case: Case, trajectory: Trajectory) -> Case:
    """The case with the context that the answer rests on, where the judge looks for it."""
    texts = contexts(trajectory, case)
    if not texts:
        return case
    custom: Mapping[str, Any] = {**case.expected.custom, "context": texts}
    return replace(case, expected=replace(case.expected, custom=custom))
