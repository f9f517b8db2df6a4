"""DeepEval's faithfulness metric through our adapter, beside the same metric with the same client called by hand."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.figures import Figure, Result
from fixtures.model_server import ProcessModelServer

CASES = 150
ROUNDS = 5
WINDOW = 20
LATENCY_S = 0.2
CONTEXT = ["Parcels ship within 3 days. Delivery is free above 50 euros.", "The office opens at 9."]
ANSWER = "Parcels ship within 3 days."
ASKED = "How long do parcels take to ship?"


def by_hand(model: Any) -> Callable[[], Awaitable[float]]:
    """One measurement the way DeepEval's own documentation writes it: a custom model that parses into the schema."""
    from deepeval.metrics import FaithfulnessMetric
    from deepeval.models.base_model import DeepEvalBaseLLM
    from deepeval.test_case import LLMTestCase

    class Plain(DeepEvalBaseLLM):  # type: ignore[misc]
        def load_model(self) -> Any:
            return self

        def generate(self, prompt: str, schema: Any = None) -> Any:
            raise NotImplementedError

        async def a_generate(self, prompt: str, schema: Any = None) -> Any:
            reply = await model.complete([{"role": "user", "content": prompt}], temperature=0)
            return schema.model_validate_json(reply.body["choices"][0]["message"]["content"])

        def get_model_name(self) -> str:
            return "plain"

    async def measure() -> float:
        metric = FaithfulnessMetric(threshold=0.7, model=Plain("plain"))
        case = LLMTestCase(input=ASKED, actual_output=ANSWER, retrieval_context=CONTEXT)
        await metric.a_measure(case, _show_indicator=False)
        return float(metric.score)

    return measure


def adapted(model: Any) -> Callable[[], Awaitable[float]]:
    """The same measurement as an evaluator of a case."""
    from harness.core.case import Case, Expectation
    from harness.core.trajectory import Trajectory
    from harness.evaluators import deepeval_metric

    metric = deepeval_metric("FaithfulnessMetric", threshold=0.7, model=model)
    case = Case(id="ship", input=ASKED, expected=Expectation(custom={"context": CONTEXT}))

    async def measure() -> float:
        score = await metric.evaluate(Trajectory.from_answer(ANSWER, user=ASKED), case)
        if score.value is None:
            raise RuntimeError(score.reason)
        return score.value

    return measure


async def rounds(url: str, count: int) -> list[tuple[float, float]]:
    """(by hand, adapted): seconds of ``count`` measurements at the window, in turns so that drift hits both."""
    from harness.agents.openai_compatible import OpenAICompatible

    async with OpenAICompatible(base_url=url, model="judge-rag", local=True, purpose="judge") as model:
        ways = (by_hand(model), adapted(model))
        took = []
        for number in range(ROUNDS + 1):
            pair = [0.0, 0.0]
            for way in (0, 1) if number % 2 else (1, 0):
                pair[way] = await _timed(ways[way], count if number else WINDOW)
            if number:  # the first warms connections, templates and caches of both
                took.append((pair[0], pair[1]))
        return took


async def _timed(measure: Callable[[], Awaitable[float]], count: int) -> float:
    numbers = iter(range(count))

    async def worker() -> None:
        for _ in numbers:
            if await measure() != 1.0:
                raise RuntimeError("the metric judged otherwise than it should")

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(WINDOW)))
    return time.perf_counter() - began


def run(scale: float = 1.0) -> Result:
    """The ratio with a judge that takes no time, which is the adapter's whole cost, and with one that takes 200 ms."""
    from harness.evaluators.deepeval_quiet import quiet

    quiet()
    count = max(WINDOW, int(CASES * scale))
    figures = []
    for latency in (LATENCY_S, 0.0):
        with ProcessModelServer(latency_s=latency) as server:
            pairs = asyncio.run(rounds(server.url, count))
        ratios = [ours / theirs for theirs, ours in pairs]
        hand = statistics.median(theirs for theirs, _ in pairs)
        figures.append(
            Figure(
                what=f"time over that of the metric by hand, judge of {latency * 1000:g} ms",
                value=statistics.median(ratios),
                unit="x",
                at_most=1.1,
                note=f"{1e3 * hand / count:.2f} ms each by hand; rounds {min(ratios):.3f} to {max(ratios):.3f}",
            )
        )
    return Result(
        name="deepeval_adapter",
        title="DeepEval metrics as evaluators",
        method=(
            f"{count} measurements of FaithfulnessMetric (four questions each), {WINDOW} at a time, a fresh metric for "
            "each, against the local model server in a process of its own: by hand with DeepEval's base class over our "
            f"client, and through deepeval_metric; in turns, {ROUNDS} rounds, median of the rounds' ratios. DeepEval's "
            "telemetry is off on both sides."
        ),
        figures=tuple(figures),
        scale=scale,
    )


if __name__ == "__main__":
    from benchmarks.table import terminal

    print(terminal(run()))
