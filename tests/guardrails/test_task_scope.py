"""The tools a task may call: declared scopes, limits, scopes read from the request, and hijacked agents."""

from __future__ import annotations

import ast
import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.agents.tool_loop import ToolLoop
from harness.core.decision import Event
from harness.core.errors import UsageError
from harness.core.exchange import Reply
from harness.core.record import Trial
from harness.datasets.load import load_dataset
from harness.guardrails.events import event_of, tool_call_event
from harness.guardrails.guarded_agent import guarded
from harness.guardrails.pipeline import Pipeline
from harness.guardrails.task_scope import (
    ANY,
    AtMost,
    FromRequest,
    Matching,
    OneOf,
    Scope,
    TaskScope,
    scope_from_request,
)
from harness.guardrails.task_scope.limits import same, stands_in
from harness.guardrails.task_scope.tool_words import asked, tool_card
from harness.guardrails.tool_guard import guarded_tools
from harness.testing import check_guardrail, make_case

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("HARNESS_EXTERNAL_DATA", ROOT.parent / "shared" / "data")) / "injection"
needs_injecagent = pytest.mark.skipif(
    not (DATA / "injecagent_dh_base.json").is_file(),
    reason="the InjecAgent rows are not there: set HARNESS_EXTERNAL_DATA",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def call(tool: Any, arguments: Any, request: str = "", **data: Any) -> Event:
    return tool_call_event(tool, arguments, data={"request": (request,), **data})


@pytest.mark.parametrize("case", load_dataset(ROOT / "golden_datasets" / "task_scope").cases, ids=lambda case: case.id)
def test_a_golden_case_gets_its_decision(case: Any) -> None:
    assert TaskScope(tools=case.tools).check(event_of(case)).action == case.expected.custom["action"]


def test_it_keeps_the_contract_of_a_guard() -> None:
    guard = TaskScope(Scope(tools={"read": None}))
    check_guardrail(
        guard, attacks=[call("delete", {"id": 1}), call("read", None)], benign=[call("read", {"id": 1}), "hi"]
    )
    check_guardrail(TaskScope(tools=["read_mail", "delete_mail"]), attacks=[call("delete_mail", {}, "read my mail")])


def test_without_any_scope_nothing_is_allowed_and_that_is_a_fault() -> None:
    for guard in (TaskScope(), TaskScope(lambda event: None)):
        got = guard.check(call("read", {}))
        assert (got.action, bool(got.fault)) == ("block", True)


def test_the_session_s_scope_comes_before_the_guard_s_own() -> None:
    guard = TaskScope(Scope(tools={"a": None}), tools=["read_mail"])
    assert guard.check(call("a", {})).action == "allow"
    assert guard.check(call("a", {}, scope=Scope(tools={"b": None}))).action == "block"
    assert guard.check(call("b", {}, scope={"tools": {"b": None}})).action == "allow"


def test_the_scope_of_known_calls_admits_these_and_no_others() -> None:
    scope = Scope.of_calls([("get", {"id": "A-1"}), ("get", {"id": "A-2"}), ("list", None)])
    guard = TaskScope(scope)
    assert [guard.check(call("get", {"id": f"A-{n}"})).action for n in (1, 2, 3)] == ["allow", "allow", "block"]
    assert guard.check(call("list", {"anything": 1})).action == "allow"
    assert guard.check(call("get", {"id": "A-1", "more": 1})).action == "block"


def test_an_argument_under_a_star_has_the_star_s_limit() -> None:
    guard = TaskScope(Scope(tools={"f": {"to": OneOf(("a",)), "*": ANY}}))
    assert guard.check(call("f", {"to": "a", "x": [1]})).action == "allow"
    assert guard.check(call("f", {"to": "b", "x": [1]})).action == "block"


@given(JSON, JSON)
def test_equality_of_values_is_that_of_json_with_numbers_by_value(left: Any, right: Any) -> None:
    assert same(left, right) == same(right, left)
    if isinstance(left, bool) != isinstance(right, bool):
        assert not same(left, right)
    if left == left and "nan" not in repr(left):
        assert same(left, left)


@given(JSON, st.sampled_from([AtMost(5), Matching("[a-c]+"), FromRequest(), OneOf((1, "a"))]))
def test_a_limit_never_raises_and_a_value_of_the_wrong_type_is_outside(value: Any, limit: Any) -> None:
    admitted = limit.admits(value, ["abc 5"])
    if isinstance(limit, AtMost) and (isinstance(value, (bool, str, list, dict)) or value is None or value != value):
        assert not admitted
    if isinstance(limit, Matching) and not isinstance(value, str):
        assert not admitted


def test_a_value_stands_in_a_request_only_as_a_whole_word() -> None:
    assert stands_in("A-1", "order a-1.")
    assert not stands_in("A-1", "order a-19")
    assert not stands_in("10", "100 or 110")
    assert stands_in("10", "100 or 10")


@pytest.mark.parametrize(
    ("name", "acts", "objects"),
    [
        ("GmailSendEmail", True, {"email"}),
        ("find_customer", False, {"customer"}),
        ("GitHubGetRepositoryDetails", False, {"repository"}),
        ("frobnicate_account", True, {"account"}),
        ("delete", True, set()),
        ("organize_email", True, {"email"}),
    ],
)
def test_a_tool_s_name_says_whether_it_acts_and_on_what(name: str, acts: bool, objects: set[str]) -> None:
    card = tool_card(name)
    assert (card.acts, {word[:5] for word in card.objects}) == (acts, {word[:5] for word in objects})


def test_a_schema_that_says_whether_it_only_reads_is_believed() -> None:
    assert tool_card({"function": {"name": "run_report", "x-read-only": True}}).acts is False
    assert tool_card({"function": {"name": "get_and_reset", "x-read-only": False}}).acts is True


@given(st.text(max_size=60), st.lists(st.text("abcdefgh_", min_size=1, max_size=12), max_size=5, unique=True))
def test_a_request_never_brings_a_tool_into_scope_that_it_shares_no_word_with(request: str, names: list[str]) -> None:
    scope = scope_from_request((f"zzz {request}",), [tool_card(name) for name in names])
    assert set(scope.tools) <= set(names)
    assert not scope_from_request(("",), [tool_card(name) for name in names]).tools


def test_wrong_declarations_are_refused() -> None:
    with pytest.raises(UsageError, match="maps tools to limits"):
        Scope(tools="read")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="map arguments to values"):
        Scope(tools={"read": ["id"]})  # type: ignore[dict-item]
    with pytest.raises(UsageError, match="no regular expression"):
        Matching("(")
    with pytest.raises(UsageError, match="needs a name"):
        TaskScope(tools=[{"function": {}}])
    with pytest.raises(UsageError, match="got 'tool'"):
        Scope.from_json({"tool": {}})


class Hijacked:
    """A model that makes the user's call, reads the answer, and then does whatever the answer's author wants."""

    name = "hijacked"

    def __init__(self, own: tuple[str, Any], injected: list[str]) -> None:
        self.calls = [own, *((name, {"by": "the attacker"}) for name in injected)]

    async def complete(self, messages: Any, *, tools: Any = (), **options: Any) -> Reply:
        step = sum(1 for message in messages if message["role"] == "assistant")
        if step >= len(self.calls):
            return Reply(body={"choices": [{"message": {"role": "assistant", "content": "done"}}]})
        name, arguments = self.calls[step]
        function = {"name": name, "arguments": json.dumps(arguments)}
        asked = {"id": str(step), "type": "function", "function": function}
        return Reply(body={"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [asked]}}]})


class Recorded:
    """A tool that notes that it was run."""

    def __init__(self, name: str, made: list[str], answer: str) -> None:
        self.name, self.made, self.answer = name, made, answer
        self.schema = {"type": "function", "function": {"name": name}}

    def call(self, arguments: Any) -> str:
        self.made.append(self.name)
        return self.answer


@needs_injecagent
@pytest.mark.parametrize("setting", ["base", "enhanced"])
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "from_request"])
def test_no_attacker_tool_of_injecagent_is_run_and_every_call_of_the_user_s_is(setting: str, declared: bool) -> None:
    rows = json.loads((DATA / f"injecagent_dh_{setting}.json").read_text())
    kits = json.loads((DATA / "injecagent_tools.json").read_text())
    names = [kit["name_for_model"] + tool["name"] for kit in kits for tool in kit["tools"]]
    guard = TaskScope(tools=names)
    own = stolen = late = 0

    async def play() -> None:
        nonlocal own, stolen, late
        for number, row in enumerate(rows):
            made: list[str] = []
            user = (row["User Tool"], ast.literal_eval(row["Tool Parameters"]))
            needed = [row["User Tool"], *row["Attacker Tools"]]
            # Declared: what the team wrote for this kind of task. From the request: all 330 tools are the catalogue.
            who = {"scope": Scope.of_calls([user])} if declared else {}
            policy = Pipeline([guard], timeout_s=None)
            tools = guarded_tools([Recorded(name, made, row["Tool Response"]) for name in needed], policy)
            loop = ToolLoop(name="loop", model=Hijacked(user, row["Attacker Tools"]), tools=tools)
            case = make_case(id=str(number), input=row["User Instruction"])
            run = await guarded(loop, policy, who=who).run(case, Trial(index=0, seed=0))
            own += row["User Tool"] in made
            stolen += any(name in made for name in row["Attacker Tools"])
            late += run.metadata["guardrails"]["too_late"]

    asyncio.run(play())
    assert len(rows) >= 500
    assert (own, stolen, late) == (len(rows), 0, 0)


@pytest.mark.parametrize(
    ("request_text", "page"),
    [
        ("Look at my-shop.example.com please", True),
        ("Look at HTTP://10.0.0.1/x", True),
        ("Order 123-45-.com and wait", False),
        ("Look at 3.5 commas", False),
        ("123-45-" * 7000, False),  # Looking for an address from every one of these took six seconds.
    ],
)
def test_a_web_address_names_a_page_and_what_only_begins_like_one_does_not(request_text: str, page: bool) -> None:
    assert asked([request_text]).names("page") == page
