"""Golden datasets in and out: files, frames, importers and recorded runs. Nothing is imported until it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.datasets.jsonl import write_jsonl as write_jsonl
    from harness.datasets.load import dataset_names as dataset_names
    from harness.datasets.load import load_dataset as load_dataset
    from harness.datasets.problems import BadRows as BadRows

_WHERE = {
    "BadRows": "problems",
    "dataset_names": "load",
    "load_dataset": "load",
    "write_jsonl": "jsonl",
}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
