"""Reading a DeepEval metric after it has measured: a finite score, or why there is none."""

from __future__ import annotations

import inspect
import math
from typing import Any

from harness.core.shown import shorten
from harness.evaluators.judge.opinion import Ballot, Opinion

ONE_SAMPLE = 2 / 3
"""Confidence of one verdict without probabilities: Laplace's rule of succession, as everywhere in this package."""


def read(metric: Any, name: str) -> Opinion:
    """What it found; an opinion without a value for an error, NaN, or no number."""
    value = metric.score
    if getattr(metric, "error", None):
        return nothing(f"{name}: {shorten(str(metric.error), 400)}")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return nothing(f"{name} gave {value!r:.40}, which is no number")
    reason = str(getattr(metric, "reason", "") or "")
    ballot = Ballot(reasons={"": reason} if reason else {})
    passes = metric.is_successful()
    return Opinion(
        value=float(value),
        passes=bool(passes) if passes is not None else None,
        confidence=ONE_SAMPLE,
        ballots=(ballot,),
        asked=1,
    )


def nothing(why: str) -> Opinion:
    """Not measured, and why."""
    return Opinion(why=why, kind="judge", asked=1)


def needs(metric: Any) -> list[str]:
    """The fields of a test case that it reads."""
    found = getattr(metric, "_required_params", None) or getattr(metric, "evaluation_params", None) or ()
    return [str(getattr(item, "value", item)) for item in found]


def silent(metric: Any) -> dict[str, Any]:
    """Arguments that keep its progress bar and its uploads away, as far as it knows them."""
    known = inspect.signature(metric.a_measure).parameters
    quiet = {"_show_indicator": False, "_log_metric_to_confident": False}
    return {name: value for name, value in quiet.items() if name in known}


def plain(name: str) -> str:
    """``FaithfulnessMetric`` as ``deepeval_faithfulness``."""
    words = "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in name.removesuffix("Metric"))
    return "deepeval_" + "_".join(words.replace(" ", "_").split("_")).strip("_")
