"""Golden datasets in and out: files, frames, importers and recorded runs. Nothing is imported until it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.datasets.importers import import_dataset as import_dataset
    from harness.datasets.jsonl import write_jsonl as write_jsonl
    from harness.datasets.load import dataset_names as dataset_names
    from harness.datasets.load import load_dataset as load_dataset
    from harness.datasets.problems import BadRows as BadRows
    from harness.datasets.recorded import RecordedRuns as RecordedRuns
    from harness.datasets.recorded import load_recorded as load_recorded
    from harness.datasets.schema import case_schema as case_schema

_WHERE = {
    "BadRows": "problems",
    "RecordedRuns": "recorded",
    "case_schema": "schema",
    "dataset_names": "load",
    "import_dataset": "importers",
    "load_dataset": "load",
    "load_recorded": "recorded",
    "write_jsonl": "jsonl",
}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
