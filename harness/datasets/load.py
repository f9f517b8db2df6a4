"""load_dataset: from what a user types to a dataset, or one clear error.

What may be typed:

- a bare name ``refunds``: ``golden_datasets/refunds/cases.jsonl`` (or ``.csv``, ``.yaml``, ...) under the root;
- a folder with such a file, or a file;
- ``format:path`` for the importers (``promptfoo:tests.yaml``, ``bfcl:questions.jsonl``, ``recorded:runs.json``, ...);
- a pandas frame.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.case import Dataset
from harness.core.errors import DatasetError, UsageError
from harness.datasets.card import read_card
from harness.datasets.problems import Problem
from harness.datasets.rows import Row, cases_from_rows

if TYPE_CHECKING:
    import pandas

SUFFIXES = (".jsonl", ".csv", ".yaml", ".yml", ".parquet", ".json")
HOME = "golden_datasets"


def load_dataset(
    source: str | Path | pandas.DataFrame, *, root: str | Path | None = None, name: str | None = None
) -> Dataset:
    """The dataset behind ``source``; see the top of this file for what may be typed.

    :param root: the project's folder; default: the current one.
    :param name: name of the dataset; default: of the folder, or of the file without its ending.
    :raises UsageError: nothing is there; the message lists what exists.
    :raises DatasetError: rows are wrong; the message lists every one.
    """
    base = Path(root) if root is not None else Path.cwd()
    if not isinstance(source, (str, Path)):
        from harness.datasets.tabular import rows_of_frame

        frame_problems: list[Problem] = []
        frame_rows = list(rows_of_frame(source, frame_problems))
        return Dataset(name=name or "frame", cases=cases_from_rows(frame_rows, "frame", frame_problems))
    if isinstance(source, str) and (imported := _imported(source, base, name)) is not None:
        return imported
    path = _find(source, base)
    problems: list[Problem] = []
    place = relative_place(path, base)
    rows = list(_rows(path, place, problems))
    return Dataset(
        name=name or (path.parent.name if path.stem == "cases" else path.stem),
        cases=cases_from_rows(rows, place, problems),
        card=read_card(path),
        path=place,
    )


def dataset_names(root: str | Path) -> tuple[str, ...]:
    """Names of the datasets under ``golden_datasets``, sorted."""
    home = Path(root) / HOME
    if not home.is_dir():
        return ()
    return tuple(sorted(folder.name for folder in home.iterdir() if folder.is_dir() and _cases_in(folder)))


def _rows(path: Path, place: str, problems: list[Problem]) -> list[Row]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{place} cannot be read: {error.strerror or error}") from error
    if path.suffix == ".jsonl":
        from harness.datasets.jsonl import read_jsonl

        return list(read_jsonl(data, problems))
    from harness.datasets import tabular

    reader: Any = {
        ".csv": tabular.rows_of_csv,
        ".yaml": tabular.rows_of_yaml,
        ".yml": tabular.rows_of_yaml,
        ".json": tabular.rows_of_json,
        ".parquet": tabular.rows_of_parquet,
    }[path.suffix]
    return list(reader(data, problems))


def _find(source: str | Path, base: Path) -> Path:
    given = Path(source)
    candidates = [given] if given.is_absolute() else [base / given]
    if isinstance(source, str) and source and "/" not in source and not given.is_absolute():
        candidates.insert(0, base / HOME / source)
    for candidate in candidates:
        if candidate.is_dir() and (inside := _cases_in(candidate)) is not None:
            return inside
        if candidate.is_file():
            if candidate.suffix not in SUFFIXES:
                raise UsageError(
                    f"dataset {str(source)!r}: files ending in {candidate.suffix or 'nothing'} are not understood; "
                    f"use one of {', '.join(SUFFIXES)}"
                )
            return candidate
    names = dataset_names(base)
    near = get_close_matches(str(source), names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    known = ", ".join(names) if names else f"none: there is no {HOME}/<name>/cases.jsonl under {base}"
    folder = next((c for c in candidates if c.is_dir()), None)
    if folder is not None and not near:
        hint = f" The folder is there but holds no cases{'/'.join(SUFFIXES)}."
    raise UsageError(f"there is no dataset {str(source)!r}.{hint} Datasets that exist: {known}")


def _cases_in(folder: Path) -> Path | None:
    return next((path for suffix in SUFFIXES if (path := folder / f"cases{suffix}").is_file()), None)


def relative_place(path: Path, base: Path) -> str:
    """A path as the user knows it: from the project's folder where it lies inside."""
    try:
        return path.resolve().relative_to(base.resolve()).as_posix()
    except ValueError:
        return path.as_posix()


def _imported(source: str, base: Path, name: str | None) -> Dataset | None:
    form, colon, rest = source.partition(":")
    if not colon or len(form) < 2 or (base / source).exists():
        return None
    from harness.datasets.importers import import_dataset

    return import_dataset(form, base / rest, name=name, place=rest)
