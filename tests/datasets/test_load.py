"""What a user types, and what comes of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness.core.case import Case, Dataset
from harness.core.errors import DatasetError, UsageError
from harness.datasets import BadRows, dataset_names, load_dataset, write_jsonl


def write(path: Path, *rows: Any, raw: bytes | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw if raw is not None else "".join(json.dumps(row) + "\n" for row in rows).encode())
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path / "golden_datasets/refunds/cases.jsonl", {"id": "a", "input": "hi"})
    (tmp_path / "golden_datasets/refunds/card.md").write_text("# Refunds\nLabelled by us.", encoding="utf-8")
    write(tmp_path / "golden_datasets/tables/cases.csv", raw=b"id,input\nx,hello\n")
    (tmp_path / "golden_datasets/schema").mkdir()
    return tmp_path


def test_a_bare_name_is_a_folder_of_golden_datasets(project: Path) -> None:
    dataset = load_dataset("refunds", root=project)
    assert (dataset.name, dataset.path) == ("refunds", "golden_datasets/refunds/cases.jsonl")
    assert dataset.card.startswith("# Refunds")
    assert [case.id for case in dataset] == ["a"]
    assert load_dataset("tables", root=project).cases[0].input == "hello"


def test_a_file_or_folder_may_be_named_from_anywhere(project: Path, tmp_path: Path) -> None:
    file = write(project / "elsewhere/mine.jsonl", {"id": "m", "input": 1})
    for source in (file, str(file), "elsewhere/mine.jsonl", Path("elsewhere/mine.jsonl")):
        dataset = load_dataset(source, root=project)
        assert (dataset.name, dataset.path) == ("mine", "elsewhere/mine.jsonl")
    assert load_dataset(project / "golden_datasets/refunds", root=project).name == "refunds"
    assert load_dataset(file, root=project, name="own").name == "own"


def test_the_current_folder_is_the_root_when_none_is_given(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    assert len(load_dataset("refunds")) == 1


def test_an_unknown_name_lists_what_exists_and_the_nearest(project: Path) -> None:
    with pytest.raises(UsageError, match=r"no dataset 'refunds2'\. Did you mean 'refunds'\? .*exist: refunds, tables"):
        load_dataset("refunds2", root=project)


def test_names_are_those_of_folders_that_hold_cases(project: Path) -> None:
    assert dataset_names(project) == ("refunds", "tables")
    assert dataset_names(project / "nowhere") == ()


def test_in_a_project_without_datasets_the_message_says_where_they_go(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"golden_datasets/<name>/cases\.jsonl"):
        load_dataset("refunds", root=tmp_path)


def test_an_ending_that_is_not_understood_lists_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.docx are not understood; use one of \.jsonl"):
        load_dataset(write(tmp_path / "cases.docx", raw=b"x"), root=tmp_path)


def test_a_card_must_be_text(project: Path) -> None:
    (project / "golden_datasets/refunds/card.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DatasetError, match="not UTF-8"):
        load_dataset("refunds", root=project)


def bad(tmp_path: Path, *rows: Any, raw: bytes | None = None, name: str = "cases.jsonl") -> BadRows:
    with pytest.raises(BadRows) as caught:
        load_dataset(write(tmp_path / name, *rows, raw=raw), root=tmp_path)
    return caught.value


def test_every_bad_row_is_told_in_one_error_with_line_field_value_and_fix(tmp_path: Path) -> None:
    error = bad(
        tmp_path,
        {"id": "ok", "input": "x"},
        {"id": "b", "input": "x", "expected": {"contians": ["y"]}},
        {"id": "c", "inptu": "x"},
        {"id": "d", "input": "x", "expected": {"number": "3", "max_steps": -1}},
        {"id": 5, "input": "x", "severity": "must-pass"},
    )
    text = str(error)
    assert "4 of 5 rows cannot be used; nothing was run" in text
    for line in (
        "cases.jsonl:2: expected.contians = ['y']: unknown field; did you mean 'contains'?",
        "cases.jsonl:3: inptu = 'x': unknown field; did you mean 'input'?",
        "cases.jsonl:3: input: is missing, must be any JSON but null; is 'inptu' meant to be it?",
        "cases.jsonl:4: expected.number = '3': must be a finite number",
        "cases.jsonl:4: expected.max_steps = -1: must be a whole number of at least 0",
        "cases.jsonl:5: id = 5: must be a text",
        "cases.jsonl:5: severity = 'must-pass': must be one of normal, must_pass",
    ):
        assert line in text
    assert {p.line for p in error.problems} == {2, 3, 4, 5}


def test_an_expectation_written_at_the_top_is_sent_home(tmp_path: Path) -> None:
    assert "belongs inside 'expected'" in str(bad(tmp_path, {"id": "a", "input": "x", "contains": "y"}))


def test_thousands_of_bad_rows_are_all_named_and_the_message_stays_readable(tmp_path: Path) -> None:
    error = bad(tmp_path, *({"id": f"r{i}", "input": None} for i in range(5000)))
    assert len(error.problems) == 5000
    assert "in lines 201-5000" in str(error)
    assert len(str(error)) < 40_000


def test_a_huge_value_is_shown_shortened(tmp_path: Path) -> None:
    assert len(str(bad(tmp_path, {"id": "a", "input": "x", "expected": {"number": "9" * 1_000_000}}))) < 1000


def test_a_duplicate_id_names_the_first(tmp_path: Path) -> None:
    text = str(bad(tmp_path, {"id": "a", "input": 1}, {"id": "b", "input": 2}, {"id": "a", "input": 3}))
    assert "cases.jsonl:3: id = 'a': duplicate id, first seen in line 1" in text


def test_two_rows_without_id_and_with_the_same_content_are_duplicates(tmp_path: Path) -> None:
    assert "the same content and no id" in str(bad(tmp_path, {"input": 1}, {"input": 1}))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "has no rows"),
        (b"\n  \n", "has no rows"),
        (b'{"id": "a", "input": NaN}\n', ":1: .*holds NaN"),
        (b'{"id": "a", "input": 1e999}\n', "holds 1e999, which is too large"),
        (b'{"id": "a", "input": "\xff"}\n', r":1: is not UTF-8: byte 0xff at position 23"),
        (b'{"id": "a", "input": "\\ud83d"}\n', r"half a surrogate pair \(\\ud83d\)"),
        (b'{"id": "a", "id": "b", "input": 1}\n', "the key 'id' twice"),
        (b'{"id": "a", "input": {"x": 1, "x": 2}}\n', "the key 'x' twice"),
        (b'{"id": "a", "input": 1\n', ":1: .*is not JSON"),
        (b'["a"]\n', "a row is one JSON object"),
        (b'{"id": "", "input": 1}\n', "1 to 200 printable characters"),
        (b'{"id": " a", "input": 1}\n', "1 to 200 printable characters"),
        (b'{"id": "a\\nb", "input": 1}\n', "1 to 200 printable characters"),
        (b'{"id": "a", "input": null}\n', "must be any JSON but null"),
        (b"\xff\xfe{\x00}\x00", "is UTF-16"),
        (b'{"input": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", "nested too deep"),
        (b'{"id": "a", "input": ' + b"9" * 5000 + b"}\n", "limit"),
        (b'{"id":"a","input":1,"expected":{"tool_calls":[{"nam":"f"}]}}', r"tool_calls\[0\]\.name: is missing"),
        (b'{"id":"a","input":1,"expected":{"tool_calls":[{"name":"f","accepted":{"x":1}}]}}', "accepted values"),
    ],
)
def test_each_kind_of_bad_line_is_named(tmp_path: Path, raw: bytes, message: str) -> None:
    error = bad(tmp_path, raw=raw)
    assert re.search(message, str(error)), str(error)


def test_every_line_that_cannot_be_read_is_told_beside_the_wrong_ones(tmp_path: Path) -> None:
    error = bad(tmp_path, raw=b'{"id": "a"\n{"id": "b"}\n\xff\n{"id": "c", "input": 1}\n')
    assert [p.line for p in error.problems] == [1, 2, 3]
    assert "3 of 4 rows" in str(error)


def test_lines_end_only_where_they_end(tmp_path: Path) -> None:
    text = "a\u2028b\u2029c\u0085d\x0b"
    row = json.dumps({"id": "a", "input": text}, ensure_ascii=False).encode()
    file = write(tmp_path / "x.jsonl", raw=b"\xef\xbb\xbf" + row + b"\r\n\r\n" + b'{"id": "b", "input": 2}')
    assert [case.input for case in load_dataset(file, root=tmp_path)] == [text, 2]


def test_a_whole_surrogate_pair_is_one_character(tmp_path: Path) -> None:
    file = write(tmp_path / "x.jsonl", raw=b'{"id": "a", "input": "\\ud83d\\ude00"}')
    assert load_dataset(file, root=tmp_path).cases[0].input == "\U0001f600"


def test_a_missing_id_comes_from_the_content_and_not_from_the_place(tmp_path: Path) -> None:
    one = load_dataset(write(tmp_path / "1.jsonl", {"input": "x"}, {"input": "y"}), root=tmp_path)
    two = load_dataset(write(tmp_path / "2.jsonl", {"input": "y", "tags": ["t"]}, {"input": "x"}), root=tmp_path)
    assert {c.input: c.id for c in one} == {c.input: c.id for c in two}
    assert one.content_hash == two.content_hash


def test_null_is_an_absent_field(tmp_path: Path) -> None:
    row = {"id": None, "input": "x", "cluster": None, "expected": {"answer": None, "contains": "y"}, "tags": "t"}
    case = load_dataset(write(tmp_path / "x.jsonl", row), root=tmp_path).cases[0]
    assert case.id.startswith("case-")
    assert (case.cluster, case.tags, case.expected.contains, case.expected.answer) == (None, ("t",), ("y",), None)


def test_writing_and_reading_gives_the_same_cases(tmp_path: Path) -> None:
    cases = (Case(id="a", input="\u2028"), Case(id="b", input=[{"role": "user", "content": "\U0001f600"}], tags=("t",)))
    file = write_jsonl(Dataset(name="d", cases=cases), tmp_path / "new/d.jsonl")
    assert load_dataset(file, root=tmp_path).cases == cases
    assert [p.name for p in file.parent.iterdir()] == ["d.jsonl"]


def test_a_case_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    file = write(tmp_path / "d.jsonl", {"id": "a", "input": 1})
    for value in (float("nan"), {1, 2}, "\ud800"):
        with pytest.raises(DatasetError, match="case 'b' cannot be written"):
            write_jsonl(Dataset(name="d", cases=(Case(id="b", input=value),)), file)
    assert load_dataset(file, root=tmp_path).cases[0].id == "a"
    assert [p.name for p in tmp_path.iterdir()] == ["d.jsonl"]


def test_an_unknown_import_format_lists_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"did you mean 'promptfoo'\?"):
        load_dataset("promptfo:x.yaml", root=tmp_path)
    with pytest.raises(UsageError, match=r"no file 'x\.yaml'"):
        load_dataset("promptfoo:x.yaml", root=tmp_path)


def test_something_that_is_no_source_is_refused() -> None:
    with pytest.raises(DatasetError, match="a name, a path or a pandas frame; got int"):
        load_dataset(5)  # type: ignore[arg-type]
