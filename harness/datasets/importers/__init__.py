"""Importers: datasets in formats people already have, one file each.

Used as ``load_dataset("promptfoo:tests.yaml")``. To add one: a file here with
``read(path, problems) -> Iterator[Row]`` that yields our own rows, and its name below.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

from harness.core.case import Dataset
from harness.core.errors import UsageError
from harness.datasets.problems import Problem
from harness.datasets.rows import cases_from_rows

FORMATS = {
    "bfcl": "bfcl",
    "inspect": "inspect_samples",
    "openai-evals": "openai_evals",
    "promptfoo": "promptfoo",
    "recorded": "recorded_cases",
    "tau-bench": "recorded_cases",
}


def import_dataset(form: str, path: str | Path, *, name: str | None = None, place: str = "") -> Dataset:
    """The dataset of a file in a foreign format.

    :param form: one of ``bfcl``, ``inspect``, ``openai-evals``, ``promptfoo``, ``recorded``, ``tau-bench``.
    :param place: the file as the user knows it, for messages.
    :raises UsageError: the format or the file does not exist.
    :raises DatasetError: entries are wrong; the message lists every one.
    """
    if form not in FORMATS:
        near = get_close_matches(form, FORMATS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"dataset format {form!r} is not known{hint}. Formats: {', '.join(FORMATS)}; or give a path")
    file = Path(path)
    shown = place or file.as_posix()
    if not file.exists():
        raise UsageError(f"there is no file {shown!r} to import as {form} (looked for {file})")
    read = import_module(f"{__name__}.{FORMATS[form]}").read
    problems: list[Problem] = []
    rows = list(read(file, problems))
    return Dataset(name=name or file.stem, cases=cases_from_rows(rows, shown, problems), path=shown)
