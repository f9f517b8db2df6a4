"""Tables as rows: CSV, YAML, JSON lists, Parquet and pandas frames.

The words:

- *column*: a field by its path with dots: ``input``, ``expected.contains``, ``metadata.source``. An empty cell (null
  and NaN in frames) is an absent field.
- *cell*: text, where the field is a text. A field that is no text takes its JSON (``["a", "b"]``, ``{"a": 1}``, ``3``);
  a list-of-texts field takes a plain text too, as its only item. ``input`` is text; head the column ``input:json``
  where it is JSON, and likewise any column of yours under ``metadata`` or ``custom``.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.errors import DatasetError, MissingDependency
from harness.datasets.fields import CASE_FIELDS, COUNT, TEXT, TEXTS, Field
from harness.datasets.jsonl import parse_line
from harness.datasets.problems import Problem, shown
from harness.datasets.rows import Row


def rows_of_csv(data: bytes, problems: list[Problem]) -> Iterator[Row]:
    """Rows of a CSV file with a heading; the line number is where the row begins."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fix = f"is not UTF-8 (byte {error.start + 1} is 0x{data[error.start]:02x}); save it as UTF-8"
        problems.append(Problem(line=0, field="", value="", fix=fix))
        return
    before = csv.field_size_limit(2**31 - 1)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        heading = next(reader, None)
        if heading is None:
            return
        heading = [name.strip() for name in heading]
        for name in {name for name in heading if heading.count(name) > 1}:
            fix = "stands twice in the heading; keep one column"
            problems.append(Problem(line=1, field=name or "(empty)", value="", fix=fix))
        line = reader.line_num + 1
        for cells in reader:
            if cells and any(cells):
                if len(cells) != len(heading):
                    fix = f"has {len(cells)} cells under {len(heading)} columns; quote cells that hold a comma"
                    problems.append(Problem(line=line, field="", value=shown(cells[0]), fix=fix))
                else:
                    yield line, nested(zip(heading, cells, strict=True), line, problems)
            line = reader.line_num + 1
    except csv.Error as error:
        problems.append(Problem(line=reader.line_num, field="", value="", fix=f"is not CSV: {error}"))
    finally:
        csv.field_size_limit(before)


def rows_of_json(data: bytes, problems: list[Problem]) -> Iterator[Row]:
    """Rows of a JSON list, or of ``{"cases": [...]}``; the line number is the position in the list."""
    try:
        value = parse_line(data.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        problems.append(Problem(line=0, field="", value="", fix=f"is not JSON: {error}"))
        return
    if isinstance(value, Mapping) and isinstance(value.get("cases"), list):
        value = value["cases"]
    if not isinstance(value, list):
        problems.append(Problem(line=0, field="", value=shown(value), fix="must be a list of cases"))
        return
    yield from enumerate(value, 1)


def rows_of_yaml(data: bytes, problems: list[Problem]) -> Iterator[Row]:
    """Rows of a YAML list, or of ``cases: [...]``, each with the line where it begins."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        source = loader(data)
        node = source.get_single_node()
        if isinstance(node, yaml.MappingNode):
            node = next((v for k, v in node.value if getattr(k, "value", None) == "cases"), node)
        if node is None:
            return
        if not isinstance(node, yaml.SequenceNode):
            fix = "must be a list of cases (lines that begin with '- ')"
            problems.append(Problem(line=node.start_mark.line + 1, field="", value="", fix=fix))
            return
        for item in node.value:
            line = item.start_mark.line + 1
            if twice := _key_twice(item, set()):
                problems.append(Problem(line=line, field=twice, value="", fix="stands twice in one mapping; keep one"))
                continue
            yield line, _plain(source.construct_document(item), line, "", problems)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error)
        line = mark.line + 1 if mark is not None else 0
        problems.append(Problem(line=line, field="", value="", fix=f"is not YAML: {what}"))


def rows_of_parquet(data: bytes, problems: list[Problem]) -> Iterator[Row]:
    """Rows of a Parquet file; the line number is the row, from 1."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependency("pyarrow", extra="pandas", purpose="reading Parquet") from error
    try:
        rows = pyarrow.parquet.read_table(pyarrow.BufferReader(data)).to_pylist()
    except pyarrow.ArrowException as error:
        raise DatasetError(f"the file is not Parquet: {error}") from error
    for line, row in enumerate(rows, 1):
        # pandas stores an index it cannot rebuild under such names; like the index of a frame, it is not read.
        cells = ((name, cell) for name, cell in row.items() if not name.startswith("__index_level_"))
        yield line, nested(cells, line, problems)


def rows_of_frame(frame: Any, problems: list[Problem]) -> Iterator[Row]:
    """Rows of a pandas frame; the line number is the position of the row, from 1. The index is not read."""
    if not hasattr(frame, "columns") or not hasattr(frame, "itertuples"):
        raise DatasetError(f"a dataset is a name, a path or a pandas frame; got {type(frame).__name__}")
    names = [str(name) for name in frame.columns]
    for line, cells in enumerate(frame.itertuples(index=False, name=None), 1):
        yield line, nested(zip(names, cells, strict=True), line, problems)


def nested(cells: Any, line: int, problems: list[Problem]) -> dict[str, Any]:
    """A flat row as the nested one that a JSON line would hold."""
    row: dict[str, Any] = {}
    for name, cell in cells:
        path, _, form = name.partition(":")
        value = _plain(cell, line, name, problems)
        if value is None or value == "":
            continue
        if isinstance(value, str):
            try:
                value = _read_cell(value, path, form)
            except (ValueError, RecursionError) as error:
                problems.append(Problem(line=line, field=name, value=shown(value), fix=f"is not JSON: {error}"))
                continue
        elif _field(path) is not None and _field(path).kind is COUNT and isinstance(value, float):  # type: ignore[union-attr]
            # A column of whole numbers with a gap becomes floats in a frame.
            value = int(value) if value.is_integer() else value
        home = row
        *parents, last = path.split(".") if path.split(".")[0] in ("expected", "metadata") else [path]
        for parent in parents:
            inner = home.setdefault(parent, {})
            if not isinstance(inner, dict):
                fix = f"the column {parent!r} already holds a value; use one or the other"
                problems.append(Problem(line=line, field=name, value=shown(value), fix=fix))
                break
            home = inner
        else:
            home[last] = value
    return row


def _field(path: str) -> Field | None:
    fields: Mapping[str, Field] | None = CASE_FIELDS
    found: Field | None = None
    for part in path.split("."):
        found = fields.get(part) if fields is not None else None
        fields = found.inside if found is not None else None
    return found


def _read_cell(text: str, path: str, form: str) -> Any:
    field = _field(path)
    if form == "json":
        return parse_line(text.encode("utf-8", "surrogatepass"))
    if field is None or field.kind is TEXT or path == "input" or "enum" in field.kind.schema:
        return text
    if field.kind is TEXTS and not text.lstrip().startswith("["):
        return text
    if path == "expected.state" and not text.lstrip().startswith(("{", "[")):
        return text
    return parse_line(text.encode("utf-8", "surrogatepass"))


def _plain(value: Any, line: int, path: str, problems: list[Problem]) -> Any:
    """The JSON form of what YAML, Parquet or a frame holds; None for what stands for nothing."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        # In frames NaN is how a gap looks; in YAML it has to be written out, and means the same here.
        return None if math.isnan(value) else value
    if isinstance(value, Mapping):
        return {str(k): _plain(v, line, f"{path}.{k}" if path else str(k), problems) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, line, f"{path}[{index}]", problems) for index, item in enumerate(value)]
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(value, "tolist"):
        return _plain(value.tolist(), line, path, problems)
    fix = f"is a {type(value).__name__}; write it as a text, in quotes"
    problems.append(Problem(line=line, field=path, value=shown(str(value)), fix=fix))
    return None


def _key_twice(node: Any, seen: set[int]) -> str | None:
    if id(node) in seen or not isinstance(node.value, list):
        return None
    seen.add(id(node))
    names: set[str] = set()
    for item in node.value:
        key, value = item if isinstance(item, tuple) else (None, item)
        if key is not None and isinstance(key.value, str):
            if key.value in names:
                return key.value
            names.add(key.value)
        if twice := _key_twice(value, seen):
            return twice
    return None
