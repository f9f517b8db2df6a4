"""Policies over tool calls: golden cases, what a policy is shown, two back ends, an OPA server."""

from __future__ import annotations

import importlib.util
import json
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.decision import Event
from harness.core.errors import MissingDependency, UsageError
from harness.datasets.load import load_dataset
from harness.guardrails.events import event_of, tool_call_event
from harness.guardrails.opa import OpaPolicy
from harness.guardrails.policy import SHIPPED, Policy, Unfit, document
from harness.guardrails.policy.document import INPUT
from harness.guardrails.rego import type_of
from harness.guardrails.rego.typing import Many, Record, Type
from harness.testing import check_guardrail

ROOT = Path(__file__).resolve().parents[2]
CASES = load_dataset(ROOT / "golden_datasets" / "policy").cases
CONFIG = {
    "internal_domains": ["example.com", "example.org"],
    "tenant_tools": ["query_orders", "export_data"],
    "allowed_tools": ["query_orders"],
}
WRONG = {"fine-07"}
"""A folder called "trash" is taken for a deletion."""
HAS_REGOPY = importlib.util.find_spec("regopy") is not None
needs_regopy = pytest.mark.skipif(not HAS_REGOPY, reason="needs regopy: pip install 'harness[policy]'")
BACKENDS = ["python", pytest.param("both", marks=needs_regopy)]


@pytest.fixture(scope="module")
def guards() -> dict[tuple[str, str], Policy]:
    backends = ["python", *(["both"] if HAS_REGOPY else [])]
    return {(name, backend): Policy(name, config=CONFIG, backend=backend) for name in SHIPPED for backend in backends}  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_golden_case_gets_its_decision(case: Any, backend: str, guards: dict[tuple[str, str], Policy]) -> None:
    got = guards[case.expected.custom["policy"], backend].check(event_of(case))
    assert got.fault == ""
    assert (got.action == case.expected.custom["action"]) is (case.id not in WRONG)


def test_it_keeps_the_contract_of_a_guard() -> None:
    call = tool_call_event("query_orders", {"tenant_id": "acme"}, data={"tenant": "acme"})
    drop = tool_call_event("sql", {"query": "DROP TABLE orders"}, data={"tenant": "acme"})
    check_guardrail(Policy(SHIPPED, config=CONFIG), attacks=[drop], benign=[call, "hello"])


def test_every_policy_must_allow_and_the_first_that_does_not_is_named() -> None:
    guard = Policy(["no_deletes", "no_external"], config=CONFIG)
    got = guard.check(tool_call_event("delete_user", {"mail": "eve@example.net"}))
    assert got.findings[0].category == "harness.no_deletes"


def fits(value: Any, kind: Type) -> bool:
    """Whether a value is of a type, every field there and none more."""
    if isinstance(kind, Record):
        fields = dict(kind.fields)
        return (
            isinstance(value, dict) and value.keys() == fields.keys() and all(fits(value[k], fields[k]) for k in fields)
        )
    if isinstance(kind, Many):
        return isinstance(value, list) and kind.of is not None and all(fits(one, kind.of) for one in value)
    return type_of(value) == kind


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["a@b.c", "//x.y", "{}"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, JSON, JSON)
def test_whatever_the_call_is_a_policy_is_shown_the_one_shape_or_nothing(tool: Any, arguments: Any, who: Any) -> None:
    event = Event(
        kind="tool_call", data={"tool": tool, "arguments": arguments, "user": who, "tenant": who, "roles": who}
    )
    try:
        shown = document(event)
    except Unfit:
        return
    assert fits(shown, INPUT)
    json.dumps(shown, allow_nan=False)


def test_what_cannot_be_shown_to_a_policy_is_blocked_and_is_no_fault() -> None:
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    guard = Policy("no_deletes")
    for wrong in (
        {"n": 2**53 + 1},
        {"n": float("inf")},
        {"n": 10**400},
        {"x": deep},
        {"x": ["y"] * 20_001},
        {"x": object()},
        None,
    ):
        got = guard.check(tool_call_event("f", wrong))
        assert (got.action, got.findings[0].category, got.fault) == ("block", "unfit", "")
    text = tool_call_event("f", {"x": "y" * 2_000_001})
    assert "characters" in guard.check(text).reason


@pytest.mark.parametrize(
    ("text", "verbs"),
    [
        ("DELETE FROM users", {"delete"}),
        ("ls; rm -rf /", {"rm"}),
        ("x /**/ DROP  TABLE y", {"drop"}),
        ("Remove the battery first.", set()),
        ("os.remove('x')", {"os", "remove"}),
        ("purge_all", {"purge"}),
        ("sudo rm ~/x", {"rm"}),
    ],
)
def test_commands_are_told_from_prose(text: str, verbs: set[str]) -> None:
    assert set(document(tool_call_event("f", {"q": text}))["verbs"]) == {"f", *verbs}


def test_a_policy_of_one_s_own_is_read_from_text_or_file_and_checked_when_loaded(tmp_path: Path) -> None:
    text = """package own
import rego.v1
default allow := false
allow if {
    some amount in input.numbers
    amount.key == `usd`
    amount.number <= data.config.limit
}
"""
    path = tmp_path / "own.rego"
    path.write_text(text)
    for given_ in (text, path, str(path)):
        guard = Policy(given_, config={"limit": 50})
        assert guard.check(tool_call_event("refund", {"usd": 50})).action == "allow"
        assert guard.check(tool_call_event("refund", {"usd": 50.000001})).action == "block"
        for amount in ("51", "5,000.00 USD", "$60", "1e9", "\uff19\uff19", 10**9, "inf", True, None, [], "9" * 40):
            assert guard.check(tool_call_event("refund", {"usd": amount})).action == "block", amount
        assert guard.check(tool_call_event("refund", {"usd": "$ 49.99"})).action == "allow"
    with pytest.raises(UsageError, match=r"own\.rego, line 7: data\.config has no field 'limit'"):
        Policy(path)
    with pytest.raises(UsageError, match="cannot be read"):
        Policy("no_delete")
    with pytest.raises(UsageError, match="at least one policy"):
        Policy([])
    with pytest.raises(UsageError, match="backend must be"):
        Policy("no_deletes", backend="opa")  # type: ignore[arg-type]


def test_without_regopy_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "regopy", None)
    with pytest.raises(MissingDependency, match=r"harness\[policy\]"):
        Policy("no_deletes", backend="regopy")


def test_two_back_ends_that_disagree_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("regopy", reason="needs regopy: pip install 'harness[policy]'")
    guard = Policy("no_deletes", backend="both")
    monkeypatch.setattr("harness.guardrails.rego.regopy_engine.RegopyEngine.allows", lambda self, given: False)
    got = guard.check(tool_call_event("get", {}))
    assert (got.action, got.fault) == ("block", "harness.no_deletes: the two back ends disagree")


WORDS = ["delete", "DELETE", "get", "rm -rf /", "DROP TABLE x", "acme", "globex", "a@example.com", "eve@example.net"]
WORDS += [
    "https://api.example.com/v1",
    "http://evil.test",
    "x\x00y",
    'quo"te',
    "back\\slash",
    "new\nline",
    "É",
    "ß",
    "İ",
]
WORDS += [
    "\u202e",
    "😀",
    "",
    "1.5",
    "(?i)x",
    "10.0.0.0/8",
    '{"action": "purge"}',
    "\ufeff",
    "%22",
    "\uff44\uff45\uff4c\uff45\uff54\uff45",
    "`",
]
KEYS = ["q", "to", "tenant_id", "tenantId", "org", "delete", "body", "É", 'a"b', ""]


def random_call(rng: random.Random) -> Event:
    def value(depth: int) -> Any:
        roll = rng.random()
        if depth < 3 and roll < 0.2:
            return {rng.choice(KEYS): value(depth + 1) for _ in range(rng.randint(0, 3))}
        if depth < 3 and roll < 0.35:
            return [value(depth + 1) for _ in range(rng.randint(0, 3))]
        if roll < 0.5:
            return rng.choice([0, 1, -1, 2**53, 2**53 + 1, 10**30, 0.1, 1e-9, -0.0, 1.5, True, False, None, 1e300])
        return rng.choice(WORDS)

    tool = rng.choice(["query_orders", "export_data", "delete_user", "get", "É", "", "a\x00b", "list_deleted"])
    arguments: Any = {rng.choice(KEYS): value(0) for _ in range(rng.randint(0, 4))}
    if rng.random() < 0.02:
        arguments = rng.choice([None, [], "x"])
    data = {"tool": tool, "arguments": arguments, "tenant": rng.choice(["acme", "globex", "", None, 4]), "user": "u"}
    return Event(kind="tool_call", data=data)


@needs_regopy
def test_both_back_ends_decide_ten_thousand_generated_calls_alike(guards: dict[tuple[str, str], Policy]) -> None:
    rng = random.Random(20260101)
    counts = {"allow": 0, "block": 0}
    for number in range(10_000):
        event = random_call(rng)
        got = guards[SHIPPED[number % len(SHIPPED)], "both"].check(event)
        assert got.fault == "", event
        counts[got.action] += 1
    assert min(counts.values()) > 1500, counts


class FakeOpa(BaseHTTPRequestHandler):
    """As much of OPA's REST API as is asked of it."""

    answers: Any = b'{"result": true}'
    status = 200
    asked: list[tuple[str, Any, str]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.path, body, self.headers.get("Authorization", "")))
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.answers)

    def log_message(self, *given: Any) -> None:
        pass


@pytest.fixture
def opa() -> Iterator[tuple[type[FakeOpa], str]]:
    handler = type("Handler", (FakeOpa,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield handler, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_opa_server_is_asked_over_rest_and_its_true_allows(opa: tuple[type[FakeOpa], str]) -> None:
    handler, url = opa
    guard = OpaPolicy(url, rule="agent.calls/allow", token="t0")
    assert guard.check(tool_call_event("get", {"q": 1}, data={"tenant": "acme"})).action == "allow"
    ((path, body, auth),) = handler.asked
    assert (path, auth) == ("/v1/data/agent/calls/allow", "Bearer t0")
    assert fits(body["input"], INPUT)
    check_guardrail(guard, benign=[tool_call_event("get", {})])


@pytest.mark.parametrize(
    ("status", "answer", "fault"),
    [
        (200, b'{"result": false}', ""),
        (200, b"{}", "the rule is undefined, or no boolean"),
        (200, b'{"result": "true"}', "the rule is undefined, or no boolean"),
        (200, b'{"result": 1}', "the rule is undefined, or no boolean"),
        (200, b"[true]", "the rule is undefined, or no boolean"),
        (200, b"not json", "no answer: JSONDecodeError"),
        (500, b'{"result": true}', "status 500"),
        (302, b'{"result": true}', "status 302"),
        (200, b"[" * 100_000, "no answer: RecursionError"),
    ],
)
def test_anything_but_a_plain_true_denies(
    opa: tuple[type[FakeOpa], str], status: int, answer: bytes, fault: str
) -> None:
    handler, url = opa
    handler.status, handler.answers = status, answer
    got = OpaPolicy(url, rule="agent/allow").check(tool_call_event("get", {}))
    assert (got.action, got.fault) == ("block", fault)


def test_an_opa_server_that_is_not_there_is_a_fault_and_a_wrong_address_is_refused() -> None:
    got = OpaPolicy("http://127.0.0.1:9", rule="a/allow", timeout_s=1).check(tool_call_event("get", {}))
    assert (got.action, got.fault[:9]) == ("block", "no answer")
    for url, rule in (("localhost:8181", "a/allow"), ("http://x", ""), ("http://x", "data/a"), ("http://[", "a")):
        with pytest.raises(UsageError):
            OpaPolicy(url, rule=rule)


@settings(max_examples=30)
@given(st.sampled_from(CASES), st.text(" \t\n", max_size=5), st.booleans())
def test_a_decision_does_not_change_with_order_of_keys_and_white_space_around_texts(
    case: Any, space: str, last: bool
) -> None:
    event = event_of(case)
    guard = Policy(case.expected.custom["policy"], config=CONFIG)
    arguments = dict(event.data["arguments"])
    extra = {"zz_note": f"{space}ok{space}"}
    changed = {**arguments, **extra} if last else {**extra, **arguments}
    again = tool_call_event(event.data["tool"], changed, data={"tenant": event.data["tenant"]})
    assert guard.check(again).action == guard.check(event).action
