"""From any reward function to ours, by looking at it: TRL, verifiers, verl, OpenEnv, ART, DSPy, evaluators, our own."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.reward import RewardValue
from harness.core.trajectory import Trajectory
from harness.rewards import from_art, from_dspy, from_openenv, from_trl, from_verifiers, from_verl
from harness.rewards.adapted import AdaptedReward, Pair, made
from harness.rewards.columns import Parted, label, parameters, required
from harness.rewards.declared import Declared, declared_by

FORMS = (
    "reward(trajectory, case) as a function or method (ours)",
    "evaluate(trajectory, case) (an evaluator)",
    "f(prompts, completions, **columns) (TRL)",
    "f(completion, answer, ...), f(completions, answers, ...) without **kwargs, a Rubric, @reward methods (verifiers)",
    "compute_score(data_source, solution_str, ground_truth, extra_info) (verl)",
    "forward(action, observation) (OpenEnv)",
    "f(group) or f(trajectory) (ART)",
    "metric(example, prediction, trace) (DSPy)",
)


def adapt(given: Any, *, name: str = "", **declared: Any) -> AdaptedReward:
    """Any reward function, unchanged, as a reward of ours.

    :param given: a function, coroutine function, method, object or class (made without arguments) of a known library;
        its signature tells which, ``interface="trl"`` (or another) says it.
    :param name: how reports call it; default: its own name.
    :param declared: fields of :class:`~harness.rewards.declared.Declared`; they win over those on the function.
    :raises UsageError: it is none of the known forms; says what it is and which forms there are.
    """
    if isinstance(given, AdaptedReward):
        return given.redeclared(**declared)
    promised = declared_by(given).updated(**declared)
    found = given
    if inspect.isclass(given) and not from_verifiers.marked(given):
        try:
            found = given()
        except Exception as error:
            raise UsageError(
                f"reward {label(given)!r} is a class, and making one without arguments raised {type(error).__name__}: "
                f"{error}; name an object instead: scored = {label(given)}(...)"
            ) from error
    adapted = _as(promised.interface, found, promised) if promised.interface else _recognised(found, promised)
    if adapted is None:
        raise UsageError(_unknown(given, found))
    if name:
        from dataclasses import replace

        adapted = replace(adapted, name=name)
    return adapted


def _recognised(found: Any, promised: Declared) -> AdaptedReward | None:
    if callable(getattr(found, "reward", None)) and len(required(parameters(found.reward))) == 2:
        return _ours(found, found.reward, promised)
    if callable(getattr(found, "evaluate", None)) and not inspect.isfunction(found):
        return _evaluator(found, promised)
    if from_verifiers.marked(found):
        return from_verifiers.adapt_marked(found, promised)
    if from_dspy.fits(found):
        return from_dspy.adapt_dspy(found, promised)
    if from_openenv.fits(found):
        return from_openenv.adapt_openenv(found, promised)
    if from_verifiers.is_rubric(found):
        return from_verifiers.adapt_rubric(found, promised)
    if not callable(found):
        return None
    names = list(parameters(found))
    if names[:2] == ["trajectory", "case"]:
        return _ours(found, found, promised)
    if from_verl.fits(found):
        return from_verl.adapt_verl(found, promised)
    if from_trl.fits(found) and not _verifiers_group(found):
        return from_trl.adapt_trl(found, promised)
    if from_art.fits(found):
        return from_art.adapt_art(found, promised)
    if from_verifiers.fits(found):
        return from_verifiers.adapt_function(found, promised)
    return None


def _verifiers_group(found: Any) -> bool:
    """Plural names alone, without ``**kwargs``: the trainer of TRL could not call it, a Rubric can."""
    names = parameters(found)
    plural = set(names) <= set(from_verifiers.PLURAL)
    return plural and "completions" in names


def _as(interface: str | None, found: Any, promised: Declared) -> AdaptedReward | None:
    if interface == "harness":
        method = getattr(found, "reward", found)
        return _ours(found, method, promised) if callable(method) else None
    if interface == "evaluator":
        return _evaluator(found, promised) if callable(getattr(found, "evaluate", None)) else None
    if interface == "verifiers":
        if from_verifiers.marked(found):
            return from_verifiers.adapt_marked(found, promised)
        if from_verifiers.is_rubric(found):
            return from_verifiers.adapt_rubric(found, promised)
        return from_verifiers.adapt_function(found, promised) if callable(found) else None
    makers: dict[Any, Any] = {
        "trl": from_trl.adapt_trl,
        "verl": from_verl.adapt_verl,
        "openenv": from_openenv.adapt_openenv,
        "art": from_art.adapt_art,
        "dspy": from_dspy.adapt_dspy,
    }
    adapted: AdaptedReward | None = makers[interface](found, promised)
    return adapted


def _ours(thing: Any, method: Any, promised: Declared) -> AdaptedReward:
    method = getattr(thing, "explained", method)

    def call(pairs: Sequence[Pair], chat: bool) -> Any:
        (trajectory, case) = pairs[0]
        answer = method(trajectory, case)
        return _listed(answer) if inspect.isawaitable(answer) else [_plain(answer)]

    return made(thing, "harness", call, promised)


async def _listed(answer: Any) -> list[Any]:
    return [_plain(await answer)]


def _plain(answer: Any) -> Any:
    """A number that remembers its parts, where a reward explained itself."""
    if not isinstance(answer, RewardValue):
        return answer
    if answer.error is not None:
        raise RuntimeError(f"{answer.error.type}: {answer.error.message}")
    return None if answer.value is None else Parted(answer.value, answer.parts)


def _evaluator(thing: Any, promised: Declared) -> AdaptedReward:
    def call(pairs: Sequence[Pair], chat: bool) -> Any:
        (trajectory, case) = pairs[0]
        return _scored(thing, trajectory, case)

    return made(thing, "evaluator", call, promised)


async def _scored(evaluator: Any, trajectory: Trajectory, case: Case) -> list[Any]:
    score = evaluator.evaluate(trajectory, case)
    score = await score if inspect.isawaitable(score) else score
    if score.value is not None:
        # A reward goes up with quality; an evaluator of cost or time does not.
        return [-score.value if score.direction == "lower" else score.value]
    if score.expected_nothing:
        return [None]
    raise RuntimeError(f"{score.name} could not judge: {score.reason}")


def _unknown(given: Any, found: Any) -> str:
    if callable(found):
        got = ", ".join(parameters(found)) or "no parameters"
        what = f"its parameters are ({got})"
    else:
        what = f"it is a {type(found).__name__}, which cannot be called"
    return f"reward {label(given)!r} is of no known form: {what}. Forms: {'; '.join(FORMS)}"
