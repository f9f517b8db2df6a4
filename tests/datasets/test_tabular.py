"""Tables give the same cases as JSON lines do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.core.case import Case, Dataset
from harness.core.errors import DatasetError
from harness.datasets import BadRows, load_dataset

ROWS: list[dict[str, Any]] = [
    {
        "id": "a",
        "input": "Line 1\nline, 2",
        "tags": ["x", "y"],
        "expected": {"contains": ["one"], "number": 3.5, "max_steps": 4, "tool_calls": [{"name": "f"}]},
        "metadata": {"source": "us"},
    },
    {"id": "b", "input": "[not json]", "severity": "must_pass"},
]


@pytest.fixture
def plain(tmp_path: Path) -> Dataset:
    file = tmp_path / "plain.jsonl"
    file.write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    return load_dataset(file, root=tmp_path)


def load(tmp_path: Path, name: str, text: str | bytes) -> tuple[Case, ...]:
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_dataset(file, root=tmp_path).cases


def test_csv_gives_the_same_cases(tmp_path: Path, plain: Dataset) -> None:
    text = (
        "id,input,tags,expected.contains,expected.number,expected.max_steps,expected.tool_calls,metadata.source,severity\n"
        'a,"Line 1\nline, 2","[""x"", ""y""]",one,3.5,4,"[{""name"": ""f""}]",us,\n'
        "b,[not json],,,,,,,must_pass\n"
    )
    assert load(tmp_path, "t.csv", b"\xef\xbb\xbf" + text.replace("\n", "\r\n").replace("1\r\n", "1\n").encode()) == (
        plain.cases
    )


def test_a_csv_column_may_say_that_it_is_json(tmp_path: Path) -> None:
    cases = load(tmp_path, "t.csv", 'id,input:json,metadata.n:json\na,"[{""role"": ""user"", ""content"": ""x""}]",7\n')
    assert cases[0].text == "x"
    assert cases[0].metadata == {"n": 7}


def test_csv_mistakes_name_the_line_where_the_row_begins(tmp_path: Path) -> None:
    text = 'id,input,expected.max_steps\na,"two\nlines",1\nb,x,many\nc,x\nd,x,1,extra\ne,x,-2\n'
    with pytest.raises(BadRows) as caught:
        load(tmp_path, "t.csv", text)
    assert [p.line for p in caught.value.problems] == [4, 5, 6, 7]
    assert "t.csv:4: expected.max_steps = 'many': is not JSON" in str(caught.value)
    assert "has 2 cells under 3 columns" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "has no rows"),
        (b"id,input\n", "has no rows"),
        (b"id,id,input\na,b,c\n", "stands twice in the heading"),
        (b"id,inputt\na,b\n", "did you mean 'input'"),
        (b"id,input\na,\xff\n", "is not UTF-8"),
        (b'id,input\na,"open\n', "is not CSV"),
        (b'id,input,metadata,metadata.x\na,b,"{""y"": 1}",2\n', None),
        (b"id,input,expected,expected.answer\na,b,5,x\n", "already holds a value"),
    ],
)
def test_each_kind_of_bad_csv_is_named(tmp_path: Path, text: bytes, message: str | None) -> None:
    if message is None:
        assert load(tmp_path, "t.csv", text)[0].metadata == {"y": 1, "x": "2"}
        return
    with pytest.raises(BadRows, match=message):
        load(tmp_path, "t.csv", text)


def test_a_large_csv_cell_is_read_and_the_limit_of_others_is_left_alone(tmp_path: Path) -> None:
    import csv

    before = csv.field_size_limit()
    assert load(tmp_path, "t.csv", "id,input\na," + "x" * 300_000 + "\n")[0].input == "x" * 300_000
    assert csv.field_size_limit() == before


def test_yaml_and_json_give_the_same_cases(tmp_path: Path, plain: Dataset) -> None:
    import yaml

    assert load(tmp_path, "t.yaml", yaml.safe_dump(ROWS)) == plain.cases
    assert load(tmp_path, "t.yml", yaml.safe_dump({"cases": ROWS})) == plain.cases
    assert load(tmp_path, "t.json", json.dumps(ROWS)) == plain.cases
    assert load(tmp_path, "t2.json", json.dumps({"cases": ROWS})) == plain.cases


def test_yaml_mistakes_name_their_line(tmp_path: Path) -> None:
    text = "# cards\n- id: a\n  input: x\n- id: b\n  input: 2024-01-01\n"
    text += "- id: c\n  id: d\n  input: x\n- {id: e, inputs: x}\n"
    with pytest.raises(BadRows) as caught:
        load(tmp_path, "t.yaml", text)
    told = str(caught.value)
    assert "t.yaml:4: input = '2024-01-01': is a date; write it as a text, in quotes" in told
    assert "t.yaml:6: id: stands twice in one mapping" in told
    assert "t.yaml:9: inputs = 'x': unknown field; did you mean 'input'?" in told


@pytest.mark.parametrize("text", ["a: [", "just text", "- !!python/object/apply:os.system ['true']", "- - x"])
def test_yaml_that_is_none_or_no_list_of_cases_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadRows, match=r"t\.yaml"):
        load(tmp_path, "t.yaml", text)


def test_frames_and_parquet_give_the_same_cases(tmp_path: Path, plain: Dataset) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    flat = pandas.DataFrame(
        {
            "id": ["a", "b"],
            "input": ["Line 1\nline, 2", "[not json]"],
            "tags": [["x", "y"], None],
            "expected.contains": ["one", None],
            "expected.number": [3.5, float("nan")],
            "expected.max_steps": [4, None],
            "expected.tool_calls": ['[{"name": "f"}]', None],
            "metadata.source": ["us", None],
            "severity": [None, "must_pass"],
        },
        index=[7, 7],
    )
    dataset = load_dataset(flat, name="mine")
    assert (dataset.name, dataset.cases) == ("mine", plain.cases)
    flat.to_parquet(tmp_path / "t.parquet")
    assert load_dataset(tmp_path / "t.parquet", root=tmp_path).cases == plain.cases
    deep = pandas.DataFrame(ROWS)
    deep.to_parquet(tmp_path / "deep.parquet")
    assert load_dataset(tmp_path / "deep.parquet", root=tmp_path).cases == plain.cases
    assert load_dataset(deep).cases == plain.cases


def test_frames_name_the_row_and_what_cannot_be_json(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"id": ["a", "b"], "input": ["x", pandas.Timestamp("2024-01-01")]})
    with pytest.raises(BadRows, match=r"frame:2: input = '2024-01-01 00:00:00': is a Timestamp; write it as a text"):
        load_dataset(frame)
    with pytest.raises(BadRows, match="has no rows"):
        load_dataset(pandas.DataFrame())


def test_a_file_that_is_not_parquet_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(DatasetError, match="not Parquet"):
        load(tmp_path, "t.parquet", b"PAR1 no")
