"""DSPy metrics: ``metric(example, prediction, trace=None)`` to a number or bool; GEPA's five arguments with feedback.

Example and prediction are DSPy's own where it is installed, else objects with the same attributes. The prediction has
the final answer as ``answer`` (and ``response``, ``text``, ``output``), and the fields of an answer that is JSON.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from harness.core.case import Case
from harness.core.trajectory import Trajectory
from harness.rewards.adapted import AdaptedReward, Pair, made
from harness.rewards.columns import columns_of, completion_text, parameters, required, right_answer
from harness.rewards.declared import Declared

FIRST, SECOND = ("example", "gold"), ("prediction", "pred")


def fits(function: Callable[..., Any]) -> bool:
    """Whether its first two parameters are an example and a prediction."""
    names = list(parameters(getattr(function, "forward", function)))
    return len(names) >= 2 and names[0] in FIRST and names[1] in SECOND


def adapt_dspy(function: Callable[..., Any], declared: Declared) -> AdaptedReward:
    """The metric as a reward; ``trace`` is None, as it is when a program is evaluated."""
    names = parameters(getattr(function, "forward", function))
    more = {name: None for name in ("trace", "pred_name", "pred_trace") if name in names}
    left = [name for name in required(names)[2:] if name not in more]
    takes_trace = "trace" in names or len(names) > 2

    def call(pairs: Sequence[Pair], chat: bool) -> Any:
        (trajectory, case) = pairs[0]
        if left:
            raise TypeError(f"a DSPy metric is called with (example, prediction, trace); it also asks for {left}")
        answer = function(example_of(case), prediction_of(trajectory), **more)
        return _later(answer) if inspect.isawaitable(answer) else [_score(answer)]

    return made(function, "dspy", call, declared, keywords=takes_trace)


def example_of(case: Case) -> Any:
    """The case as an example: its columns, and the question under the usual names."""
    fields = {"question": case.text, "input": case.text, **columns_of(case)}
    answer = right_answer(case)
    if answer is not None:
        fields.setdefault("response", answer)
    dspy = _library()
    return SimpleNamespace(**fields) if dspy is None else dspy.Example(**fields).with_inputs("question", "input")


def prediction_of(trajectory: Trajectory) -> Any:
    """The final answer as a prediction."""
    text = completion_text(trajectory)
    fields: dict[str, Any] = dict.fromkeys(("answer", "response", "text", "output"), text)
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = None
    except RecursionError:
        parsed = None
    if isinstance(parsed, dict):
        fields.update({key: value for key, value in parsed.items() if key.isidentifier()})
    dspy = _library()
    return SimpleNamespace(**fields) if dspy is None else dspy.Prediction(**fields)


def _library() -> Any:
    if importlib.util.find_spec("dspy") is None:
        return None
    import dspy  # type: ignore[import-not-found, unused-ignore]

    return dspy


async def _later(answer: Any) -> list[Any]:
    return [_score(await answer)]


def _score(answer: Any) -> Any:
    """GEPA's metrics return a prediction (or mapping) with ``score`` and ``feedback``."""
    if isinstance(answer, dict):
        return answer["score"]
    found = getattr(answer, "score", None)
    return answer if found is None or callable(found) else found
