"""Judge: a model with a rubric, as an evaluator, and as a function from texts to an opinion.

::

    judge = Judge(model="litellm:anthropic/claude-sonnet-4-5", rubric=Rubric.load("rubrics/helpful.toml"), samples=3)

    @pytest.mark.golden("support_desk", evaluators=[judge])      # in a suite
    opinion = await judge.opinion({"input": ..., "answer": ...})  # in an evaluator of your own

A judge without a valid exam record (``harness calibrate``) is advisory: it measures, and fails nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.core.case import Case, canonical_json
from harness.core.contracts import Model
from harness.core.errors import RecordingMissing, UsageError
from harness.core.exchange import CURRENT, gateway
from harness.core.judges import JudgeRecord, judge_home
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.evaluators.judge.asking import as_judge, ask, described
from harness.evaluators.judge.cache import VerdictCache, shared_cache
from harness.evaluators.judge.opinion import Ballot, Opinion, opinion_of
from harness.evaluators.judge.parts import MAX_PART, CannotShow, parts_of
from harness.evaluators.judge.prompt import messages_for, prompt_identity, system_text
from harness.evaluators.judge.records import load_records
from harness.evaluators.judge.reply import validator_of
from harness.evaluators.judge.rubric import Rubric
from harness.evaluators.judge.scoring import human_label, score_of
from harness.evaluators.outcome import cannot_judge

MAX_SAMPLES = 25


class Judge:
    """See the module's sentence.

    :param model: a chat model, or the spec of one (``litellm:MODEL``, ``openai:MODEL@URL``, ``module:name``).
    :param rubric: what to rate by, of kind ``score`` (for pairs see :class:`PairJudge`).
    :param name: the evaluator's name; default: the rubric's.
    :param samples: how often each case is judged (1 to 25); more than one shows how steady the judge is.
    :param options: sampling parameters; default: temperature 0 for one sample, .7 for several. None takes one out.
    :param seed: goes into the mark of every prompt; another seed asks anew.
    :param token_probabilities: ask the endpoint for ``logprobs``, and use them where it gives them.
    :param max_part: longest text, in characters, that is shown; a longer one is not judged.
    :param records: folder of exam records; default: the session's.
    :param cache: file of verdicts; default: the session's. ``False``: none.
    :raises UsageError: for a number out of range, or a rubric of another kind.
    """

    kind = "score"
    version = "1"

    def __init__(
        self,
        *,
        model: Model | str,
        rubric: Rubric,
        name: str = "",
        samples: int = 1,
        options: Mapping[str, Any] | None = None,
        seed: int = 0,
        token_probabilities: bool = False,
        max_part: int = MAX_PART,
        records: Path | None = None,
        cache: Path | VerdictCache | bool = True,
    ) -> None:
        if rubric.kind != self.kind:
            other = "PairJudge" if rubric.kind == "pairwise" else "Judge"
            raise UsageError(f"rubric {rubric.name!r} is of kind {rubric.kind!r}; give it to {other}")
        if not 1 <= samples <= MAX_SAMPLES:
            raise UsageError(f"judge: samples must be a whole number from 1 to {MAX_SAMPLES}, got {samples!r}")
        self.rubric = rubric
        self.name = name or rubric.name
        self.samples = samples
        self.seed = seed
        self.max_part = max_part
        self.options: dict[str, Any] = {"temperature": 0 if samples == 1 else 0.7}
        if token_probabilities:
            self.options.update(logprobs=True, top_logprobs=5)
        self.options.update(options or {})
        self._given = model
        self._systems: dict[bool, str] = {}
        self._records = records
        self._cache = cache

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, model={self.model_name!r}, identity={self.identity!r})"

    @property
    def model_name(self) -> str:
        """The model as reports show it."""
        return str(described(self._given)["model"])

    @cached_property
    def method(self) -> dict[str, Any]:
        """Everything that could change a verdict, besides what is judged; what :attr:`identity` is the hash of."""
        return {
            **described(self._given),
            "prompt": prompt_identity(self.rubric),
            "rubric": self.rubric.to_json(),
            "sampling": {"samples": self.samples, "seed": self.seed, **self.options},
        }

    @cached_property
    def identity(self) -> str:
        """Hash of model, prompt, rubric and sampling: 32 hexadecimal digits."""
        return hashlib.sha256(canonical_json(self.method).encode("utf-8", "surrogatepass")).hexdigest()[:32]

    @property
    def record(self) -> JudgeRecord | None:
        """The record of this judge's exam, as the project has it now."""
        folder = self._records if self._records is not None else judge_home().records
        return load_records(folder).get(self.identity)

    @cached_property
    def model(self) -> Model:
        """The model; its calls are counted as a judge's."""
        return as_judge(self._given)

    @cached_property
    def _validator(self) -> Any:
        return validator_of(self.rubric)

    async def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """The opinion on a trajectory as a score; see :func:`harness.evaluators.judge.scoring.score_of`."""
        if (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        try:
            parts = parts_of(self.rubric.shows, trajectory, case, max_part=self.max_part)
        except CannotShow as error:
            if error.expected:
                return Score.not_measured(self.name, str(error), expected_nothing=True, version=self.version)
            return Score.not_measured(self.name, str(error), kind="judge", version=self.version)
        context = CURRENT.get()
        opinion = await self.opinion(parts, trial=0 if context is None else context.trial.index)
        return score_of(self, opinion, human=human_label(case, trajectory))

    async def opinion(
        self, parts: Mapping[str, str], *, trial: int = 0, reverse: bool = False, samples: int | None = None
    ) -> Opinion:
        """What the judge makes of these texts.

        :param parts: name to text, shown in this order; the names are yours.
        :param trial: goes into the cache's key, so that every trial is judged for itself.
        :param reverse: criteria and anchors in the opposite order (for exams).
        :param samples: instead of the judge's own number (for exams).
        :raises Broken: what the way to the model raises; a judge that gives no verdict is an opinion without a value.
        """
        wanted = self.samples if samples is None else samples
        asked = await self.ballots(parts, trial=trial, reverse=reverse, samples=wanted)
        found = [one for one in asked if isinstance(one, Ballot)]
        return opinion_of(self.rubric, found, asked=wanted, problems=[one for one in asked if isinstance(one, str)])

    async def ballots(
        self, parts: Mapping[str, str], *, trial: int = 0, reverse: bool = False, samples: int = 1
    ) -> list[Ballot | str]:
        """One verdict per sample, or why it gave none; from the cache where it has them."""
        system = self._system(reverse)
        prompts = [messages_for(system, parts, seed=self.seed, sample=sample, trial=trial) for sample in range(samples)]
        keys = [self._key(messages, trial, sample) for sample, messages in enumerate(prompts)]
        cache = self._verdicts()
        mode = getattr(gateway(), "mode", "")
        local = bool(getattr(self.model, "local", False))
        # A recording must hold every reply, and a replay prefers what was recorded; else the cache comes first.
        known = {} if cache is None or (mode in ("record", "replay") and not local) else _read(cache, keys)

        async def one(sample: int) -> Ballot | str:
            key = keys[sample]
            if key in known:
                return known[key]
            try:
                made = await ask(self.model, self.rubric, self._validator, prompts[sample], self.options)
            except RecordingMissing:
                if cache is None or key not in (late := _read(cache, [key])):
                    raise
                return late[key]
            if isinstance(made, Ballot) and cache is not None:
                cache.put(key, made.to_json())
            return made

        if len(known) == samples:
            return [known[key] for key in keys]
        if samples == 1:
            return [await one(0)]
        results = await asyncio.gather(*map(one, range(samples)), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return [result for result in results if not isinstance(result, BaseException)]

    def _system(self, reverse: bool) -> str:
        """Rules and rubric, the same for every case."""
        if reverse not in self._systems:
            self._systems[reverse] = system_text(self.rubric, reverse=reverse)
        return self._systems[reverse]

    def _key(self, messages: Sequence[Mapping[str, str]], trial: int, sample: int) -> str:
        # The messages hold prompt, rubric and every part that is shown, word for word.
        asked = [self._described, self.options, messages, trial, sample]
        return hashlib.sha256(canonical_json(asked).encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def _described(self) -> dict[str, Any]:
        return described(self._given)

    def _verdicts(self) -> VerdictCache | None:
        if isinstance(self._cache, VerdictCache):
            return self._cache
        if isinstance(self._cache, bool):
            path = judge_home().cache if self._cache else None
            return None if path is None else shared_cache(path)
        return shared_cache(self._cache)


def _read(cache: VerdictCache, keys: Sequence[str]) -> dict[str, Ballot]:
    found = {}
    for key, data in cache.get(keys).items():
        try:
            found[key] = Ballot.from_json(data)
        except TypeError:
            continue
    return found
