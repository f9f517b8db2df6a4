"""Minimal diff: the laws of distance and multiplier, on real files and on generated programs."""

from __future__ import annotations

import ast
import asyncio
import pickle
import random
import subprocess
import sys
import sysconfig
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.core.case import Expectation
from harness.core.errors import UsageError
from harness.rewards import Edit, EditSource, MinimalDiff, MinimalDiffEvaluator, Unparsable, measured
from harness.rewards.minimal_diff.alignment import common_subsequence
from harness.rewards.minimal_diff.distance import tree_distance
from harness.rewards.minimal_diff.grammar import language_of
from harness.rewards.minimal_diff.measure import Trees
from harness.rewards.minimal_diff.picture import MAX_ROWS, picture
from harness.rewards.minimal_diff.tree import SourceTree
from harness.testing import make_case, make_trajectory, score

STANDARD = Path(sysconfig.get_paths()["stdlib"])
FILES = {name: (STANDARD / name).read_text("utf-8") for name in ("textwrap.py", "heapq.py", "fractions.py", "shlex.py")}
BASE = {
    "a.py": "def total(rows):\n    out = 0\n    for row in rows:\n        out += row.price\n    return out\n",
    "a.js": "export function total(rows) {\n  let out = 0;\n  for (const row of rows) out += row.price;\n"
    "  return out;\n}\n",
    "a.ts": "export function total(rows: Row[]): number {\n  let out = 0;\n"
    "  for (const row of rows) out += row.price;\n  return out;\n}\n",
    "a.tsx": "export const Total = ({ rows }: Props) => <p>{rows.map((row) => row.price * 1).join()}</p>;\n",
}
UNUSED = {
    ".py": "\n\ndef helper_{k}(value):\n    return value + {k}\n",
    ".js": "\nfunction helper_{k}(value) {{\n  return value + {k};\n}}\n",
    ".ts": "\nfunction helper_{k}(value: number) {{\n  return value + {k};\n}}\n",
    ".tsx": "\nfunction helper_{k}(value: number) {{\n  return value + {k};\n}}\n",
}


def distance(before: str, after: str, path: str = "a.py") -> int:
    return Trees().between({path: before}, {path: after})[0].total


def reward(before: dict[str, str], after: dict[str, Any], gold: dict[str, str] | None = None, **more: Any) -> float:
    case = make_case(input={"files": before}, expected=Expectation(custom={"gold_files": gold} if gold else {}))
    return MinimalDiff(**more).reward(make_trajectory(state={"files": after}), case)


# -- layout ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("style", [["--line-length", "60"], ["--config", "format.quote-style='single'"]], ids=str)
def test_a_formatter_changes_no_tree(name: str, style: list[str]) -> None:
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip("ruff is not installed beside this Python")
    done = subprocess.run(
        [ruff, "format", "--isolated", "-", *style], input=FILES[name], capture_output=True, text=True
    )
    assert done.stdout != FILES[name]
    assert distance(FILES[name], done.stdout) == 0


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("a.py", "x = (1)", "x = 1  # one"),
        ("a.py", "x = 'a' \"b\"", 'x = "ab"'),
        ("a.py", "x = 0XFF + 1_000", "x = 0xff + 1000"),
        ("a.py", "def f():\n    '''Say\n    it.'''", 'def f():\n        """Say it."""'),
        ("a.py", "return_value = (1, 2,)", "return_value = 1, 2"),
        ("a.py", "x = f'{a}' 'it\\'s'", 'x = f"{a}it\'s"'),
        ("a.js", "const f = x => { return 'a' }", 'const f = (x) => {\n  return "a";\n};'),
        ("a.js", "if ((a)) { b() }", "// why\nif (a) {\n  b();\n}"),
        ("a.js", "f({'key': 1,})", "f({ key: 1 })"),
        ("a.ts", "const f = x => 1", "const f = (x) => 1;"),
        ("a.tsx", "const a = <p>  two\n   words</p>", "const a = (\n  <p>two words</p>\n);"),
    ],
)
def test_two_spellings_of_one_program_are_equal(path: str, one: str, other: str) -> None:
    assert distance(one, other, path) == 0


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("a.py", "x = 1", "x = 1.0"),
        ("a.py", "x = 'a'", "x = b'a'"),
        ("a.py", "a[1:]", "a[:1]"),
        ("a.py", "a[1,]", "a[1]"),
        ("a.py", "(x, ) = y", "(x) = y"),
        ("a.py", "(a < b) < c", "a < b < c"),
        ("a.py", "if a:\n    b()\n    c()", "if a:\n    b()\nc()"),
        ("a.py", "x = '\\n'", "x = 'n'"),
        ("a.js", "[,a]", "[a]"),
        ("a.js", "(a?.b).c", "a?.b.c"),
        ("a.js", "let a = 1", "const a = 1"),
        ("a.js", "a == b", "a === b"),
        ("a.ts", "let a: string", "let a: number"),
    ],
)
def test_two_programs_that_differ_in_meaning_are_not_equal(path: str, one: str, other: str) -> None:
    assert distance(one, other, path) > 0


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.integers(0, 10**6))
def test_for_python_equal_trees_are_equal_syntax_trees(name: str, seed: int) -> None:
    chance = random.Random(seed)
    words = FILES[name].split(" ")
    at = chance.randrange(len(words))
    words[at] = chance.choice(["", "not ", "x", "+", words[at] + " ", words[at - 1], "(" + words[at] + ")"])
    after = " ".join(words)
    try:
        same = _meaning(FILES[name]) == _meaning(after)
        found = distance(FILES[name], after)
    except (SyntaxError, Unparsable):
        assume(False)
        return
    assert (found == 0) == same


def _meaning(text: str) -> str:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            node.value.value = " ".join(node.value.value.split())
    return ast.dump(tree)


# -- distance --------------------------------------------------------------------------------------------------------

STATEMENTS = st.lists(
    st.sampled_from(
        ["a = 1", "b = a + 1", "print(a, b)", "if a:\n    b = 2\n    c = 3", "for x in b:\n    a += x", "f(g(h(1)))"]
    ),
    max_size=12,
)


@given(STATEMENTS, STATEMENTS)
def test_the_distance_is_symmetric_bounded_and_zero_only_for_equal_trees(a: list[str], b: list[str]) -> None:
    one, other = "\n".join(a) + "\n", "\n".join(b) + "\n"
    trees = [SourceTree(text, "a.py").root for text in (one, other)]
    there, back = tree_distance([(trees[0], trees[1])]), tree_distance([(trees[1], trees[0])])
    assert there.total == back.total
    assert (there.deleted, there.inserted) == (back.inserted, back.deleted)
    assert 0 <= there.total <= trees[0].size + trees[1].size
    assert (there.total == 0) == (trees[0].hash == trees[1].hash)
    assert trees[0].size - there.deleted + there.inserted == trees[1].size


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.sampled_from(sorted(FILES)))
def test_real_files_are_as_far_from_each_other_both_ways(one: str, other: str) -> None:
    assert distance(FILES[one], FILES[other]) == distance(FILES[other], FILES[one])


@given(st.lists(st.integers(0, 6), max_size=40), st.lists(st.integers(0, 6), max_size=40))
def test_a_common_subsequence_is_common_and_a_subsequence(a: list[int], b: list[int]) -> None:
    pairs = common_subsequence(a, b)
    assert all(a[i] == b[j] for i, j in pairs)
    assert all(x < y and u < v for (x, u), (y, v) in pairwise(pairs))


def test_a_statement_that_was_wrapped_or_moved_is_not_paid_twice() -> None:
    body = "    send(message.to, message.subject, message.body)\n    log('sent', message.id)\n"
    before = f"def one(message):\n{body}\n\ndef two(message):\n    return None\n"
    wrapped = (
        "def one(message):\n    if message:\n"
        + body.replace("    ", "        ")
        + "\n\ndef two(message):\n    return None\n"
    )
    found = Trees().between({"a.py": before}, {"a.py": wrapped})[0]
    assert (found.moves, found.deleted) == (2, 0)  # two statements
    assert found.total < 8


def test_a_renamed_file_is_a_move() -> None:
    found = Trees().between({"a.py": FILES["heapq.py"]}, {"b.py": FILES["heapq.py"]})[0]
    assert (found.moves, found.total) == (1, 1)


@pytest.mark.parametrize(
    "text",
    ["x = " + "(" * 150 + "1" + ")" * 150, "x = " + "1 + " * 4000 + "1", "f(" * 300 + ")" * 300],
    ids=["parentheses", "sums", "calls"],
)
def test_deep_sources_do_not_exhaust_the_stack(text: str) -> None:
    assert distance(text + "\ny = 1\n", text + "\ny = 2\n") == 1


# -- multiplier ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", BASE)
@pytest.mark.parametrize("with_gold", [True, False])
def test_each_further_unused_helper_lowers_the_multiplier(path: str, with_gold: bool) -> None:
    before = {path: BASE[path]}
    gold = {path: BASE[path].replace("row.price", "row.price * row.count")}
    values, after = [], gold[path]
    for k in range(6):
        values.append(reward(before, {path: after}, gold if with_gold else None))
        after += UNUSED[path[path.rindex(".") :]].format(k=k)
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 6
    assert values[0] == 1.0 if with_gold else values[0] < 1.0
    assert values[-1] > 0.5


@given(st.integers(1, 4000), st.integers(0, 4000), st.floats(0, 0.9))
def test_the_multiplier_lies_between_floor_and_one(lines: int, kept: int, floor: float) -> None:
    after = {"a.py": BASE["a.py"] + "".join(f"x{at % 97} = {at}\n" for at in range(min(lines, 300)))}
    assert floor <= reward({"a.py": BASE["a.py"]}, after, floor=floor) <= 1


def test_no_source_change_earns_nothing() -> None:
    before = {**BASE, "notes.md": "old"}
    assert reward(before, {}) == 0.0
    assert reward(before, {"notes.md": "new"}) == 0.0
    assert reward(before, {"a.py": "# remark\n" + BASE["a.py"]}) == 0.0


def test_an_edit_below_the_reference_gets_no_more_than_the_reference() -> None:
    before = {"a.py": BASE["a.py"]}
    gold = {"a.py": BASE["a.py"].replace("row.price", "row.price * row.count + row.tax")}
    assert (
        reward(before, {"a.py": BASE["a.py"].replace("out = 0", "out = 1")}, gold) == reward(before, gold, gold) == 1.0
    )


def test_identical_programs_have_similarity_one_and_deleted_files_count() -> None:
    case = make_case(input={"files": BASE})
    assert MinimalDiff().measure(make_trajectory(state={"files": {}}), case).similarity == 1.0
    gone = MinimalDiff().measure(make_trajectory(state={"files": {"a.py": None}}), case)
    assert (gone.similarity, gone.size_after) == (0.0, 0)


def test_an_unparsable_file_is_not_measured_and_names_its_line() -> None:
    case, run = make_case(input={"files": BASE}), make_trajectory(state={"files": {"a.py": "def f():\n    return (\n"}})
    found = score(MinimalDiffEvaluator(), run, case)
    assert (found.measured, found.expected_nothing) == (False, False)
    assert "a.py:" in found.reason
    got = asyncio.run(measured(MinimalDiff(), run, case))
    assert got.value is None
    assert got.error is not None
    assert got.error.type == "Unparsable"


@pytest.mark.parametrize("state", [None, {}, {"files": 3}, {"files": {"a.py": 3}}, {"files": {1: "x"}}])
def test_what_an_agent_left_that_is_no_set_of_files_is_an_error(state: Any) -> None:
    found = score(MinimalDiffEvaluator(), make_trajectory(state=state), make_case(input={"files": BASE}))
    assert not found.measured
    assert "files" in found.reason


def test_the_parts_and_the_picture_are_carried() -> None:
    case = make_case(input={"files": BASE})
    run = make_trajectory(state={"files": {"a.py": BASE["a.py"].replace("price", "cost")}})
    got = asyncio.run(measured(MinimalDiff(), run, case))
    assert got.parts["distance"] == 1.0
    assert got.value == got.parts["multiplier"]
    found = score(MinimalDiffEvaluator(at_least=0.9), run, case)
    assert found.passed is True
    rows = found.evidence["picture"][0]["rows"]
    assert [4, "        out += row.price", 4, "        out += row.cost", "~"] in rows


def test_the_picture_is_bounded() -> None:
    edit = Edit(before={"a.py": "x\n" * 5000}, after={"a.py": "y" * 100_000 + "\n" + "z\n" * 5000})
    shown = picture(edit)
    assert sum(len(one["rows"]) for one in shown) <= MAX_ROWS
    assert max(len(row[3]) for one in shown for row in one["rows"]) <= 160


def test_the_reward_travels_to_other_processes_and_refuses_odd_settings() -> None:
    assert pickle.loads(pickle.dumps(MinimalDiff(floor=0.25))).floor == 0.25
    for odd in ({"floor": 1.0}, {"floor": -0.1}, {"slack": 0}, {"per_scaffold": 0.0}, {"per_scaffold": 1.5}):
        with pytest.raises(UsageError):
            MinimalDiff(**odd)


def test_ignored_paths_are_left_out() -> None:
    source = EditSource(ignored=("vendor/",))
    assert reward(BASE, {"vendor/a.py": "x = 1\n"}, source=source) == 0.0
    assert language_of("Makefile") is None
