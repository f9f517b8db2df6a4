"""OpenAI evals samples: JSON lines of ``{"input": messages or text, "ideal": text or texts}``.

``ideal`` becomes ``expected.answer`` (one) or ``expected.answers`` (several, any is right). Other keys, such as those
of model-graded evals, are kept in the metadata. Ids are made from the content.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.datasets.jsonl import read_jsonl
from harness.datasets.problems import Problem
from harness.datasets.rows import Row


def read(path: Path, problems: list[Problem]) -> Iterator[Row]:
    """One row per sample."""
    for line, entry in read_jsonl(path.read_bytes(), problems):
        if not isinstance(entry, Mapping):
            yield line, entry
            continue
        rest = {name: value for name, value in entry.items() if name not in ("input", "ideal")}
        row: dict[str, Any] = {"metadata": {"source": "openai-evals", **rest}}
        if "input" in entry:
            row["input"] = entry["input"]
        ideal = entry.get("ideal")
        if isinstance(ideal, (int, float)) and not isinstance(ideal, bool):
            ideal = str(ideal)
        if ideal is not None:
            row["expected"] = {"answer": ideal} if isinstance(ideal, str) else {"answers": ideal}
        yield line, row
