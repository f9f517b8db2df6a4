"""Our model as the model of a DeepEval metric: through the gateway, counted as a judge's, strict about its replies.

One such model serves one measurement. When that ends, also by an exception in one of several concurrent questions, what
is still in flight is cancelled, so that no call outlives the trial that pays for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache
from typing import Any

from harness.core.contracts import Model
from harness.core.errors import Broken
from harness.evaluators.deepeval_quiet import deepeval
from harness.evaluators.judge.reply import Invalid, Refused, content_of, verdict_of

MAX_AGAIN = 3
"""How often a reply that does not fit the schema is handed back."""
_BACK = 4_000


class NoAnswer(Exception):
    """The model gave nothing that the metric could use. ``kind`` is always ``judge``."""


class Way:
    """The way of one measurement to the model.

    :param model: ours.
    :param options: sampling parameters of every call.
    """

    def __init__(self, model: Model, options: Mapping[str, Any]) -> None:
        self.model = model
        self.options = dict(options)
        self.calls = 0
        """Requests so far, those that handed a reply back included."""
        self.broken: Broken | None = None
        """The first failure on the way to the model; metrics may wrap or swallow it."""
        self.no_answer: NoAnswer | None = None
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def answer(self, prompt: Any, schema: Any = None) -> Any:
        """The model's text, or an instance of ``schema`` (a pydantic model) where the metric wants one."""
        if self._closed:
            raise NoAnswer("the measurement has ended")
        if not isinstance(prompt, str):
            raise self._nothing("the metric asks with images or sound; the judge's model is asked in text only")
        task = asyncio.ensure_future(self._ask(prompt, schema))
        self._running.add(task)
        try:
            return await task
        finally:
            self._running.discard(task)

    async def close(self) -> None:
        """Cancel what is still in flight."""
        self._closed = True
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _ask(self, prompt: str, schema: Any) -> Any:
        history: list[dict[str, Any]] = [{"role": "user", "content": prompt}]
        problem = ""
        for _ in range(MAX_AGAIN + 1):
            self.calls += 1
            try:
                reply = await self.model.complete(history, **self.options)
            except Broken as error:
                self.broken = self.broken or error
                raise
            text = ""
            try:
                text = content_of(reply.body)
                return text if schema is None else _fitting(text, schema)
            except Refused as refusal:
                raise self._nothing(str(refusal)) from None
            except Invalid as invalid:
                problem = str(invalid)
                again = f"Your reply could not be used: {problem}. Reply with the JSON object only."
                history += [
                    {"role": "assistant", "content": text[:_BACK] or "(empty)"},
                    {"role": "user", "content": again},
                ]
        raise self._nothing(f"no usable reply in {MAX_AGAIN + 1}; the last one: {problem}")

    def _nothing(self, why: str) -> NoAnswer:
        made = NoAnswer(why)
        self.no_answer = self.no_answer or made
        return made


def _fitting(text: str, schema: Any) -> Any:
    """The reply as an instance of the metric's pydantic model.

    :raises Invalid: it is none.
    """
    data = verdict_of(text, _ANYTHING)
    try:
        return schema.model_validate(data)
    except ValueError as error:  # pydantic's ValidationError is one
        raise Invalid(" ".join(str(error).split())[:300]) from None


class _NotAnObject(Exception):
    json_path = "$"
    message = "is not one JSON object"


class _Anything:
    def iter_errors(self, value: Any) -> Any:
        """Objects only; what is in them, the metric's own schema says."""
        return iter(() if isinstance(value, dict) else (_NotAnObject(),))


_ANYTHING = _Anything()


@cache
def llm_class() -> Any:
    """Our subclass of DeepEvalBaseLLM, made once DeepEval is there."""
    base = deepeval("deepeval.models.base_model").DeepEvalBaseLLM

    class HarnessLLM(base):  # type: ignore[misc, valid-type]
        """See the module's sentence."""

        def __init__(self, way: Way, name: str) -> None:
            self.way = way
            self.shown = name
            super().__init__(name)

        def load_model(self) -> Any:
            """Nothing to load."""
            return self

        def generate(self, prompt: Any, schema: Any = None, **_: Any) -> Any:
            """Refused: a blocking call would stop every other trial of the run."""
            raise self.way._nothing("the metric asks in blocking mode; only metrics with a_measure can run here")

        async def a_generate(self, prompt: Any, schema: Any = None, **_: Any) -> Any:
            """One question."""
            return await self.way.answer(prompt, schema)

        def get_model_name(self, *_: Any, **__: Any) -> str:
            """As reports show it."""
            return self.shown

    return HarnessLLM
