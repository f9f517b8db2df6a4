"""Guards in a row: order, redaction, faults, deadlines."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.decision import Decision, Event, Finding
from harness.core.errors import UsageError
from harness.guardrails.offsets import align, carried_back
from harness.guardrails.pipeline import Only, Pipeline
from harness.testing import check_guardrail


class Word:
    """Redacts, blocks or escalates on a word."""

    version = "1"

    def __init__(self, word: str, *, action: str = "block", name: str = "", put: str = "[gone]") -> None:
        self.word, self.action, self.put, self.name = word, action, put, name or f"no-{word}"
        self.seen: list[str] = []

    def check(self, event: Event) -> Decision:
        self.seen.append(event.text)
        findings, at = [], event.text.find(self.word)
        while at >= 0:
            findings.append(Finding(category="word", start=at, end=at + len(self.word)))
            at = event.text.find(self.word, at + len(self.word))
        if not findings:
            return Decision(action="allow", guard=self.name)
        text = event.text.replace(self.word, self.put) if self.action == "redact" else None
        return Decision(action=self.action, guard=self.name, findings=tuple(findings), text=text)  # type: ignore[arg-type]


class Later(Word):
    async def check(self, event: Event) -> Decision:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().check(event)


class Broken:
    name = "broken"

    def __init__(self, does: object) -> None:
        self.does = does

    def check(self, event: Event) -> Decision:
        if isinstance(self.does, BaseException):
            raise self.does
        return self.does() if callable(self.does) else self.does  # type: ignore[return-value]


def both(pipeline: Pipeline, event: Event) -> Decision:
    """The decision, the same by both doors."""
    sync, later = pipeline.check_sync(event), asyncio.run(pipeline.check(event))
    assert sync == later
    return sync


def said(text: str) -> Event:
    return Event(kind="input", text=text)


def test_the_first_guard_that_stops_an_event_decides_and_the_rest_is_not_asked() -> None:
    last = Word("a")
    got = both(Pipeline([Word("x"), Later("b"), last]), said("a b"))
    assert (got.action, got.guard, last.seen) == ("block", "no-b", [])


def test_a_guard_sees_what_the_guards_before_it_redacted() -> None:
    second = Later("gone")
    got = both(Pipeline([Word("secret", action="redact"), second]), said("my secret"))
    assert (got.action, got.guard, got.text) == ("block", "no-gone", None)
    assert second.seen[-1] == "my [gone]"


def test_findings_of_a_later_guard_point_into_the_original_text() -> None:
    text = "my secret is the cat"
    pipeline = Pipeline([Word("secret", action="redact", put="#"), Word("cat", action="redact", put="dog")])
    got = both(pipeline, said(text))
    assert got.text == "my # is the dog"
    assert [text[f.start : f.end] for f in got.findings] == ["secret", "cat"]


def test_an_offset_is_not_claimed_where_the_redaction_can_be_read_in_two_ways() -> None:
    # "x" stands for the first or the second "aa": the kept piece "-" fits twice into the new text.
    spans = (Finding(category="w", start=0, end=1), Finding(category="w", start=2, end=3))
    assert align("a-a", "---", spans) is None
    (got,) = carried_back([Finding(category="late", start=1, end=2)], [None])
    assert (got.category, got.start, got.end) == ("late", None, None)


@given(
    st.lists(st.tuples(st.text("abc ", max_size=6), st.text("xyz", max_size=4), st.text("XYZ", max_size=4)), max_size=6)
)
def test_every_offset_of_kept_text_is_carried_back_exactly_or_not_claimed(parts: list[tuple[str, str, str]]) -> None:
    before = after = ""
    spans, kept = [], []
    for literal, gone, put in parts:
        kept += [(len(after) + i, len(before) + i) for i in range(len(literal))]
        before, after = before + literal, after + literal
        if gone:
            spans.append(Finding(category="w", start=len(before), end=len(before) + len(gone)))
            before, after = before + gone, after + put
    alignment = align(before, after, spans)
    if alignment is None:
        return
    for new, old in kept:
        assert alignment.back(new, new + 1) == (old, old + 1)
    first, last = alignment.back(0, len(after))
    assert all(first <= old < last for _, old in kept)


@pytest.mark.parametrize(
    ("does", "fault"),
    [
        (ValueError("SSN 078-05-1120"), "crash: ValueError"),
        (TimeoutError(), "crash: TimeoutError"),
        (None, "answered with NoneType"),
        (True, "answered with bool"),
        (Decision(action="allow", fault="half"), "half"),
        (Decision(action="pass"), "unknown action"),  # type: ignore[arg-type]
        (Decision(action="redact"), "redact without a text"),
        (Decision(action="allow", findings=(Finding(category="x", start=0, end=99),)), "outside the text"),
        (Decision(action="allow", findings=("x",)), "findings"),  # type: ignore[arg-type]
    ],
)
def test_a_broken_guard_blocks_with_a_fault_and_says_nothing_of_what_it_read(does: object, fault: str) -> None:
    got = both(Pipeline([Broken(does)]), said("hello"))
    assert got.action == "block"
    assert not got.detected
    assert "078" not in repr(got)
    assert fault in got.fault


def test_a_guard_that_is_missing_blocks_everything() -> None:
    for pipeline in (Pipeline([None]), Pipeline([Word("x")], required=["pii"]), Pipeline([Word("x"), None])):
        got = both(pipeline, said("hello"))
        assert (got.action, got.fault[:8]) == ("block", "missing:")
        assert both(pipeline.fresh(), said("hello")).fault


def test_a_sync_guard_that_hangs_is_late_and_blocks_and_so_does_one_that_hangs_too_often() -> None:
    release = threading.Event()
    pipeline = Pipeline([Broken(release.wait)], timeout_s=0.02)
    try:
        assert both(pipeline, said("x")).fault == "timeout"
        faults = [pipeline.check_sync(said("x")).fault for _ in range(12)]
        assert faults[-1] == "timeout: too many calls hang"
    finally:
        release.set()


def test_hanging_calls_that_come_back_give_their_place_back() -> None:
    release = threading.Event()
    guard = Broken(release.wait)
    pipeline = Pipeline([guard], timeout_s=0.02)
    assert {pipeline.check_sync(said("x")).fault for _ in range(10)} == {"timeout", "timeout: too many calls hang"}
    release.set()
    guard.does = Decision(action="allow")
    deadline = time.monotonic() + 10
    while pipeline.check_sync(said("x")).action != "allow":
        assert time.monotonic() < deadline


def test_fresh_pipelines_share_threads_and_idle_threads_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.guardrails.deadline.IDLE_S", 0.2)
    pipeline = Pipeline([Word("x", name="threads-of-mine")])
    for _ in range(100):
        pipeline.fresh().check_sync(said("y"))

    def mine() -> int:
        return sum("threads-of-mine" in thread.name for thread in threading.enumerate())

    assert 1 <= mine() < 20
    deadline = time.monotonic() + 20
    while mine():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert pipeline.check_sync(said("y")).action == "allow"


def test_an_async_guard_that_ignores_its_cancellation_does_not_hold_the_caller() -> None:
    class Stubborn:
        name = "stubborn"

        async def check(self, event: Event) -> Decision:
            for _ in range(2):
                try:
                    await asyncio.sleep(0.2)
                except asyncio.CancelledError:
                    continue
            return Decision(action="allow")

    assert asyncio.run(Pipeline([Stubborn()], timeout_s=0.01).check(said("x"))).fault == "timeout"


def test_a_cancelled_caller_is_cancelled_and_not_told_a_decision() -> None:
    async def play() -> None:
        class Slow:
            name = "slow"

            async def check(self, event: Event) -> Decision:
                await asyncio.sleep(30)
                return Decision(action="allow")

        task = asyncio.ensure_future(Pipeline([Slow()]).check(said("x")))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(play())


def test_redacted_arguments_reach_the_next_guard_as_arguments_and_must_stay_json() -> None:
    class Reads:
        name = "reads"

        def check(self, event: Event) -> Decision:
            assert event.data["arguments"] == {"to": "[gone]"}
            return Decision(action="allow")

    event = Event(kind="tool_call", text='{"to": "bob"}', data={"tool": "send", "arguments": {"to": "bob"}})
    assert both(Pipeline([Word("bob", action="redact"), Reads()]), event).text == '{"to": "[gone]"}'
    assert "no JSON" in both(Pipeline([Word("bob", action="redact", put='"')]), event).fault


def test_only_looks_at_the_kinds_it_is_told() -> None:
    pipeline = Pipeline([Only(Later("x"), "output")])
    assert both(pipeline, said("x")).action == "allow"
    assert both(pipeline, Event(kind="output", text="x")).action == "block"


def test_a_log_that_cannot_be_written_blocks() -> None:
    class Full:
        def keep(self, *given: object, **more: object) -> None:
            raise OSError(28, "no space left")

    got = both(Pipeline([Word("y")], audit=Full()), said("x"))  # type: ignore[arg-type]
    assert (got.action, got.fault) == ("block", "the audit log failed: OSError")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Pipeline([]), "without guards"),
        (lambda: Pipeline([Word("x"), Word("x")]), "two guards are called 'no-x'"),
        (lambda: Pipeline([object()]), "is not a guard"),  # type: ignore[list-item]
        (lambda: Pipeline([Word("x")], timeout_s=0), "above 0"),
        (lambda: Only(Word("x")), "needs the kinds"),
    ],
)
def test_a_wrong_declaration_is_refused(make: object, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        make()  # type: ignore[operator]


@settings(max_examples=50)
@given(st.text("ab c", max_size=20), st.permutations(["redact", "block"]))
def test_a_pipeline_never_raises_and_never_lets_a_blocked_word_pass(text: str, order: list[str]) -> None:
    guards = [Word("a" if action == "redact" else "b", action=action, put="_") for action in order]
    got = Pipeline(guards, timeout_s=None).check_sync(said(text))
    assert (got.action == "block") == ("b" in text)
    if got.action == "redact":
        assert "a" not in (got.text or "")


def test_pipelines_nest_and_keep_the_contract_of_a_guard() -> None:
    inner = Pipeline([Word("evil")], name="inner")
    check_guardrail(Pipeline([inner, Word("bad", action="redact", put="_")], name="outer"), attacks=[], benign=["fine"])
    assert both(Pipeline([inner]), said("evil")).guard == "inner"
