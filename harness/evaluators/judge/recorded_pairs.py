"""Recorded verdicts on pairs, in the form of the LLMBar benchmark: an exam without asking anybody.

``verdicts``: JSON lines with ``set``, ``model``, ``prompt``, ``pair`` (index into the set's items), ``winner_given``
and ``winner_swapped`` ("1", "2" or null, in terms of the items). ``items``: per set, rows with ``output_1``,
``output_2`` and a human ``label`` (1 or 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.core.case import content_hash
from harness.core.errors import UsageError
from harness.core.judges import JudgeRecord
from harness.evaluators.judge.exam_figures import Limits, pair_record
from harness.stats.judge_bias import PairVerdicts

_CHOICE = {"1": 1, "2": 2, 1: 1, 2: 2, "tie": 0, None: None}


def recorded_records(
    verdicts: Iterable[Mapping[str, Any]],
    items: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    limits: Limits | None = None,
    created_at: str = "",
) -> list[JudgeRecord]:
    """One record per judge (model and prompt) and set, in the order in which they first appear.

    :raises UsageError: a verdict names a pair or a winner that does not exist.
    """
    found: dict[tuple[str, str, str], list[PairVerdicts]] = {}
    for number, row in enumerate(verdicts, 1):
        try:
            item = items[row["set"]][row["pair"]]
            pair = PairVerdicts(
                human=int(item["label"]),
                given=_CHOICE[row["winner_given"]],
                swapped=_CHOICE[row["winner_swapped"]],
                length_1=len(str(item["output_1"]).split()),
                length_2=len(str(item["output_2"]).split()),
            )
            found.setdefault((row["model"], row["prompt"], row["set"]), []).append(pair)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise UsageError(
                f"recorded verdict {number}: {type(error).__name__} {error}; see recorded_pairs"
            ) from error
    records = []
    for (model, prompt, name), pairs in found.items():
        method = {"model": model, "prompt": {"name": prompt}, "recorded": True}
        about = {
            "identity": content_hash(method) * 2,
            "judge": f"{model} {prompt}",
            "model": model,
            "rubric": "as recorded",
            "dataset": name,
            "dataset_hash": content_hash([dict(item) for item in items[name]]),
            "created_at": created_at,
            "method": method,
        }
        records.append(pair_record(pairs, [], about, limits or Limits()))
    return records
